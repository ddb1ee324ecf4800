/**
 * One of Ringback's sockets, seen by a page: it signs in with the first frame, comes back by itself, resumes where it
 * was, drops what it has already seen, and settles every request exactly once. Nothing here touches the DOM; time,
 * chance and the WebSocket itself are given from outside.
 *
 * @typedef {import("./clock.js").Clock} Clock
 * @typedef {import("./close_codes.js").CloseAction} CloseAction
 * @typedef {import("../types.js").Frame} Frame
 *
 * @typedef {"idle" | "connecting" | "open" | "waiting" | "closed"} LinkState
 *   `idle` before start; `waiting` until the next attempt; `closed` for good.
 *
 * @typedef {object} SocketOptions
 * @property {string} url the address, ws: or wss:, without any credentials
 * @property {() => Promise<string>} getToken a fresh ws token for each attempt (each can be used once). It rejects with
 *   `TokenRefused` when the person has to sign in again; any other error counts as a failed attempt.
 * @property {Clock} [clock]
 * @property {typeof WebSocket} [WebSocketClass]
 * @property {() => number} [random] a number in [0, 1), for the jitter
 * @property {EventTarget} [wake] dispatches `wake` when the network or the person has come back
 *
 * @typedef {object} SocketEvents
 * @property {{state: LinkState, retryInMs: number | null}} state
 * @property {Frame & {snapshot: any, continued: boolean}} snapshot `connected`, when everything is to be drawn anew: of
 *   a new session, or (`continued`) of an old one of which some frames are lost
 * @property {Frame} resumed everything that was missed has come
 * @property {Frame} frame an event in its order, each once
 * @property {{code: number, name: string}} closed for good, by a terminal code
 */
import { Backoff } from "./backoff.js";
import { systemClock } from "./clock.js";
import { closeRule } from "./close_codes.js";
import { Emitter } from "./emitter.js";

/** From asking for a token to being signed in. Longer than the server's 10 s, so that its word comes first. */
const CONNECT_DEADLINE_MS = 15_000;
/** After a `bye` the close frame follows at once; a network that swallows it must not keep us waiting. */
const BYE_DEADLINE_MS = 3_000;
/** A healthy server answers a ping within this, even on a bad mobile network. */
const PROBE_DEADLINE_MS = 5_000;
/** How long a request may take, the way through a reconnect included. */
const REQUEST_DEADLINE_MS = 30_000;
/** A request that the server calls retryable is tried this often before the caller hears of it. */
const REQUEST_TRIES = 4;
const RETRY_BASE_MS = 400;
/** A timer this much too late means that the machine slept: nothing was heard because nobody listened. */
const SLEPT_MS = 2_000;
/**
 * Said to a server from which nothing came in time, while we come back. Never 1000: by that it would know that the person
 * has left, and hang up.
 */
const HEARTBEAT_MISSED = 4005;
const ABNORMAL = 1006;

/** The server does not know this person any more. */
export class TokenRefused extends Error {
  name = "TokenRefused";
}

/** A request that got an `error` frame, or no answer. */
export class RequestError extends Error {
  name = "RequestError";

  /**
   * @param {string} code stable, snake_case; `timeout`, `closed` and `outlived` are our own
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * One WebSocket and what belongs to it alone.
 * @typedef {{ws: WebSocket, asked: string | null, held: (Frame & {snapshot: any}) | null, bye: Frame | null,
 *   openedAtMs: number | null, timers: Set<any>}} Link
 *
 * @typedef {{id: string, type: string, fields: object, tries: number, resolve: (ack: Frame) => void,
 *   reject: (error: Error) => void, deadline: any, fleeting: boolean}} Pending
 */

/** @extends {Emitter<SocketEvents>} */
export class RingbackSocket extends Emitter {
  #url;
  #getToken;
  #clock;
  #WebSocket;
  #backoff;
  /** @type {EventTarget | undefined} */
  #wake;
  /** @type {LinkState} */
  #state = "idle";
  /** Counts attempts, so that a late token of an older one is not used. */
  #attempt = 0;
  /** @type {any} */
  #attemptTimer = null;
  /** @type {any} */
  #retryTimer = null;
  /** The server asked not to be called before this; waking early does not change that. */
  #notBeforeMs = 0;
  /** @type {Link | null} */
  #link = null;
  /** What a resume needs; null when there is nothing to resume. @type {{connectionId: string, lastSeq: number} | null} */
  #session = null;
  #silenceLimitMs = 0;
  #lastHeardMs = 0;
  /** Counts frames: two that come in one millisecond are two. */
  #heard = 0;
  #nextId = 1;
  /** Makes ids of two pages of one sign-in differ. */
  #idPrefix;
  /** Waiting for their answer, in the order in which they were asked. @type {Map<string, Pending>} */
  #pending = new Map();

