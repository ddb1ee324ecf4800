/**
 * What this person sends: its tracks go into each connection, and the room is told what they are.
 *
 * @typedef {import("../types.js").MediaState} MediaState
 * @typedef {import("./devices.js").LocalMedia} LocalMedia
 * @typedef {import("./peer.js").Peer} Peer
 * @typedef {import("./screen.js").ScreenShare} ScreenShare
 */

export class SentMedia {
  #media;
  #screen;
  #tell;
  #hand = false;
  /** What the room knows. @type {string | null} */
  #told = null;

  /**
   * @param {LocalMedia} media
   * @param {ScreenShare} screen
   * @param {(type: "media", state: MediaState) => void} tell
   */
  constructor(media, screen, tell) {
    this.#media = media;
    this.#screen = screen;
    this.#tell = tell;
  }

  /** Whether this person would like to say something. */
  get hand() {
    return this.#hand;
  }

  /** @param {boolean} up */
  raise(up) {
    this.#hand = up;
  }

  /** The room is another one, and knows nothing. */
  forget() {
    this.#told = null;
  }

  /** Says what is sent now, unless that was said last. */
  tell() {
    /** @type {MediaState} */
    const state = { ...this.#media.flowing, screen: this.#screen.track !== null, hand: this.#hand };
    const text = JSON.stringify(state);
    if (text === this.#told) return;
    this.#told = text;
    this.#tell("media", state);
  }
}

/**
 * Never rejects: what cannot be sent leaves the rest as it is.
 *
 * @param {Peer} peer
 * @param {LocalMedia} media
 * @param {ScreenShare} screen
 */
export async function tracksInto(peer, { microphone, camera }, { track }) {
  const done = await Promise.allSettled([
    peer.setTrack("audio", microphone),
    peer.setTrack("video", camera),
    peer.setTrack("screen", track),
  ]);
  for (const each of done) if (each.status === "rejected") console.warn("a track could not be sent", each.reason);
}
