/**
 * One of the others in a call: who they are, what they say that they send, and the media path to them.
 *
 * Whoever comes back as somebody new (by another device, after a reload, after a restart of the server) is reached by a
 * new path. As long as that one carries nothing, the old one stays and is heard and seen, if it still flows.
 *
 * @typedef {import("../types.js").User} User
 * @typedef {import("../types.js").MediaState} MediaState
 * @typedef {import("../types.js").Participant} Participant
 * @typedef {import("../types.js").PathState} PathState
 * @typedef {import("../realtime/clock.js").Clock} Clock
 * @typedef {import("./peer.js").Peer} Peer
 * @typedef {import("./peer.js").Signal} Signal
 *
 * @typedef {object} OtherView
 * @property {string} legId
 * @property {User} user
 * @property {boolean} reconnecting the server misses them
 * @property {MediaState} media what they say that they send
 * @property {PathState | null} path
 * @property {MediaStream | null} stream
 * @property {MediaStream | null} screen what they show beside the camera, while `media.screen` says so
 * @property {Record<string, PathState>} paths to each leg, as they say it themselves
 *
 * @typedef {object} PathEvents what there is to say of this one, as long as they are here
 * @property {(path: PathState) => void} onPath
 * @property {() => void} onStream there is something else to be seen or heard
 * @property {(other: Other) => void} onLost the path did not come back in time
 *
 * @typedef {(events: Pick<import("./peer.js").PeerOptions, "onState" | "onStream" | "onScreen" | "onLost">, isGone: () => boolean) =>
 *   Promise<Peer | null>} MakePeer null if they left before it could be made
 */
import { carries } from "./carrying.js";
import { Timers } from "./timers.js";

/** How often one looks whether the new path carries what the old one did. */
const LOOK_EVERY_MS = 100;
/** A path that is there and carries nothing for so long never will: there is no microphone on the new device, say. */
const CARRIES_WITHIN_MS = 2_000;
/** The other side looks for itself. Until it has changed over it needs the old path. */
const LINGER_MS = 2_000;
/** A path that did not come back in time is tried again after this, and each time that it does not: networks change. */
const AGAIN_MS = 30_000;

export class Other {
  /** @type {Participant} */
  participant;
  /** They answered and are not in the room: what is known of them is from before. */
  absent = false;
  #events;
  #timers;
  /** @type {PathState | null} */
  #ownPath = null;
  /** @type {PathState | null} */
  #toldPath = null;
  /** @type {MediaStream | null} */
  #ownStream = null;
  /** @type {MediaStream | null} */
  #ownScreen = null;
  /** @type {Promise<Peer | null>} */
  #peer;
  /** The same leg as it was before. @type {Other | null} */
  #older = null;
  /** Whether it is the older one that is heard and seen. */
  #olderCounts = false;
  #gone = false;

  /**
   * @param {Participant} participant
   * @param {MakePeer} makePeer
   * @param {PathEvents} events
   * @param {Clock} clock
   * @param {Other | null} [older] the same leg, until now
   */
  constructor(participant, makePeer, events, clock, older = null) {
    this.participant = participant;
    this.#events = events;
    this.#timers = new Timers(clock);
    if (older?.path === "connected") this.#follow(older);
    else older?.leave();
    this.#peer = makePeer(
      {
        onState: (path) => this.#pathBecame(path),
        onStream: (stream) => this.#streamCame(stream),
        onScreen: (screen) => this.#screenCame(screen),
        onLost: () => this.#pathLost(),
      },
      () => this.#gone,
    ).catch((error) => {
      console.warn("no connection could be made", error);
      return null;
    });
  }

  get legId() {
    return this.participant.leg_id;
  }

  /** @returns {PathState | null} of the better one, where there are two */
  get path() {
    return this.#olderCounts && this.#older?.path === "connected" ? "connected" : this.#ownPath;
  }

  /** @returns {Promise<Peer | null>} null if they left before it could be made */
  get peer() {
    return this.#peer;
  }

  /** @returns {OtherView} */
  get view() {
    const { leg_id: legId, user, connection, media, paths = {} } = this.participant;
    const reconnecting = this.absent || connection === "reconnecting";
    const { stream, screen } = this.#shown;
    return { legId, user, reconnecting, media, path: this.path, stream, screen, paths };
  }

  /** @param {Signal} signal */
  receive(signal) {
    this.#peer.then((peer) => peer?.receive(signal));
  }

  /** Looks for a new way. */
  restart() {
    this.#peer.then((peer) => peer?.restart());
  }

  /** @param {(peer: Peer) => void} act with the connection once it is made; also with the one before, while it is needed */
  withPeers(act) {
    this.#peer.then((peer) => peer && act(peer));
    this.#older?.withPeers(act);
  }

  /** Says once more where the path stands, to somebody who does not know it. */
  tellPath() {
    this.#toldPath = null;
    this.#tellPath();
  }

  /** They are here no more: nothing of them is heard. */
  leave() {
    this.#gone = true;
    this.#timers.clear();
    this.#older?.leave();
    this.#peer.then((peer) => peer?.close());
  }

  get #isHeard() {
    return this.path === "connected";
  }

  /** @returns {{stream: MediaStream | null, screen: MediaStream | null}} of the one that counts */
  get #shown() {
    if (this.#olderCounts && this.#older) return this.#older.#shown;
    return { stream: this.#ownStream, screen: this.#ownScreen };
  }

  /** @param {PathState} path */
  #pathBecame(path) {
    if (this.#gone) return;
    this.#ownPath = path;
    this.#tellPath();
    if (path === "connected" && this.#olderCounts) this.#changeOver();
  }

  async #pathLost() {
    if (this.#gone || this.#isHeard) return;
    this.#events.onLost(this);
    await this.#timers.after(AGAIN_MS);
    if (!this.#isHeard) this.restart();
  }

  #tellPath() {
    const path = this.path;
    if (path === null || path === this.#toldPath) return;
    this.#toldPath = path;
    this.#events.onPath(path);
  }

  /** @param {MediaStream} stream */
  #streamCame(stream) {
    if (this.#gone) return;
    this.#ownStream = stream;
    this.#events.onStream();
  }

  /** @param {MediaStream} screen */
  #screenCame(screen) {
    if (this.#gone) return;
    this.#ownScreen = screen;
    this.#events.onStream();
  }

  /**
   * From now on this one speaks for the leg; of the one before only its path and its stream count, and not for long.
   *
   * @param {Other} older
   */
  #follow(older) {
    this.#older = older;
    this.#olderCounts = true;
    older.#peer.then((peer) => peer?.silence());
    older.#events = {
      onPath: (path) => {
        this.#tellPath();
        if (path === "failed") this.#dropOlder();
      },
      onStream: () => this.#events.onStream(),
      onLost: () => {},
    };
  }

  /** The one before is heard and seen until this one is. */
  async #changeOver() {
    const peer = await this.#peer;
    for (let waitedMs = 0; peer && waitedMs < CARRIES_WITHIN_MS; waitedMs += LOOK_EVERY_MS) {
      if (carries(await peer.stats(), this.participant.media)) break;
      await this.#timers.after(LOOK_EVERY_MS);
    }
    if (this.#gone || !this.#olderCounts) return;
    this.#olderCounts = false;
    this.#tellPath();
    this.#events.onStream();
    await this.#timers.after(LINGER_MS);
    this.#older?.leave();
  }

  /** Nothing comes by the path of before any more. */
  #dropOlder() {
    this.#olderCounts = false;
    this.#older?.leave();
    this.#events.onStream();
  }
}