  /** @param {SocketOptions} options */
  constructor({ url, getToken, clock = systemClock, WebSocketClass = globalThis.WebSocket, random = Math.random, wake }) {
    super();
    this.#url = url;
    this.#getToken = getToken;
    this.#clock = clock;
    this.#WebSocket = WebSocketClass;
    this.#backoff = new Backoff(random);
    this.#idPrefix = Math.floor(random() * 2 ** 32).toString(36);
    this.#wake = wake;
    wake?.addEventListener("wake", this.#onWake);
  }

  /** @returns {LinkState} */
  get state() {
    return this.#state;
  }

  /** Begins to connect, and keeps at it. Calling it again changes nothing. */
  start() {
    if (this.#state === "idle") this.#connect();
  }

  /** Leaves for good, without a `closed` event: whoever calls this knows. */
  stop() {
    if (this.#state === "closed") return;
    const link = this.#detach();
    link?.ws.close(1000);
    this.#finish();
  }

  /**
   * Sends a frame and waits for its `ack`. While the connection is away the frame waits, and is sent again with the
   * same id after a resume, so that it is done once.
   *
   * @param {string} type
   * @param {object} [fields]
   * @param {{timeoutMs?: number, fleeting?: boolean}} [options] `fleeting`: it is about this session, and means nothing
   *   to the next
   * @returns {Promise<Frame>} the `ack`
   * @throws {RequestError} the server's `error`, `timeout`, `closed`, or `outlived`: the session ended before the answer
   */
  request(type, fields = {}, { timeoutMs = REQUEST_DEADLINE_MS, fleeting = false } = {}) {
    if (this.#state === "closed") return Promise.reject(new RequestError("closed", "the connection has ended"));
    return new Promise((resolve, reject) => {
      /** @type {Pending} */
      const pending = { id: this.#newId(), type, fields, tries: 1, resolve, reject, deadline: null, fleeting };
      pending.deadline = this.#clock.setTimeout(() => this.#expire(pending), timeoutMs);
      this.#ask(pending);
    });
  }

  // ---- one attempt at a time

  #connect() {
    this.#clock.clearTimeout(this.#retryTimer);
    const attempt = ++this.#attempt;
    this.#setState("connecting");
    this.#attemptTimer = this.#clock.setTimeout(() => this.#attemptFailed(ABNORMAL), CONNECT_DEADLINE_MS);
    this.#getToken().then(
      (token) => {
        if (attempt === this.#attempt && this.#state === "connecting") this.#dial(token);
      },
      (error) => {
        if (attempt !== this.#attempt || this.#state !== "connecting") return;
        if (error instanceof TokenRefused) this.#end(4501);
        else this.#attemptFailed(ABNORMAL, error.retryAfterMs);
      },
    );
  }

  /** @param {string} token */
  #dial(token) {
    const ws = new this.#WebSocket(this.#url);
    /** @type {Link} */
    const link = { ws, asked: null, held: null, bye: null, openedAtMs: null, timers: new Set() };
    this.#link = link;
    ws.onopen = () => this.#introduce(link, token);
    ws.onmessage = (event) => this.#receive(link, event.data);
    ws.onclose = (event) => this.#lost(link, event.code);
  }

  /**
   * The token goes into the first frame, never into the address: addresses end up in logs.
   *
   * @param {Link} link
   * @param {string} token
   */
  #introduce(link, token) {
    /** @type {Record<string, unknown>} */
    const auth = { type: "auth", token };
    if (this.#session) {
      link.asked = auth.resume = this.#session.connectionId;
      auth.last_seq = this.#session.lastSeq;
    }
    link.ws.send(JSON.stringify(auth));
  }

  /**
   * @param {number} code
   * @param {number} [retryAfterMs]
   */
  #attemptFailed(code, retryAfterMs) {
    if (this.#link) this.#abandon(code);
    else this.#comeBack(retryAfterMs);
  }

  // ---- frames

  /**
   * @param {Link} link
   * @param {string} text
   */
  #receive(link, text) {
    if (link !== this.#link) return;
    this.#lastHeardMs = this.#clock.now();
    this.#heard += 1;
    /** @type {Frame} */
    const frame = JSON.parse(text);
    switch (frame.type) {
      case "connected":
        return this.#connected(link, /** @type {any} */ (frame));
      case "resumed":
        return this.#resumed(link, frame);
      case "ack":
      case "error":
        return this.#settle(frame);
      case "ping":
        return link.ws.send('{"type":"pong"}');
      case "pong":
        return;
      case "bye":
        return this.#takeLeave(link, frame);
      default:
        return this.#deliver(frame);
    }
  }

  /**
   * @param {Link} link
   * @param {Frame & {snapshot: any}} frame
   */
  #connected(link, frame) {
    const { interval_s, timeout_s } = frame.heartbeat;
    this.#silenceLimitMs = (interval_s + timeout_s) * 1000;
    link.openedAtMs = this.#clock.now();
    this.#watchHeartbeat(link);
    if (link.asked !== null && link.asked === frame.connection_id) {
      link.held = frame; // `resumed` decides whether this snapshot is needed
      return;
    }
    this.#session = { connectionId: frame.connection_id, lastSeq: 0 };
    this.#dropFleeting();
    this.#ready();
    this.emit("snapshot", { ...frame, continued: false });
  }

  /**
   * @param {Link} link
   * @param {Frame} frame
   */
  #resumed(link, frame) {
    const held = link.held;
    if (!held) return; // said of a session that had to begin anew: its snapshot has been drawn
    link.held = null;
    if (!frame.complete) this.#session = { connectionId: held.connection_id, lastSeq: 0 };
    this.#ready();
    if (frame.complete) this.emit("resumed", frame);
    else this.emit("snapshot", { ...held, continued: true });
  }

  #ready() {
    this.#clock.clearTimeout(this.#attemptTimer);
    this.#setState("open");
    for (const pending of this.#pending.values()) this.#transmit(pending);
  }

  /** @param {Frame} frame */
  #deliver(frame) {
    if (frame.seq !== undefined && this.#session) {
      if (frame.seq <= this.#session.lastSeq) return;
      this.#session.lastSeq = frame.seq;
    }
    this.emit("frame", frame);
  }

  /**
   * @param {Link} link
   * @param {Frame} bye
   */
  #takeLeave(link, bye) {
    link.bye = bye;
    this.#after(link, BYE_DEADLINE_MS, () => this.#abandon(bye.code));
  }

