/**
 * What arrives for a person wherever they are signed in: calls that ring, calls that change, and who is there. It sits
 * on the user socket and draws nothing.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../types.js").Presence} Presence
 * @typedef {import("../types.js").Frame} Frame
 * @typedef {import("../types.js").Voicemail} Voicemail
 * @typedef {import("./clock.js").Clock} Clock
 *
 * @typedef {"answered_elsewhere" | "declined_elsewhere" | "held_back" | "cancelled" | "no_answer" | "silenced" | "handled"} StopReason
 *   `handled` is this page's own answer, decline or ignore.
 * @typedef {{call: Call, expiresAtMs: number}} Ringing
 *
 * @typedef {object} InboxEvents
 * @property {Ringing} incoming show it, and say so with `ringing`
 * @property {{call: Call, reason: StopReason}} stopped
 * @property {Call} call any of my calls has changed
 * @property {{userId: string, state: Presence}} presence
 * @property {Voicemail} voicemail somebody has left me a message
 * @property {number} unheard how many of my messages were not heard
 */
import { systemClock } from "./clock.js";
import { Emitter } from "./emitter.js";
import { RequestError } from "./socket.js";

/** Less than this left: nobody could still answer, so it does not begin to ring. */
const TOO_LATE_MS = 3_000;
/** A frame this much older than frames usually are here has waited on a machine that slept, or for a bad network. */
const STALE_MS = 2_000;
/** An answer that takes longer than this has lost its caller. */
const DECISION_DEADLINE_MS = 10_000;
/** What the server takes in one `watch`. */
const WATCH_LIMIT = 200;

/** @extends {Emitter<InboxEvents>} */
export class Inbox extends Emitter {
  #socket;
  #ownId;
  #clock;
  /** @type {Map<string, Ringing & {timer: any}>} */
  #ringing = new Map();
  /** @type {Map<string, number>} */
  #revs = new Map();
  /** @type {string[]} */
  #watched = [];
  /** A `watch` that is under way reaches also a session that begins meanwhile. */
  #watching = 0;
  /** The least that the clock here was ever seen to be ahead of the server's, the way of a frame included. */
  #aheadMs = Infinity;

  /**
   * @param {import("./socket.js").RingbackSocket} socket
   * @param {string} ownId whose calls these are
   * @param {Clock} [clock]
   */
  constructor(socket, ownId, clock = systemClock) {
    super();
    this.#socket = socket;
    this.#ownId = ownId;
    this.#clock = clock;
    socket.on("snapshot", (frame) => {
      this.#ageOf(frame);
      this.#drawAnew(frame.snapshot);
    });
    socket.on("frame", (frame) => this.#hear(frame));
  }

  /**
   * @param {string} callId
   * @returns {boolean} whether it rings on this page
   */
  isRinging(callId) {
    return this.#ringing.has(callId);
  }

  /**
   * This page shows the call now: only then does the caller hear it ring.
   *
   * @param {string} callId
   * @throws {RequestError} `already_answered` or `call_ended` where nothing rings any more: it has stopped here, too
   */
  async ringing(callId) {
    await this.#decide("ringing", callId);
  }

  /**
   * @param {string} callId
   * @returns {Promise<Call>} the call, joined
   * @throws {RequestError} `already_answered`, `call_ended`, or no answer from the server
   */
  async answer(callId) {
    const ack = await this.#decide("answer", callId);
    this.#stop(callId, "handled");
    return ack.call;
  }

  /**
   * @param {string} callId
   * @returns {Promise<Call>}
   * @throws {RequestError}
   */
  async decline(callId) {
    const ack = await this.#decide("decline", callId);
    this.#stop(callId, "handled");
    return ack.call;
  }

  /**
   * Silences this device; the person's others ring on.
   *
   * @param {string} callId
   */
  async ignore(callId) {
    this.#stop(callId, "handled");
    await this.#decide("ignore", callId);
  }

  /**
   * From now on `presence` tells of these people, and of no others.
   *
   * @param {string[]} userIds
   */
  async watch(userIds) {
    this.#watched = userIds.slice(0, WATCH_LIMIT);
    await this.#watchAgain();
  }

  async #watchAgain() {
    this.#watching += 1;
    try {
      const ack = await this.#socket.request("watch", { user_ids: this.#watched });
      for (const { user_id, state } of ack.people) this.emit("presence", { userId: user_id, state });
    } finally {
      this.#watching -= 1;
    }
  }

