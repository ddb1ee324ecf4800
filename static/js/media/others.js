/**
 * The others in a call, by their legs: who comes, goes and changes, with a media path to each.
 *
 * @typedef {import("../types.js").User} User
 * @typedef {import("../types.js").Participant} Participant
 * @typedef {import("../types.js").PathState} PathState
 * @typedef {import("./other.js").OtherView} OtherView
 * @typedef {import("./other.js").MakePeer} MakePeer
 * @typedef {import("./peer.js").Peer} Peer
 * @typedef {import("./peer.js").Signal} Signal
 *
 * @typedef {"joined" | "left" | "muted" | "unmuted" | "camera_off" | "camera_on" | "reconnecting" | "back" |
 *   "screen_on" | "screen_off" | "hand_up" | "moved"} NoticeKind
 *
 * @typedef {object} OthersEvents
 * @property {null} change
 * @property {{kind: NoticeKind, user: User}} notice
 * @property {{legId: string, peer: Peer | null}} peer there is one now, or (null) there is none any more
 * @property {{legId: string, path: PathState}} path
 * @property {Participant} lost whose path did not come back in time
 */
import { Emitter } from "../realtime/emitter.js";
import { Other } from "./other.js";

/** @extends {Emitter<OthersEvents>} */
export class Others extends Emitter {
  #makePeer;
  #clock;
  /** @type {Map<string, Other>} */
  #others = new Map();
  /** Those of the others whose connection has been made, by leg. @type {Map<string, Peer>} */
  peers = new Map();

  /**
   * @param {(participant: Participant, initiator: boolean) => MakePeer} makePeer
   * @param {import("../realtime/clock.js").Clock} clock
   */
  constructor(makePeer, clock) {
    super();
    this.#makePeer = makePeer;
    this.#clock = clock;
  }

  /** @returns {OtherView[]} */
  get views() {
    return [...this.#others.values()].map((other) => other.view);
  }

  /** @returns {(PathState | null)[]} */
  get paths() {
    return [...this.#others.values()].map((other) => other.path);
  }

  /**
   * As a snapshot of the room says it.
   *
   * @param {Participant[]} participants
   * @param {boolean} continued whether we are to them who we were
   * @param {Set<string>} expected the legs of those who take part in the call. After a restart of the server they come
   *   into the room one by one: whoever is still heard meanwhile is not gone.
   */
  drawAnew(participants, continued, expected) {
    const here = new Set(participants.map(({ leg_id }) => leg_id));
    for (const [legId, other] of [...this.#others]) {
      if (here.has(legId)) continue;
      if (expected.has(legId) && other.path === "connected") other.absent = true;
      else this.#part(legId);
    }
    for (const participant of participants) {
      // To the others a new session is somebody new, who makes the offers: what was there before is not negotiated with.
      const known = this.#others.get(participant.leg_id);
      if (continued && known && !known.absent) this.changed(participant);
      else this.#meet(participant, true);
    }
    if (!continued) for (const other of this.#others.values()) other.tellPath();
  }

  /** @param {Participant} participant who has just come, and will offer */
  joined(participant) {
    const before = this.#others.get(participant.leg_id);
    this.#meet(participant, false);
    if (!before) this.emit("notice", { kind: "joined", user: participant.user });
    else if (before.view.reconnecting) this.emit("notice", { kind: "back", user: participant.user });
    this.emit("change", null);
  }

  /**
   * The call has changed: whoever was waited for and takes part no more will not come.
   *
   * @param {Set<string>} expected as for `drawAnew`
   */
  expect(expected) {
    for (const [legId, other] of [...this.#others]) {
      if (other.absent && !expected.has(legId)) this.left(legId);
    }
  }

  /** @param {string} legId */
  left(legId) {
    const other = this.#others.get(legId);
    this.#part(legId);
    if (other) this.emit("notice", { kind: "left", user: other.participant.user });
    this.emit("change", null);
  }

  /** @param {Pick<Participant, "leg_id" | "connection" | "media" | "paths">} news */
  changed({ leg_id, connection, media, paths }) {
    const other = this.#others.get(leg_id);
    if (!other) return;
    const before = other.participant;
    other.participant = { ...before, connection, media, paths: paths ?? before.paths };
    if (other.path !== null) {
      for (const kind of noticesOf(before, other.participant)) this.emit("notice", { kind, user: before.user });
    }
    if (before.connection !== connection && connection === "connected" && other.path !== "connected") other.restart();
    this.emit("change", null);
  }

  /**
   * @param {string} legId who sent it
   * @param {Signal} signal
   */
  receive(legId, signal) {
    this.#others.get(legId)?.receive(signal);
  }

  /**
   * Looks for new ways.
   *
   * @param {{broken: boolean}} which only to those to whom there is none, or to all
   */
  restart({ broken }) {
    for (const other of this.#others.values()) {
      if (!broken || other.path !== "connected") other.restart();
    }
  }

  /** @param {(peer: Peer) => void} act with each of them, also with those that are just being made */
  withPeers(act) {
    for (const other of this.#others.values()) other.withPeers(act);
  }

  /** Nobody is here any more. */
  partAll() {
    for (const legId of [...this.#others.keys()]) this.#part(legId);
  }

  /**
   * @param {Participant} participant
   * @param {boolean} initiator whether the first offer is ours
   */
  #meet(participant, initiator) {
    const legId = participant.leg_id;
    const events = {
      onPath: (/** @type {PathState} */ path) => {
        this.emit("path", { legId, path });
        this.emit("change", null);
      },
      onStream: () => this.emit("change", null),
      onLost: (/** @type {Other} */ lost) => this.emit("lost", lost.participant),
    };
    const make = this.#makePeer(participant, initiator);
    if (this.peers.delete(legId)) this.emit("peer", { legId, peer: null });
    const other = new Other(participant, make, events, this.#clock, this.#others.get(legId));
    this.#others.set(legId, other);
    other.peer.then((peer) => {
      if (!peer || this.#others.get(legId) !== other) return;
      this.peers.set(legId, peer);
      this.emit("peer", { legId, peer });
    });
  }

  /** @param {string} legId */
  #part(legId) {
    this.#others.get(legId)?.leave();
    this.#others.delete(legId);
    if (this.peers.delete(legId)) this.emit("peer", { legId, peer: null });
  }
}

/**
 * @param {Participant} before
 * @param {Participant} after
 * @returns {NoticeKind[]}
 */
function noticesOf(before, after) {
  /** @type {NoticeKind[]} */
  const notices = [];
  if (before.media.audio !== after.media.audio) notices.push(after.media.audio ? "unmuted" : "muted");
  if (before.media.video !== after.media.video) notices.push(after.media.video ? "camera_on" : "camera_off");
  if (before.media.screen !== after.media.screen) notices.push(after.media.screen ? "screen_on" : "screen_off");
  if (!before.media.hand && after.media.hand) notices.push("hand_up");
  if (before.connection !== after.connection) notices.push(after.connection === "connected" ? "back" : "reconnecting");
  return notices;
}
