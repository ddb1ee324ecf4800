/**
 * Sound first: looks at each path every few seconds and gives the pictures of camera and screen as much of it as the
 * sound leaves, down to nothing. No DOM.
 *
 * @typedef {import("../realtime/clock.js").Clock} Clock
 * @typedef {import("./ladder.js").Standing} Standing
 * @typedef {{readonly connection: RTCPeerConnection}} Path
 *
 * @typedef {"whole" | "smaller" | "paused"} Sent how one's own picture does on the way to one other
 *
 * @typedef {object} AudioFirstEvents
 * @property {null} change
 *
 * @typedef {object} AudioFirstOptions
 * @property {ReadonlyMap<string, Path>} peers by the leg that each goes to; they come and go
 * @property {{microphone: MediaStreamTrack | null, camera: MediaStreamTrack | null, saving: boolean}} media `saving`:
 *   whether data is to be saved
 * @property {{track: MediaStreamTrack | null}} screen that one shows
 * @property {Clock} [clock]
 */
import { systemClock } from "../realtime/clock.js";
import { Emitter } from "../realtime/emitter.js";
import { Gauge } from "./gauge.js";
import { begin, NO_PICTURE, RUNGS, SCREEN_RUNGS, step } from "./ladder.js";

const LOOK_EVERY_MS = 2_000;
/** By how many others there are: a machine at home sends each of them a picture of its own. */
const TOP_FOR_OTHERS = [0, 0, 1, 1];
const TOP_FOR_MANY = 2;
/** The first rung where data is saved: half an hour is 90 MB and not 380. */
const TOP_SAVING = 2;
/** From here on one sees the difference. */
const SMALLER_FROM = 2;
/** Speech in Opus is clear at this rate. */
const SAVING_SOUND_BITS_PER_S = 24_000;

/** A picture of which nothing has come for so many looks is a paused one: even a still one is sent again and again. */
const STALLED_LOOKS = 2;

/**
 * @typedef {object} Watch
 * @property {Gauge} gauge
 * @property {Standing} standing
 * @property {Map<string, {packets: number, still: number}>} pictures that come, by the id of their track; `still`: for how
 *   many looks nothing came
 */

/** @extends {Emitter<AudioFirstEvents>} */
export class AudioFirst extends Emitter {
  #peers;
  #media;
  #screen;
  #clock;
  /** @type {Map<string, Watch>} */
  #watches = new Map();
  /** What each sender was told last. @type {WeakMap<RTCRtpSender, string>} */
  #told = new WeakMap();
  /** @type {any} */
  #timer = null;

  /** @param {AudioFirstOptions} options */
  constructor({ peers, media, screen, clock = systemClock }) {
    super();
    this.#peers = peers;
    this.#media = media;
    this.#screen = screen;
    this.#clock = clock;
  }

