/**
 * What this person sends: its tracks go into each connection, and the room is told what they are.
 *
 * @typedef {import("../types.js").MediaState} MediaState
 * @typedef {import("./devices.js").LocalMedia} LocalMedia
 * @typedef {import("./peer.js").Peer} Peer
 */

export class SentMedia {
  #media;
  #tell;
  /** What the room knows. @type {string | null} */
  #told = null;

  /**
   * @param {LocalMedia} media
   * @param {(type: "media", state: MediaState) => void} tell
   */
  constructor(media, tell) {
    this.#media = media;
    this.#tell = tell;
  }

  /** The room is another one, and knows nothing. */
  forget() {
    this.#told = null;
  }

  /** Says what is sent now, unless that was said last. */
  tell() {
    /** @type {MediaState} */
    const state = { audio: !this.#media.muted, video: this.#media.camera !== null, screen: false, hand: false };
    const text = JSON.stringify(state);
    if (text === this.#told) return;
    this.#told = text;
    this.#tell("media", state);
  }
}

/**
 * @param {Peer} peer
 * @param {LocalMedia} media
 */
export async function tracksInto(peer, { microphone, camera }) {
  await Promise.all([peer.setTrack("audio", microphone), peer.setTrack("video", camera)]);
}
