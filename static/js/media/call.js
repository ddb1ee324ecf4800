/**
 * One call on one page: the room's socket, a peer for each of the others, this person's media, and what all of it
 * amounts to. A mesh of many works like one of two. No DOM: a page draws `view` whenever `change` comes.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../types.js").Frame} Frame
 * @typedef {import("../types.js").MediaState} MediaState
 * @typedef {import("../types.js").Participant} Participant
 * @typedef {import("./other.js").OtherView} OtherView
 * @typedef {import("./others.js").NoticeKind} NoticeKind
 * @typedef {import("./peer.js").Peer} Peer
 * @typedef {import("./phase.js").Phase} Phase
 * @typedef {import("../realtime/clock.js").Clock} Clock
 * @typedef {import("../realtime/socket.js").LinkState} LinkState
 *
 * @typedef {{reason: string} | {code: number}} Over a reason as in `end_reason` or `incoming_stopped`, or a close code
 *
 * @typedef {object} CallView
 * @property {Phase} phase
 * @property {Call} call
 * @property {OtherView[]} others in the room now
 * @property {LinkState} link
 * @property {boolean} upToDate whether everything that was said in the room until now is known here
 * @property {number | null} startedAtMs when it was answered, by this machine's clock
 * @property {boolean} hand whether ours is raised
 * @property {Over | null} over why it ended here, where the server's `end_reason` does not say it
 *
 * @typedef {object} CallEvents
 * @property {null} change
 * @property {import("./others.js").OthersEvents["notice"]} notice something worth a word to those who do not see it
 * @property {import("./others.js").OthersEvents["peer"]} peer a connection to one of the others has been made, or ended
 * @property {Record<string, any>} snapshot the room as it is now, after this session has taken it in
 * @property {Frame} frame every event of the room in its order, after this session has heard it
 *
 * @typedef {object} CallHttp the same acts over HTTP, for when the socket is away
 * @property {() => Promise<Call>} load
 * @property {() => Promise<Call>} cancel
 * @property {() => Promise<Call>} hangup
 * @property {() => Promise<Call>} leave
 *
 * @typedef {object} CallOptions
 * @property {import("../realtime/socket.js").RingbackSocket} socket of the room, not started
 * @property {import("./devices.js").LocalMedia} media
 * @property {CallHttp} http
 * @property {() => Promise<RTCConfiguration>} configuration with STUN and TURN servers that are good now
 * @property {Call} call
 * @property {string} legId mine
 * @property {boolean} [camera] whether one wants to be seen, in a call with video
 * @property {ScreenShare} [screen] what one shows beside the camera
 * @property {EventTarget} [wake] dispatches `online` when the network came back
 * @property {Clock} [clock]
 */
import { systemClock } from "../realtime/clock.js";
import { Emitter } from "../realtime/emitter.js";
import { Others } from "./others.js";
import { peerMaker } from "./peer_maker.js";
import { phaseOf } from "./phase.js";
import { ScreenShare } from "./screen.js";
import { SentMedia, tracksInto } from "./sent_media.js";
import { Timers } from "./timers.js";

/** No device has acknowledged by then: the caller reads that we are still trying. */
const TRYING_AFTER_MS = 5_000;
/** A permission prompt left open must not cost the call: it connects without, and adds the tracks when they come. */
const MEDIA_PATIENCE_MS = 4_000;
const HANGUP_DEADLINE_MS = 3_000;

const NORMAL = 1000;
const REPLACED = 4504;
const CALL_ENDED = 4508;
/** The others hear and see this page until their new path to the other device flows, and no longer than this. */
const HAND_OVER_MS = 5_000;