  start() {
    this.#timer = this.#clock.setTimeout(async () => {
      await this.look();
      if (this.#timer !== null) this.start();
    }, LOOK_EVERY_MS);
  }

  stop() {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  /**
   * @param {string} legId
   * @returns {Sent} how much of one's own picture goes to that other
   */
  sentTo(legId) {
    const rung = this.#watches.get(legId)?.standing.rung ?? 0;
    if (rung === NO_PICTURE) return "paused";
    return rung >= SMALLER_FROM && rung > this.#top ? "smaller" : "whole";
  }

  /**
   * @param {string} legId
   * @param {string} trackId of a picture that comes from there
   * @returns {boolean} whether nothing of it has come for some seconds
   */
  isStalled(legId, trackId) {
    return (this.#watches.get(legId)?.pictures.get(trackId)?.still ?? 0) >= STALLED_LOOKS;
  }

  /** Looks at every path once. */
  async look() {
    for (const legId of this.#watches.keys()) if (!this.#peers.has(legId)) this.#watches.delete(legId);
    const before = this.#summary();
    await Promise.all([...this.#peers].map(([legId, { connection }]) => this.#lookAt(legId, connection)));
    if (this.#summary() !== before) this.emit("change", null);
  }

  #summary() {
    const parts = [...this.#watches].map(([legId, { pictures }]) => {
      const stalled = [...pictures.keys()].filter((trackId) => this.isStalled(legId, trackId));
      return [legId, this.sentTo(legId), ...stalled];
    });
    return JSON.stringify(parts.filter(([, sent, ...stalled]) => sent !== "whole" || stalled.length > 0));
  }

  get #top() {
    const forOthers = TOP_FOR_OTHERS[this.#peers.size] ?? TOP_FOR_MANY;
    return this.#media.saving ? Math.max(TOP_SAVING, forOthers) : forOthers;
  }

  /**
   * @param {string} legId
   * @param {RTCPeerConnection} connection
   */
  async #lookAt(legId, connection) {
    if (connection.connectionState !== "connected") return;
    const report = await connection.getStats();
    const nowMs = this.#clock.now();
    const watch = this.#watches.get(legId) ?? { gauge: new Gauge(), standing: begin(this.#top, nowMs), pictures: new Map() };
    this.#watches.set(legId, watch);
    watch.standing = step(watch.standing, watch.gauge.look(report), this.#top, nowMs);
    countPackets(watch.pictures, report);
    await this.#tell(connection, watch.standing.rung);
  }

  /**
   * @param {RTCPeerConnection} connection
   * @param {number} rung
   */
  async #tell(connection, rung) {
    const { microphone, camera, saving } = this.#media;
    for (const sender of connection.getSenders()) {
      if (!sender.track) continue;
      if (sender.track === microphone) await this.#set(sender, soundEncoding(saving));
      else if (sender.track === camera) await this.#set(sender, pictureEncoding(RUNGS, rung));
      else if (sender.track === this.#screen.track) await this.#set(sender, pictureEncoding(SCREEN_RUNGS, rung));
    }
  }

  /**
   * @param {RTCRtpSender} sender
   * @param {Partial<RTCRtpEncodingParameters>} encoding
   */
  async #set(sender, encoding) {
    const text = JSON.stringify(encoding);
    if (this.#told.get(sender) === text) return;
    const parameters = sender.getParameters();
    const [only] = parameters.encodings ?? [];
    if (!only) return; // not negotiated yet: the next look finds it
    Object.assign(only, encoding);
    try {
      await sender.setParameters(parameters);
      this.#told.set(sender, text);
    } catch (error) {
      console.debug("the browser did not take how much to send", error); // it was negotiated anew meanwhile
    }
  }
}

/**
 * @param {boolean} saving
 * @returns {Partial<RTCRtpEncodingParameters>}
 */
function soundEncoding(saving) {
  return { priority: "high", networkPriority: "high", maxBitrate: saving ? SAVING_SOUND_BITS_PER_S : undefined };
}

/**
 * @param {readonly import("./ladder.js").Rung[]} rungs
 * @param {number} rung
 * @returns {Partial<RTCRtpEncodingParameters>}
 */
function pictureEncoding(rungs, rung) {
  if (rung === NO_PICTURE) return { active: false };
  const { bitsPerS, shrink, framesPerS } = rungs[rung];
  return { active: true, maxBitrate: bitsPerS, scaleResolutionDownBy: shrink, maxFramerate: framesPerS };
}

/**
 * @param {Watch["pictures"]} pictures
 * @param {RTCStatsReport} report
 */
function countPackets(pictures, report) {
  for (const entry of /** @type {any[]} */ ([...report.values()])) {
    if (entry.type !== "inbound-rtp" || entry.kind !== "video") continue;
    const { trackIdentifier, packetsReceived: packets } = entry;
    const before = pictures.get(trackIdentifier);
    pictures.set(trackIdentifier, { packets, still: before && before.packets === packets ? before.still + 1 : 0 });
  }
}
