/**
 * One call on one page: the room's socket, a peer for each of the others, this person's media, and what all of it
 * amounts to. A mesh of many works like one of two. No DOM: a page draws `view` whenever `change` comes.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../types.js").User} User
 * @typedef {import("../types.js").Frame} Frame
 * @typedef {import("../types.js").MediaState} MediaState
 * @typedef {import("../types.js").Participant} Participant
 * @typedef {import("../types.js").PathState} PathState
 * @typedef {import("./peer.js").Peer} Peer
 * @typedef {import("./peer.js").Signal} Signal
 * @typedef {import("./phase.js").Phase} Phase
 * @typedef {import("./quality.js").Quality} Quality
 * @typedef {import("../realtime/clock.js").Clock} Clock
 * @typedef {import("../realtime/socket.js").LinkState} LinkState
 *
 * @typedef {{reason: string} | {code: number}} Over a reason as in `end_reason` or `incoming_stopped`, or a close code
 *
 * @typedef {object} OtherView
 * @property {string} legId
 * @property {User} user
 * @property {boolean} reconnecting the server misses them
 * @property {MediaState} media what they say that they send
 * @property {PathState | null} path
 * @property {Quality} quality
 * @property {MediaStream | null} stream
 *
 * @typedef {object} CallView
 * @property {Phase} phase
 * @property {Call} call
 * @property {OtherView[]} others in the room now
 * @property {LinkState} link
 * @property {number | null} startedAtMs when it was answered, by this machine's clock
 * @property {Over | null} over why it ended here, where the server's `end_reason` does not say it
 *
 * @typedef {"joined" | "left" | "muted" | "unmuted" | "camera_off" | "camera_on" | "reconnecting" | "back"} NoticeKind
 *
 * @typedef {object} CallEvents
 * @property {null} change
 * @property {{kind: NoticeKind, user: User}} notice something worth a word to those who do not see it
 *
 * @typedef {object} CallHttp the same acts over HTTP, for when the socket is away
 * @property {() => Promise<Call>} load
 * @property {() => Promise<Call>} cancel
 * @property {() => Promise<Call>} hangup
 *
 * @typedef {object} CallOptions
 * @property {import("../realtime/socket.js").RingbackSocket} socket of the room, not started
 * @property {import("./devices.js").LocalMedia} media
 * @property {CallHttp} http
 * @property {() => Promise<RTCConfiguration>} configuration with STUN and TURN servers that are good now
 * @property {Call} call
 * @property {string} legId mine
 * @property {boolean} [camera] whether one wants to be seen, in a call with video
 * @property {EventTarget} [wake] dispatches `online` when the network came back
 * @property {Clock} [clock]
 *
 * @typedef {object} Other
 * @property {Participant} participant
 * @property {Promise<Peer | null>} peer
 * @property {() => void} leave
 * @property {PathState | null} path
 * @property {MediaStream | null} stream
 * @property {Quality} quality
 * @property {import("./quality.js").Sample | null} sample
 */
import { systemClock } from "../realtime/clock.js";
import { Emitter } from "../realtime/emitter.js";
import { createPeer } from "./peer.js";
import { phaseOf } from "./phase.js";
import { judge, sample } from "./quality.js";

/** No device has acknowledged by then: the caller reads that we are still trying. */
const TRYING_AFTER_MS = 5_000;
/** A permission prompt left open must not cost the call: it connects without, and adds the tracks when they come. */
const MEDIA_PATIENCE_MS = 4_000;
const QUALITY_EVERY_MS = 5_000;
const HANGUP_DEADLINE_MS = 3_000;

const NORMAL = 1000;
const CALL_ENDED = 4508;

/** @extends {Emitter<CallEvents>} */
export class CallSession extends Emitter {
  #socket;
  #media;
  #http;
  #configuration;
  #legId;
  #wantsCamera;
  #clock;
  #wake;
  /** @type {Call} */
  #call;
  /** @type {Map<string, Other>} */
  #others = new Map();
  #joined = false;
  #everConnected = false;
  #slow = false;
  /** @type {Over | null} */
  #over = null;
  #closed = false;
  /** Ours minus the server's. */
  #clockOffsetMs = 0;
  /** What the others know of our media. @type {string | null} */
  #toldMedia = null;
  /** @type {Promise<void>} */
  #mediaReady = Promise.resolve();
  /** @type {Set<any>} */
  #timers = new Set();