  /**
   * @param {"ringing" | "answer" | "decline" | "ignore"} type
   * @param {string} callId
   */
  async #decide(type, callId) {
    try {
      return await this.#socket.request(type, { call_id: callId }, { timeoutMs: DECISION_DEADLINE_MS });
    } catch (error) {
      if (error instanceof RequestError) this.#refused(callId, error.code);
      throw error;
    }
  }

  /**
   * @param {string} callId
   * @param {string} code
   */
  #refused(callId, code) {
    if (code === "already_answered") this.#stop(callId, "answered_elsewhere");
    if (code === "call_ended" || code === "not_found") this.#stop(callId, "cancelled");
  }

  /** @param {{incoming: {call: Call, expires_in_ms: number}[], calls: Call[]}} snapshot */
  #drawAnew(snapshot) {
    const still = new Set(snapshot.incoming.map(({ call }) => call.call_id));
    for (const callId of [...this.#ringing.keys()]) {
      if (!still.has(callId)) this.#stop(callId, "cancelled");
    }
    for (const { call, expires_in_ms } of snapshot.incoming) this.#ring(call, expires_in_ms);
    for (const call of snapshot.calls) this.#changed(call);
    if (this.#watched.length > 0 && this.#watching === 0) this.#watchAgain().catch(() => {}); // the next snapshot tries again
  }

  /** @param {Frame} frame */
  #hear(frame) {
    const ageMs = this.#ageOf(frame);
    switch (frame.type) {
      case "incoming":
        return ageMs > STALE_MS ? this.#ringIfStill(frame.call) : this.#ring(frame.call, frame.expires_in_ms);
      case "incoming_stopped":
        return this.#stop(frame.call_id, frame.reason);
      case "call":
        return this.#changed(frame.call);
      case "presence":
        return this.emit("presence", { userId: frame.user_id, state: frame.state });
      case "voicemail":
        return this.emit("voicemail", frame.voicemail);
      case "unread":
        if (frame.voicemail !== undefined) this.emit("unheard", frame.voicemail);
    }
  }

  /**
   * How much later than the quickest one a frame has come. It may be wrong by as much as a clock was set meanwhile.
   *
   * @param {{timestamp: string}} frame
   */
  #ageOf({ timestamp }) {
    const aheadMs = this.#clock.now() - Date.parse(timestamp);
    this.#aheadMs = Math.min(this.#aheadMs, aheadMs);
    return aheadMs - this.#aheadMs;
  }

  /**
   * A call may be over whose invitation has waited for the machine to wake up: what has come since lies behind it. The
   * server knows, and only if it says so the call begins to ring here.
   *
   * @param {Call} call
   */
  async #ringIfStill(call) {
    try {
      const ack = await this.#decide("ringing", call.call_id);
      this.#ring(call, Date.parse(call.ring_deadline) - Date.parse(ack.timestamp));
    } catch {
      // It is over, and that was told or will be.
    }
  }

  /**
   * @param {Call} call
   * @param {number} expiresInMs
   */
  #ring(call, expiresInMs) {
    const known = this.#ringing.get(call.call_id);
    if (known) this.#clock.clearTimeout(known.timer);
    else if (expiresInMs < TOO_LATE_MS) return;
    const expiresAtMs = this.#clock.now() + expiresInMs;
    const timer = this.#clock.setTimeout(() => this.#stop(call.call_id, "no_answer"), expiresInMs);
    this.#ringing.set(call.call_id, { call, expiresAtMs, timer });
    if (!known) this.emit("incoming", { call, expiresAtMs });
  }

  /**
   * @param {string} callId
   * @param {StopReason} reason
   */
  #stop(callId, reason) {
    const ringing = this.#ringing.get(callId);
    if (!ringing) return;
    this.#clock.clearTimeout(ringing.timer);
    this.#ringing.delete(callId);
    this.emit("stopped", { call: ringing.call, reason });
  }

  /** @param {Call} call */
  #changed(call) {
    if (call.rev <= (this.#revs.get(call.call_id) ?? 0)) return;
    this.#revs.set(call.call_id, call.rev);
    this.emit("call", call);
    // Why it stopped was said before, by `incoming_stopped`, unless it was this device's own doing.
    if (!this.#mayRing(call)) this.#stop(call.call_id, "handled");
  }

  /**
   * A call in which others talk already rings on for whoever has not answered yet.
   *
   * @param {Call} call
   */
  #mayRing({ state, legs }) {
    if (state === "inviting" || state === "ringing") return true;
    const own = legs.find(({ user }) => user.id === this.#ownId);
    return state !== "ended" && (own?.state === "invited" || own?.state === "ringing");
  }
}