/** @extends {Emitter<CallEvents>} */
export class CallSession extends Emitter {
  #socket;
  #media;
  #http;
  #legId;
  #wantsCamera;
  #clock;
  #wake;
  #timers;
  #others;
  #sent;
  /** What one shows beside the camera. @type {ScreenShare} */
  screen;
  /** @type {Call} */
  #call;
  #joined = false;
  #everConnected = false;
  #upToDate = false;
  #slow = false;
  /** @type {Over | null} */
  #over = null;
  #closed = false;
  /** Ours minus the server's. */
  #clockOffsetMs = 0;
  /** @type {Promise<void>} */
  #mediaReady = Promise.resolve();
  /** The devices are open, or have been waited for long enough: what is sent is known. */
  #mediaKnown = false;
  /** Called with the first snapshot. */
  #nowEntered = () => {};
  /** @type {Promise<void>} */
  #entered = new Promise((resolve) => {
    this.#nowEntered = resolve;
  });

  /** @param {CallOptions} options */
  constructor({
    socket,
    media,
    http,
    configuration,
    call,
    legId,
    camera = true,
    screen = new ScreenShare(),
    wake = new EventTarget(),
    clock = systemClock,
  }) {
    super();
    this.#socket = socket;
    this.#media = media;
    this.screen = screen;
    this.#http = http;
    this.#call = call;
    this.#legId = legId;
    this.#wantsCamera = camera;
    this.#wake = wake;
    this.#clock = clock;
    this.#timers = new Timers(clock);
    this.#others = new Others(
      peerMaker({
        configuration,
        media,
        screen: this.screen,
        ready: () => this.#mediaReady,
        rank: () => this.#call.legs.findIndex((leg) => leg.leg_id === this.#legId),
        tell: (type, fields) => this.#tell(type, fields),
        clock,
      }),
      clock,
    );
    this.#others.on("change", () => this.emit("change", null));
    this.#others.on("notice", (notice) => this.emit("notice", notice));
    this.#others.on("peer", (news) => this.emit("peer", news));
    this.#others.on("path", ({ legId, path }) => this.#pathChanged(legId, path));
    this.#others.on("lost", (participant) => this.#pathLost(participant));
    this.#sent = new SentMedia(media, this.screen, (type, fields) => this.#tell(type, fields));
    media.on("change", () => this.#mediaChanged());
    this.screen.on("change", () => this.#mediaChanged());
    socket.on("state", ({ state }) => {
      if (state !== "open") this.#upToDate = false;
      this.emit("change", null);
    });
    socket.on("snapshot", (frame) => this.#drawAnew(frame));
    socket.on("resumed", () => {
      this.#upToDate = true; // what was missed has come before this
      this.#others.restart({ broken: true }); // paths that were given up meanwhile get another chance
      this.emit("change", null);
    });
    socket.on("frame", (frame) => {
      this.#hear(frame);
      this.emit("frame", frame);
    });
    socket.on("closed", ({ code }) => this.#socketClosed(code));
  }

  /** @returns {CallView} */
  get view() {
    const { answered_at } = this.#call;
    return {
      phase: this.#phase,
      call: this.#call,
      others: this.#others.views,
      link: this.#socket.state,
      upToDate: this.#upToDate,
      startedAtMs: answered_at ? Date.parse(answered_at) + this.#clockOffsetMs : null,
      over: this.#over,
      hand: this.#sent.hand,
    };
  }

  /** @returns {boolean} whether more than two talk: then whoever hangs up leaves, and the others go on */
  get isGroup() {
    return this.#call.legs.filter(({ state }) => state === "joined" || state === "reconnecting").length > 2;
  }

  /** @returns {ReadonlyMap<string, Peer>} by leg, those whose connection has been made */
  get peers() {
    return this.#others.peers;
  }

  /**
   * A frame of one's own to the room; while the socket is away it waits.
   *
   * @param {string} type
   * @param {object} [fields]
   * @returns {Promise<Frame>} the `ack`
   * @throws {import("../realtime/socket.js").RequestError}
   */
  request(type, fields = {}) {
    return this.#socket.request(type, fields);
  }

  /** Goes into the room, unless this person has yet to answer or it is over. */
  start() {
    if (this.#phase === "ended") this.#close();
    else if (this.#phase !== "incoming") this.#join(this.#call.answered_at !== null);
  }

  /**
   * The person has answered on this page.
   *
   * @param {Call} call as it is now
   * @param {boolean} [camera] whether they want to be seen
   */
  answered(call, camera = true) {
    this.#wantsCamera = camera;
    this.#apply(call, true);
    if (this.#phase === "ended") this.#close();
    else this.#join(false);
  }

  /**
   * A newer snapshot, wherever it comes from; an older one is ignored.
   *
   * @param {Call} call
   */
  apply(call) {
    this.#apply(call, false);
  }

  /**
   * It does not ring here any more: another device took it, or nobody did.
   *
   * @param {string} reason as in `incoming_stopped`
   */
  stopRinging(reason) {
    if (this.#phase === "incoming") this.#finish({ reason });
  }

  toggleMute() {
    this.#media.setMuted(!this.#media.muted);
  }

  toggleCamera() {
    return this.#media.setCamera(!this.#media.camera);
  }

  /** @param {boolean} up whether this person would like to say something */
  raiseHand(up) {
    this.#sent.raise(up);
    this.#tellMedia();
    this.emit("change", null);
  }

  /** Asks for microphone and camera once more, after the person has allowed them. */
  async retryMedia() {
    const { camera, problems } = this.#media;
    await this.#media.open({ camera: camera !== null || problems.some(({ device }) => device === "camera") });
  }

  /**
   * Ends it, or cancels it while it rings; of several only oneself leaves, unless it shall end for everybody. For this
   * person it is over at once; the server hears of it by whatever way is open.
   *
   * @param {"media_denied"} [reason]
   * @param {{forEverybody?: boolean}} [options] what the host alone can do, where more than two talk
   */
  async hangUp(reason, { forEverybody = false } = {}) {
    if (this.#closed) return;
    const rings = this.#call.state === "inviting" || this.#call.state === "ringing";
    const leaves = this.isGroup && !forEverybody;
    this.#over = { reason: rings ? "cancelled" : leaves ? "left" : (reason ?? "hangup") };
    this.#silence();
    this.emit("change", null);
    /** @type {(() => Promise<Call>)[]} */
    const ways = [() => (leaves ? this.#http.leave() : this.#http.hangup())];
    if (rings) ways.unshift(() => this.#http.cancel());
    else if (this.#socket.state === "open")
      ways.unshift(() => this.#say(leaves ? "leave" : "hangup", reason ? { reason } : {}));
    for (const way of ways) {
      if (this.#call.state === "ended") break; // `ended` came before the answer
      try {
        this.#apply(await way(), true);
        break;
      } catch (error) {
        console.debug("hanging up failed, trying the next way", error);
      }
    }
    this.#close();
  }

  /**
   * @param {"hangup" | "leave"} type
   * @param {object} fields
   * @returns {Promise<Call>} as it is then
   */
  async #say(type, fields) {
    await this.#socket.request(type, fields, { timeoutMs: HANGUP_DEADLINE_MS });
    return this.#http.load();
  }

  get #phase() {
    return phaseOf({
      call: this.#call,
      legId: this.#legId,
      over: this.#over !== null,
      slow: this.#slow,
      everConnected: this.#everConnected,
      paths: this.#others.paths,
    });
  }

  // ---- the room

  /** @param {boolean} again whether this person may have been in the call already, here or on another device */
  #join(again) {
    if (this.#joined) return;
    this.#joined = true;
    // What was muted or off before stays so: that is known from the room.
    this.#mediaReady = again ? this.#entered.then(() => this.#openMedia()) : this.#openMedia();
    this.#timers.after(TRYING_AFTER_MS).then(() => {
      this.#slow = true;
      this.emit("change", null);
    });
    this.#wake.addEventListener("online", this.#onOnline);
    this.#socket.start();
  }

  async #openMedia() {
    const opened = this.#media.open({ camera: this.#wantsCamera && this.#call.media === "video" });
    await Promise.race([opened, this.#timers.after(MEDIA_PATIENCE_MS)]);
    this.#mediaKnown = true;
  }

  /**
   * @param {Frame & {snapshot: {call: Call, leg_id: string, media: MediaState | null, participants: Participant[]},
   *   continued: boolean}} frame
   */
  #drawAnew({ snapshot, timestamp, continued }) {
    if (timestamp) this.#clockOffsetMs = this.#clock.now() - Date.parse(timestamp);
    this.#legId = snapshot.leg_id;
    this.#upToDate = true;
    this.#sent.forget();
    this.#apply(snapshot.call, true);
    if (this.#closed) return;
    if (!this.#mediaKnown && snapshot.media) this.#goOnAs(snapshot.media);
    this.#nowEntered();
    this.#others.drawAnew(snapshot.participants, continued, this.#expected);
    this.#mediaReady.then(() => this.#tellMedia());
    this.emit("snapshot", snapshot);
    this.emit("change", null);
  }

  /** @param {MediaState} before what this person has sent until now */
  #goOnAs({ audio, video, hand }) {
    if (!audio) this.#media.setMuted(true);
    if (!video) this.#wantsCamera = false;
    this.#sent.raise(hand);
  }

  /** @param {Frame} frame */
  #hear(frame) {
    switch (frame.type) {
      case "call":
      case "ended":
        return this.#apply(frame.call, true);
      case "join":
        return this.#others.joined(frame.participant);
      case "leave":
        return this.#others.left(frame.leg_id);
      case "participant":
        return this.#others.changed(/** @type {any} */ (frame));
      case "offer":
      case "answer":
        return this.#others.receive(frame.from, { type: frame.type, sdp: frame.sdp });
      case "candidate":
        return this.#others.receive(frame.from, { type: "candidate", candidates: frame.candidates ?? [] });
    }
  }

  /**
   * @param {Call} call
   * @param {boolean} trusted it is about this page's own leg: a leg that joined somewhere else must not join us
   */
  #apply(call, trusted) {
    if (call.call_id !== this.#call.call_id || call.rev < this.#call.rev) return;
    const wasIncoming = this.#phase === "incoming";
    const before = this.#call;
    this.#call = call;
    for (const user of moved(before, call, this.#legId)) this.emit("notice", { kind: "moved", user });
    if (call.state === "ended") {
      this.#over = null;
      this.#close();
    } else if (wasIncoming && !trusted && this.#phase !== "incoming" && !this.#joined) {
      this.#over = { reason: "answered_elsewhere" };
      this.#close();
    } else if (this.#phase === "ended" && this.#over === null && !this.#closed) {
      this.#close(); // the others go on: our own leg is over
    }
    this.#others.expect(this.#expected);
    this.emit("change", null);
  }

  /** @param {number} code */
  async #socketClosed(code) {
    if (this.#closed) return;
    if (code === REPLACED) return this.#handOver(code);
    if (code === NORMAL || code === CALL_ENDED) {
      try {
        this.#apply(await this.#http.load(), true);
      } catch (error) {
        console.debug("how the call ended is not known", error);
      }
    }
    if (!this.#closed) this.#finish({ code });
  }

  // ---- the paths to the others

  /** The legs of those who take part, also while they are away. */
  get #expected() {
    return new Set(this.#call.legs.filter(takesPart).map(({ leg_id }) => leg_id));
  }

  /**
   * @param {string} legId
   * @param {import("../types.js").PathState} path
   */
  #pathChanged(legId, path) {
    if (path === "connected") this.#everConnected = true;
    this.#tell("stats", { leg_id: legId, connection: path });
    this.#silenceIfUnheard();
  }

  /**
   * The path stayed away. While the server misses them, or we miss the server, it is the server who decides when the
   * connection is lost; else the network between the two of us cannot carry media. Of more than two the others go on
   * hearing each other.
   *
   * @param {Participant} participant
   */
  #pathLost({ connection }) {
    const bothThere = this.#socket.state === "open" && connection === "connected";
    if (bothThere && this.#expected.size === 2) this.#tell("hangup", { reason: "ice_failed" });
  }

  #onOnline = () => this.#others.restart({ broken: false });

  // ---- our own media

  #mediaChanged() {
    this.#others.withPeers((peer) => tracksInto(peer, this.#media, this.screen));
    this.#tellMedia();
    this.emit("change", null);
  }

  #tellMedia() {
    if (this.#mediaKnown && !this.#closed) this.#sent.tell();
  }

  /**
   * Says how it is now. A new session begins anew: its paths are other ones, and what is sent is said once more.
   *
   * @param {string} type
   * @param {object} fields
   */
  #tell(type, fields) {
    this.#socket.request(type, fields, { fleeting: true }).catch((error) => {
      // The other one has left, or the call has ended: the frame that says so is on its way.
      console.debug(`${type} was not taken`, error);
    });
  }

  // ---- the end

  /** @param {Over} over */
  #finish(over) {
    this.#over = over;
    this.#close();
    this.emit("change", null);
  }

  /**
   * Another device or window of this person has taken the call. For this one it is over; what it sends ends when nobody
   * needs it any more.
   *
   * @param {number} code
   */
  #handOver(code) {
    this.#over = { code };
    this.#closed = true;
    this.#timers.clear();
    this.emit("change", null);
    this.#timers.after(HAND_OVER_MS).then(() => this.#silence());
    this.#silenceIfUnheard();
  }

  #silenceIfUnheard() {
    if (this.#closed && !this.#others.paths.includes("connected")) this.#silence();
  }

  /** Nothing is heard, seen or sent any more. */
  #silence() {
    this.#timers.clear();
    this.#wake.removeEventListener("online", this.#onOnline);
    this.#others.partAll();
    this.screen.close();
    this.#media.stop();
  }

  #close() {
    this.#closed = true;
    this.#silence();
    this.#socket.stop();
  }
}

/** @param {import("../types.js").Leg} leg */
function takesPart({ state }) {
  return state === "joined" || state === "reconnecting";
}

/**
 * @param {Call} before
 * @param {Call} after
 * @param {string} legId mine
 * @returns {import("../types.js").User[]} who of the others goes on with the call on another device
 */
function moved(before, after, legId) {
  const devices = new Map(before.legs.filter(takesPart).map(({ leg_id, device }) => [leg_id, device]));
  const others = after.legs.filter((leg) => leg.leg_id !== legId && takesPart(leg));
  return others.filter(({ leg_id, device }) => (devices.get(leg_id) ?? device) !== device).map(({ user }) => user);
}