  // ---- requests

  #newId() {
    return `${this.#idPrefix}-${this.#nextId++}`;
  }

  /** @param {Pending} pending */
  #ask(pending) {
    this.#pending.set(pending.id, pending);
    if (this.#state === "open") this.#transmit(pending);
  }

  /** @param {Pending} pending */
  #transmit({ type, id, fields }) {
    this.#link?.ws.send(JSON.stringify({ type, id, ...fields }));
  }

  /** @param {Frame} frame */
  #settle(frame) {
    const pending = this.#pending.get(frame.id ?? "");
    if (!pending) return;
    this.#pending.delete(pending.id);
    if (frame.type === "ack") {
      this.#clock.clearTimeout(pending.deadline);
      pending.resolve(frame);
    } else if (frame.retryable && pending.tries < REQUEST_TRIES) {
      this.#askAgain(pending);
    } else {
      this.#clock.clearTimeout(pending.deadline);
      pending.reject(new RequestError(frame.code, frame.message));
    }
  }

  /**
   * A refused request was not done, so it goes out under a new id: the old one would get the old answer.
   *
   * @param {Pending} pending
   */
  #askAgain(pending) {
    const delayMs = RETRY_BASE_MS * 2 ** pending.tries;
    pending.tries += 1;
    pending.id = this.#newId();
    this.#pending.set(pending.id, pending);
    this.#clock.setTimeout(() => {
      if (this.#state === "open" && this.#pending.has(pending.id)) this.#transmit(pending);
    }, delayMs);
  }

  /** The session is a new one: what was to be said in the one before would be taken for its word. */
  #dropFleeting() {
    for (const pending of this.#pending.values()) {
      if (!pending.fleeting) continue;
      this.#pending.delete(pending.id);
      this.#clock.clearTimeout(pending.deadline);
      pending.reject(new RequestError("outlived", `${pending.type} was meant for the session before`));
    }
  }

  /** @param {Pending} pending */
  #expire(pending) {
    this.#pending.delete(pending.id);
    pending.reject(new RequestError("timeout", `no answer to ${pending.type}`));
  }

  // ---- losing it and coming back

  /**
   * Any frame counts as life. One lazy timer: it looks when the silence could first be too long, and sleeps again.
   *
   * @param {Link} link
   */
  #watchHeartbeat(link) {
    const dueMs = this.#lastHeardMs + this.#silenceLimitMs;
    this.#after(link, dueMs - this.#clock.now(), () => {
      const now = this.#clock.now();
      if (now < this.#lastHeardMs + this.#silenceLimitMs) this.#watchHeartbeat(link);
      else if (now - dueMs > SLEPT_MS) this.#probe(link, () => this.#watchHeartbeat(link));
      else this.#abandon(HEARTBEAT_MISSED);
    });
  }

  /**
   * Asks a connection that may be dead whether it is.
   *
   * @param {Link} link
   * @param {() => void} [alive]
   */
  #probe(link, alive = () => {}) {
    const heardBefore = this.#heard;
    link.ws.send('{"type":"ping"}');
    this.#after(link, PROBE_DEADLINE_MS, () => {
      if (this.#heard > heardBefore) alive();
      else this.#abandon(HEARTBEAT_MISSED);
    });
  }

  #onWake = () => {
    if (this.#state === "waiting" && this.#clock.now() >= this.#notBeforeMs) this.#connect();
    else if (this.#state === "open" && this.#link) this.#probe(this.#link);
  };

  /**
   * Gives a link up without waiting for its close event, which a dead network delays by minutes.
   *
   * @param {number} code
   */
  #abandon(code) {
    const link = this.#link;
    if (!link) return;
    link.ws.onclose = null;
    link.ws.close(HEARTBEAT_MISSED);
    this.#lost(link, code);
  }

  /**
   * @param {Link} link
   * @param {number} code
   */
  #lost(link, code) {
    if (link !== this.#link) return;
    this.#detach();
    const { bye } = link;
    const seen = bye && code === ABNORMAL ? bye.code : code;
    /** @type {CloseAction} */
    const action = bye?.action ?? closeRule(seen).action;
    if (link.openedAtMs !== null) this.#backoff.lost(this.#clock.now() - link.openedAtMs);
    if (action === "stop") return this.#end(seen);
    if (action === "reconnect" || bye?.session_kept === false) this.#session = null;
    this.#comeBack(bye?.retry_after_ms);
  }

  /** @param {number} [retryAfterMs] what the server asked for, if it did */
  #comeBack(retryAfterMs) {
    this.#clock.clearTimeout(this.#attemptTimer);
    const delayMs = retryAfterMs || this.#backoff.next();
    this.#notBeforeMs = retryAfterMs ? this.#clock.now() + retryAfterMs : 0;
    this.#retryTimer = this.#clock.setTimeout(() => this.#connect(), delayMs);
    this.#setState("waiting", delayMs);
  }

  /** @param {number} code */
  #end(code) {
    this.#detach();
    this.#finish();
    this.emit("closed", { code, name: closeRule(code).name });
  }

  #finish() {
    this.#clock.clearTimeout(this.#retryTimer);
    this.#clock.clearTimeout(this.#attemptTimer);
    this.#wake?.removeEventListener("wake", this.#onWake);
    this.#setState("closed");
    for (const pending of this.#pending.values()) {
      this.#clock.clearTimeout(pending.deadline);
      pending.reject(new RequestError("closed", "the connection has ended"));
    }
    this.#pending.clear();
  }

  /** @returns {Link | null} the link that was current; nothing it still says is heard */
  #detach() {
    const link = this.#link;
    this.#link = null;
    for (const timer of link?.timers ?? []) this.#clock.clearTimeout(timer);
    return link;
  }

  /**
   * A timer that dies with its link.
   *
   * @param {Link} link
   * @param {number} delayMs
   * @param {() => void} action
   */
  #after(link, delayMs, action) {
    const timer = this.#clock.setTimeout(() => {
      link.timers.delete(timer);
      if (link === this.#link) action();
    }, delayMs);
    link.timers.add(timer);
  }

  /**
   * @param {LinkState} state
   * @param {number | null} [retryInMs]
   */
  #setState(state, retryInMs = null) {
    this.#state = state;
    this.emit("state", { state, retryInMs });
  }
}
