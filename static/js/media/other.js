/**
 * One of the others in a call: who they are, what they say that they send, and the media path to them.
 *
 * @typedef {import("../types.js").User} User
 * @typedef {import("../types.js").MediaState} MediaState
 * @typedef {import("../types.js").Participant} Participant
 * @typedef {import("../types.js").PathState} PathState
 * @typedef {import("./peer.js").Peer} Peer
 * @typedef {import("./peer.js").Signal} Signal
 * @typedef {import("./quality.js").Quality} Quality
 *
 * @typedef {object} OtherView
 * @property {string} legId
 * @property {User} user
 * @property {boolean} reconnecting the server misses them
 * @property {MediaState} media what they say that they send
 * @property {PathState | null} path
 * @property {Quality} quality
 * @property {MediaStream | null} stream
 * @property {MediaStream | null} screen what they show beside the camera, while `media.screen` says so
 * @property {Record<string, PathState>} paths to each leg, as they say it themselves
 *
 * @typedef {object} PathEvents what the peer of this one has to say, as long as they are here
 * @property {(other: Other, path: PathState) => void} onPath
 * @property {(other: Other, stream: MediaStream) => void} onStream
 * @property {(other: Other, screen: MediaStream) => void} onScreen
 * @property {(other: Other) => void} onLost the path did not come back in time
 *
 * @typedef {(events: Pick<import("./peer.js").PeerOptions, "onState" | "onStream" | "onScreen" | "onLost">, isGone: () => boolean) =>
 *   Promise<Peer | null>} MakePeer null if they left before it could be made
 */
import { judge, sample } from "./quality.js";

export class Other {
  /** @type {Participant} */
  participant;
  /** @type {PathState | null} */
  path = null;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {MediaStream | null} */
  #screen = null;
  /** @type {Quality} */
  #quality = "good";
  /** @type {import("./quality.js").Sample | null} */
  #sample = null;
  /** @type {Promise<Peer | null>} */
  #peer;
  #gone = false;

  /**
   * @param {Participant} participant
   * @param {MakePeer} makePeer
   * @param {PathEvents} events
   */
  constructor(participant, makePeer, { onPath, onStream, onScreen, onLost }) {
    this.participant = participant;
    const ifHere = (/** @type {() => void} */ act) => {
      if (!this.#gone) act();
    };
    this.#peer = makePeer(
      {
        onState: (path) => ifHere(() => onPath(this, (this.path = path))),
        onStream: (stream) => ifHere(() => onStream(this, (this.#stream = stream))),
        onScreen: (screen) => ifHere(() => onScreen(this, (this.#screen = screen))),
        onLost: () => ifHere(() => onLost(this)),
      },
      () => this.#gone,
    );
  }

  get legId() {
    return this.participant.leg_id;
  }

  /** @returns {Promise<Peer | null>} null if they left before it could be made */
  get peer() {
    return this.#peer;
  }

  /** @returns {OtherView} */
  get view() {
    const { leg_id: legId, user, connection, media, paths = {} } = this.participant;
    const [path, quality, stream, screen] = [this.path, this.#quality, this.#stream, this.#screen];
    return { legId, user, reconnecting: connection === "reconnecting", media, path, quality, stream, screen, paths };
  }

  /** @param {Signal} signal */
  receive(signal) {
    this.#withPeer((peer) => peer.receive(signal));
  }

  /** Looks for a new way. */
  restart() {
    this.#withPeer((peer) => peer.restart());
  }

  /** @returns {Promise<boolean>} whether the quality is another one than before */
  async sampleQuality() {
    const report = await (await this.#peer)?.stats();
    if (!report || this.path !== "connected") return false;
    const before = this.#sample;
    this.#sample = sample(report);
    const quality = before ? judge(before, this.#sample) : "good";
    const changed = quality !== this.#quality;
    this.#quality = quality;
    return changed;
  }

  /** They are here no more: nothing of them is heard. */
  leave() {
    this.#gone = true;
    this.#peer.then((peer) => peer?.close());
  }

  /** @param {(peer: Peer) => void} act */
  #withPeer(act) {
    this.#peer.then((peer) => peer && act(peer));
  }}
