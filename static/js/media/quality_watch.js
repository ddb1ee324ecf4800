/**
 * How good the paths of a call are: sampled every few seconds, told to the others every ten, and heard from them. No DOM.
 *
 * @typedef {import("../realtime/clock.js").Clock} Clock
 * @typedef {import("../types.js").Frame} Frame
 * @typedef {import("./path_stats.js").Sample} Sample
 * @typedef {import("./path_stats.js").Summary} Summary
 * @typedef {import("./peer.js").Peer} Peer
 *
 * @typedef {{score: number | null, loss: number | null, rtt_ms: number | null}} Told as the frame `quality` has it
 *
 * @typedef {object} PathView
 * @property {Summary | null} heard how we hear them; null before the first summary
 * @property {Told | null} told how they hear us, as they say; null before they have said it
 *
 * @typedef {object} QualityEvents
 * @property {null} change
 *
 * @typedef {object} QualityRoom what it needs of a call's session
 * @property {ReadonlyMap<string, Pick<Peer, "connection" | "stats">>} peers by leg
 * @property {(type: string, fields: object) => Promise<any>} request
 * @property {(name: any, listener: (detail: any) => void) => () => void} on
 */
import { systemClock } from "../realtime/clock.js";
import { Emitter } from "../realtime/emitter.js";
import { reportOf, sampleOf, summaryOf } from "./path_stats.js";

/** The first bars do not keep anybody waiting … */
const FIRST_SAMPLE_MS = 1_000;
/** … and then they follow what one hears, without jumping at each lost packet. */
const SAMPLE_EVERY_MS = 5_000;
/** A summary is over this much time: two samples back. */
const SAMPLES_KEPT = 3;
/** As often as the others, and the server, are told. */
const REPORT_EVERY_MS = 10_000;

/** @extends {Emitter<QualityEvents>} */
export class QualityWatch extends Emitter {
  #room;
  #ownLegId;
  #clock;
  /** The newest samples of each connection, oldest first. @type {WeakMap<RTCPeerConnection, Sample[]>} */
  #samples = new WeakMap();
  /** @type {Map<string, Summary>} */
  #heard = new Map();
  /** @type {Map<string, Told>} */
  #told = new Map();
  #reportedAtMs = -Infinity;
  /** @type {any} */
  #timer = null;

  /**
   * @param {QualityRoom} room
   * @param {string} ownLegId
   * @param {Clock} [clock]
   */
  constructor(room, ownLegId, clock = systemClock) {
    super();
    this.#room = room;
    this.#ownLegId = ownLegId;
    this.#clock = clock;
    room.on("frame", (frame) => this.#hear(frame));
    room.on("peer", ({ legId, peer }) => {
      if (!peer) this.#forget(legId);
    });
  }

  /** Begins to look, if it has not yet. */
  start() {
    this.#timer ??= this.#clock.setTimeout(() => this.#round(), FIRST_SAMPLE_MS);
  }

  /** Looks no more; what was seen last stays. */
  stop() {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }

  /**
   * @param {string} legId of one of the others
   * @returns {PathView}
   */
  of(legId) {
    return { heard: this.#heard.get(legId) ?? null, told: this.#told.get(legId) ?? null };
  }

  async #round() {
    const found = await Promise.all([...this.#room.peers].map(([legId, peer]) => this.#look(legId, peer)));
    if (this.#timer === null) return; // it was stopped meanwhile
    if (found.includes(true)) this.#report();
    this.emit("change", null);
    this.#timer = this.#clock.setTimeout(() => this.#round(), found.includes(true) ? SAMPLE_EVERY_MS : FIRST_SAMPLE_MS);
  }

  /**
   * @param {string} legId
   * @param {Pick<Peer, "connection" | "stats">} peer
   * @returns {Promise<boolean>} whether there is a summary
   */
  async #look(legId, { connection, stats }) {
    if (connection.connectionState !== "connected") {
      this.#samples.delete(connection);
      return false;
    }
    const sample = sampleOf(await stats(), this.#clock.now());
    const samples = [...(this.#samples.get(connection) ?? []), sample].slice(-SAMPLES_KEPT);
    this.#samples.set(connection, samples);
    if (samples.length < 2 || this.#room.peers.get(legId)?.connection !== connection) return false;
    this.#heard.set(legId, summaryOf(samples[0], sample));
    return true;
  }

  #report() {
    const now = this.#clock.now();
    if (now - this.#reportedAtMs < REPORT_EVERY_MS) return;
    this.#reportedAtMs = now;
    const here = [...this.#heard].filter(([legId]) => this.#room.peers.has(legId));
    const legs = Object.fromEntries(here.map(([legId, summary]) => [legId, reportOf(summary)]));
    // A socket that is away at the moment costs one report; the next one has newer numbers.
    this.#room.request("quality", { legs }).catch((error) => console.debug("quality was not taken", error));
  }

  /** @param {Frame} frame */
  #hear({ type, leg_id: legId, legs }) {
    if (type !== "quality" || !legs?.[this.#ownLegId]) return;
    this.#told.set(legId, legs[this.#ownLegId]);
    this.emit("change", null);
  }

  /** @param {string} legId */
  #forget(legId) {
    this.#heard.delete(legId);
    this.#told.delete(legId);
    this.emit("change", null);
  }
}