  /** @param {CallOptions} options */
  constructor({ socket, media, http, configuration, call, legId, camera = true, wake = new EventTarget(), clock = systemClock }) {
    super();
    this.#socket = socket;
    this.#media = media;
    this.#http = http;
    this.#configuration = configuration;
    this.#call = call;
    this.#legId = legId;
    this.#wantsCamera = camera;
    this.#wake = wake;
    this.#clock = clock;
    media.on("change", () => this.#mediaChanged());
    socket.on("state", () => this.emit("change", null));
    socket.on("snapshot", (frame) => this.#drawAnew(frame));
    socket.on("resumed", () => this.#lookForPaths());
    socket.on("frame", (frame) => this.#hear(frame));
    socket.on("closed", ({ code }) => this.#socketClosed(code));
  }

  /** @returns {CallView} */
  get view() {
    const { answered_at } = this.#call;
    return {
      phase: this.#phase,
      call: this.#call,
      others: [...this.#others.values()].map(viewOf),
      link: this.#socket.state,
      startedAtMs: answered_at ? Date.parse(answered_at) + this.#clockOffsetMs : null,
      over: this.#over,
    };
  }

  /** Goes into the room, unless this person has yet to answer or it is over. */
  start() {
    if (this.#phase === "ended") this.#close();
    else if (this.#phase !== "incoming") this.#join();
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
    this.start();
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

  /** Asks for microphone and camera once more, after the person has allowed them. */
  async retryMedia() {
    const { camera, problems } = this.#media;
    await this.#media.open({ camera: camera !== null || problems.some(({ device }) => device === "camera") });
  }

  /**
   * Ends it, or cancels it while it rings. For this person it is over at once; the server hears of it by whatever way
   * is open.
   *
   * @param {"media_denied"} [reason]
   */
  async hangUp(reason) {
    if (this.#closed) return;
    const rings = this.#call.state === "inviting" || this.#call.state === "ringing";
    this.#over = { reason: rings ? "cancelled" : (reason ?? "hangup") };
    this.#silence();
    this.emit("change", null);
    /** @type {(() => Promise<Call>)[]} */
    const ways = [() => this.#http.hangup()];
    if (rings) ways.unshift(() => this.#http.cancel());
    else if (this.#socket.state === "open") ways.unshift(() => this.#hangUpBySocket(reason));
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

  /** @param {string} [reason] @returns {Promise<Call>} */
  async #hangUpBySocket(reason) {
    await this.#socket.request("hangup", reason ? { reason } : {}, { timeoutMs: HANGUP_DEADLINE_MS });
    return this.#http.load();
  }

  get #phase() {
    return phaseOf({
      call: this.#call,
      legId: this.#legId,
      over: this.#over !== null,
      slow: this.#slow,
      everConnected: this.#everConnected,
      paths: [...this.#others.values()].map((other) => other.path),
    });
  }

  // ---- the room

  #join() {
    if (this.#joined) return;
    this.#joined = true;
    const opened = this.#media.open({ camera: this.#wantsCamera && this.#call.media === "video" });
    this.#mediaReady = Promise.race([opened, this.#delay(MEDIA_PATIENCE_MS)]);
    this.#delay(TRYING_AFTER_MS).then(() => {
      this.#slow = true;
      this.emit("change", null);
    });
    this.#watchQuality();
    this.#wake.addEventListener("online", this.#onOnline);
    this.#socket.start();
  }

  /** @param {Frame & {snapshot: {call: Call, leg_id: string, participants: Participant[]}, continued: boolean}} frame */
  #drawAnew({ snapshot, timestamp, continued }) {
    if (timestamp) this.#clockOffsetMs = this.#clock.now() - Date.parse(timestamp);
    this.#legId = snapshot.leg_id;
    this.#toldMedia = null;
    this.#apply(snapshot.call, true);
    if (this.#closed) return;
    const here = new Set(snapshot.participants.map(({ leg_id }) => leg_id));
    for (const legId of [...this.#others.keys()]) {
      // To the others a new session is somebody new, who makes the offers: what was there before fits nothing any more.
      if (!continued || !here.has(legId)) this.#part(legId);
    }
    for (const participant of snapshot.participants) {
      if (this.#others.has(participant.leg_id)) this.#participantChanged(/** @type {any} */ (participant));
      else this.#meet(participant, true);
    }
    this.#mediaReady.then(() => this.#tellMedia());
    this.emit("change", null);
  }

  /** @param {Frame} frame */
  #hear(frame) {
    switch (frame.type) {
      case "call":
      case "ended":
        return this.#apply(frame.call, true);
      case "join":
        this.#meet(frame.participant, false);
        this.emit("notice", { kind: "joined", user: frame.participant.user });
        return this.emit("change", null);
      case "leave":
        return this.#left(frame.leg_id);
      case "participant":
        return this.#participantChanged(frame);
      case "offer":
      case "answer":
        return this.#relay(frame.from, { type: frame.type, sdp: frame.sdp });
      case "candidate":
        return this.#relay(frame.from, { type: "candidate", candidates: frame.candidates ?? [] });
    }
  }

  /**
   * @param {Call} call
   * @param {boolean} trusted it is about this page's own leg: a leg that joined somewhere else must not join us
   */
  #apply(call, trusted) {
    if (call.call_id !== this.#call.call_id || call.rev < this.#call.rev) return;
    const wasIncoming = this.#phase === "incoming";
    this.#call = call;
    if (call.state === "ended") {
      this.#over = null;
      this.#close();
    } else if (wasIncoming && !trusted && this.#phase !== "incoming" && !this.#joined) {
      this.#over = { reason: "answered_elsewhere" };
      this.#close();
    }
    this.emit("change", null);
  }

  /** @param {number} code */
  async #socketClosed(code) {
    if (this.#closed) return;
    if (code === NORMAL || code === CALL_ENDED) {
      try {
        this.#apply(await this.#http.load(), true);
      } catch (error) {
        console.debug("how the call ended is not known", error);
      }
    }
    if (!this.#closed) this.#finish({ code });
  }

  // ---- the others

  /**
   * @param {Participant} participant
   * @param {boolean} initiator whether the first offer is ours
   */
  #meet(participant, initiator) {
    const legId = participant.leg_id;
    this.#part(legId); // they were here before and come back as somebody new
    let gone = false;
    /** @type {Other} */
    const other = {
      participant,
      peer: this.#createPeer(participant, initiator, () => gone),
      leave: () => {
        gone = true;
        other.peer.then((peer) => peer?.close());
      },
      path: null,
      stream: null,
      quality: "good",
      sample: null,
    };
    this.#others.set(legId, other);
  }

  /**
   * @param {Participant} participant
   * @param {boolean} initiator
   * @param {() => boolean} isGone
   * @returns {Promise<Peer | null>} null if they left before it could be made
   */
  async #createPeer({ leg_id: legId, rank }, initiator, isGone) {
    const [configuration] = await Promise.all([this.#configuration(), this.#mediaReady]);
    if (isGone()) return null;
    const ifHere = (/** @type {(other: Other) => void} */ act) => {
      const other = this.#others.get(legId);
      if (other && !isGone()) act(other);
    };
    const peer = createPeer({
      polite: this.#rank > rank,
      initiator,
      configuration,
      freshConfiguration: this.#configuration,
      receive: this.#call.media === "video" ? ["audio", "video"] : ["audio"],
      clock: this.#clock,
      send: ({ type, ...fields }) => this.#tell(type, { to: legId, ...fields }),
      onState: (path) => ifHere((other) => this.#pathChanged(other, path)),
      onStream: (stream) => ifHere((other) => this.#streamCame(other, stream)),
      onLost: () => ifHere((other) => this.#pathLost(other)),
      onError: (error) => console.warn("negotiation failed", error),
    });
    await Promise.all([
      peer.setTrack("audio", this.#media.microphone),
      peer.setTrack("video", this.#media.camera),
    ]);
    peer.begin();
    return peer;
  }

  get #rank() {
    return this.#call.legs.findIndex((leg) => leg.leg_id === this.#legId);
  }

  /** @param {string} legId */
  #part(legId) {
    this.#others.get(legId)?.leave();
    this.#others.delete(legId);
  }

  /** @param {string} legId */
  #left(legId) {
    const other = this.#others.get(legId);
    this.#part(legId);
    if (other) this.emit("notice", { kind: "left", user: other.participant.user });
    this.emit("change", null);
  }

  /**
   * @param {string} legId
   * @param {Signal} signal
   */
  #relay(legId, signal) {
    this.#others.get(legId)?.peer.then((peer) => peer?.receive(signal));
  }

  /** @param {Frame} frame */
  #participantChanged({ leg_id, connection, media }) {
    const other = this.#others.get(leg_id);
    if (!other) return;
    const before = other.participant;
    other.participant = { ...before, connection, media };
    if (other.path !== null) {
      for (const kind of noticesOf(before, other.participant)) this.emit("notice", { kind, user: before.user });
    }
    if (before.connection !== connection && connection === "connected" && other.path !== "connected") {
      other.peer.then((peer) => peer?.restart());
    }
    this.emit("change", null);
  }

  /**
   * @param {Other} other
   * @param {PathState} path
   */
  #pathChanged(other, path) {
    other.path = path;
    if (path === "connected") this.#everConnected = true;
    this.#tell("stats", { leg_id: other.participant.leg_id, connection: path });
    this.emit("change", null);
  }

  /**
   * @param {Other} other
   * @param {MediaStream} stream
   */
  #streamCame(other, stream) {
    other.stream = stream;
    this.emit("change", null);
  }

  /**
   * The path stayed away. While the server misses them, or we miss the server, it is the server who decides when the
   * connection is lost; else the network between the two of us cannot carry media.
   *
   * @param {Other} other
   */
  #pathLost(other) {
    const bothThere = this.#socket.state === "open" && other.participant.connection === "connected";
    if (bothThere && this.#call.legs.length === 2) this.#tell("hangup", { reason: "ice_failed" });
  }

  /** We are back ourselves: paths that were given up meanwhile get another chance. */
  #lookForPaths() {
    for (const other of this.#others.values()) {
      if (other.path !== "connected") other.peer.then((peer) => peer?.restart());
    }
  }

  #onOnline = () => {
    for (const other of this.#others.values()) other.peer.then((peer) => peer?.restart());
  };

  #watchQuality() {
    this.#delay(QUALITY_EVERY_MS).then(async () => {
      await Promise.all([...this.#others.values()].map((other) => this.#sampleQuality(other)));
      if (!this.#closed) this.#watchQuality();
    });
  }

  /** @param {Other} other */
  async #sampleQuality(other) {
    const report = await (await other.peer)?.stats();
    if (!report || other.path !== "connected") return;
    const before = other.sample;
    other.sample = sample(report);
    const quality = before ? judge(before, other.sample) : "good";
    if (quality === other.quality) return;
    other.quality = quality;
    this.emit("change", null);
  }

  // ---- our own media

  #mediaChanged() {
    for (const other of this.#others.values()) {
      other.peer.then((peer) => {
        peer?.setTrack("audio", this.#media.microphone);
        peer?.setTrack("video", this.#media.camera);
      });
    }
    this.#tellMedia();
    this.emit("change", null);
  }

  #tellMedia() {
    if (!this.#joined || this.#closed) return;
    /** @type {MediaState} */
    const media = { audio: !this.#media.muted, video: this.#media.camera !== null, screen: false, hand: false };
    const text = JSON.stringify(media);
    if (text === this.#toldMedia) return;
    this.#toldMedia = text;
    this.#tell("media", media);
  }

  /**
   * @param {string} type
   * @param {object} fields
   */
  #tell(type, fields) {
    this.#socket.request(type, fields).catch((error) => {
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

  /** Nothing is heard, seen or sent any more. */
  #silence() {
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.#wake.removeEventListener("online", this.#onOnline);
    for (const legId of [...this.#others.keys()]) this.#part(legId);
    this.#media.stop();
  }

  #close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#silence();
    this.#socket.stop();
  }

  /**
   * @param {number} delayMs
   * @returns {Promise<void>} never settled once the call is over
   */
  #delay(delayMs) {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, delayMs);
      this.#timers.add(timer);
    });
  }
}

/**
 * @param {Other} other
 * @returns {OtherView}
 */
function viewOf({ participant, path, quality, stream }) {
  const { leg_id: legId, user, connection, media } = participant;
  return { legId, user, reconnecting: connection === "reconnecting", media, path, quality, stream };
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
  if (before.connection !== after.connection) notices.push(after.connection === "connected" ? "back" : "reconnecting");
  return notices;
}
