/**
 * Records a message: microphone, level, longest time. No DOM.
 *
 * @typedef {import("./devices.js").ProblemKind | "unsupported"} RecorderProblem
 * @typedef {"idle" | "asking" | "recording" | "recorded"} RecorderState
 * @typedef {{blob: Blob, durationMs: number, levels: number[]}} Recording `levels`: see loudness(), over the whole length
 *
 * @typedef {object} RecorderEvents
 * @property {null} change `state`, `problem` or `recording` is another one
 * @property {number} level how loud it is right now, several times a second while recording
 */
import { Emitter } from "../realtime/emitter.js";
import { microphoneConstraints, openDevices } from "./constraints.js";
import { classify } from "./devices.js";
import { inSteps, loudness } from "./levels.js";
import { MediaPreferences } from "./preferences.js";

/** What browsers can record, the best one first: Opus everywhere but in Safari. */
const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg"];
/** Speech in Opus is clear at this rate; three minutes are 700 KiB. */
const BITS_PER_S = 32_000;
/** Often enough that a meter follows a voice. */
const LEVEL_EVERY_MS = 50;
/** What the server takes for one message. */
const MAX_LEVELS = 128;
/** 43 ms at 48 kHz: nothing between two looks is missed. */
const SAMPLES = 2_048;

/** @returns {string | undefined} the type to record in; undefined where the browser cannot record */
export function recordingType() {
  return globalThis.MediaRecorder && TYPES.find((type) => MediaRecorder.isTypeSupported(type));
}

/** @extends {Emitter<RecorderEvents>} */
export class VoiceRecorder extends Emitter {
  #maxMs;
  #devices;
  #preferences;
  /** @type {RecorderState} */
  #state = "idle";
  /** @type {RecorderProblem | null} */
  #problem = null;
  /** @type {Recording | null} */
  #recording = null;
  /** What runs while it records; null before and after. @type {Take | null} */
  #take = null;
  /** Counts the attempts: one that was given up says nothing any more. */
  #attempt = 0;

  /**
   * @param {number} maxMs it stops by itself then
   * @param {MediaDevices | undefined} [devices] undefined where the page is not served securely
   * @param {MediaPreferences} [preferences] which microphone
   */
  constructor(maxMs, devices = navigator.mediaDevices, preferences = new MediaPreferences()) {
    super();
    this.#maxMs = maxMs;
    this.#devices = devices;
    this.#preferences = preferences;
  }

  /** @returns {RecorderState} */
  get state() {
    return this.#state;
  }

  /** @returns {RecorderProblem | null} why the last `start` did not come to a recording */
  get problem() {
    return this.#problem;
  }

  /** @returns {Recording | null} what was recorded last */
  get recording() {
    return this.#recording;
  }

  /** @returns {number} how long it has recorded */
  get elapsedMs() {
    return this.#take?.elapsedMs ?? this.#recording?.durationMs ?? 0;
  }

  /** Asks for the microphone and records; what stands in the way is in `problem`. It never rejects. */
  async start() {
    this.discard();
    const attempt = this.#attempt;
    const type = recordingType();
    if (!this.#devices || !type) return this.#fail(this.#devices ? "unsupported" : "insecure");
    this.#become("asking");
    const { choices } = this.#preferences;
    try {
      const stream = await openDevices(this.#devices, { audio: microphoneConstraints(choices, choices.microphone) });
      if (attempt !== this.#attempt) return release(stream); // given up while the browser was asking
      this.#begin(new Take(stream, type, this.#maxMs));
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(classify(error));
    }
  }

  /** Ends the recording; `recording` is there with the next change. */
  stop() {
    this.#take?.stop();
  }

  /** Forgets everything, also a recording that goes on. */
  discard() {
    this.#attempt += 1;
    this.#take?.abandon();
    this.#take = null;
    this.#recording = null;
    this.#problem = null;
    this.#become("idle");
  }

  /** @param {Take} take */
  #begin(take) {
    this.#take = take;
    take.onLevel = (level) => this.emit("level", level);
    take.onDone = (recording) => {
      this.#take = null;
      if (recording.blob.size === 0) return this.#fail("in_use");
      this.#recording = recording;
      this.#become("recorded");
    };
    this.#become("recording");
  }

  /** @param {RecorderProblem} problem */
  #fail(problem) {
    this.#problem = problem;
    this.#become("idle");
  }

  /** @param {RecorderState} state */
  #become(state) {
    this.#state = state;
    this.emit("change", null);
  }
}

/** One recording while it goes on. */
class Take {
  #stream;
  #maxMs;
  #recorder;
  #context = new AudioContext();
  #analyser;
  #samples = new Float32Array(SAMPLES);
  #startedAtMs = performance.now();
  /** @type {number[]} */
  #levels = [];
  /** @type {Blob[]} */
  #pieces = [];
  /** @type {any[]} */
  #timers = [];
  /** @type {(level: number) => void} */
  onLevel = () => {};
  /** @type {(recording: Recording) => void} */
  onDone = () => {};

  /**
   * @param {MediaStream} stream released in the end
   * @param {string} type
   * @param {number} maxMs
   */
  constructor(stream, type, maxMs) {
    this.#stream = stream;
    this.#maxMs = maxMs;
    this.#analyser = new AnalyserNode(this.#context, { fftSize: SAMPLES });
    this.#context.createMediaStreamSource(stream).connect(this.#analyser);
    this.#recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: BITS_PER_S });
    this.#recorder.onstart = () => {
      this.#startedAtMs = performance.now();
      this.#timers.push(setTimeout(() => this.stop(), maxMs));
    };
    this.#recorder.ondataavailable = ({ data }) => this.#pieces.push(data);
    this.#recorder.onstop = () => this.#finish();
    // A microphone that is pulled out ends the recording; what was said until then is kept.
    for (const track of stream.getTracks()) track.onended = () => this.stop();
    this.#recorder.start();
    this.#timers.push(setInterval(() => this.#measure(), LEVEL_EVERY_MS));
  }

  /** @returns {number} */
  get elapsedMs() {
    return Math.min(this.#maxMs, performance.now() - this.#startedAtMs);
  }

  stop() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
  }

  /** Stops without a result. */
  abandon() {
    this.onLevel = () => {};
    this.onDone = () => {};
    this.stop();
  }

  #measure() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const level = loudness(this.#samples);
    // By the clock and not by the number of looks: a page in the background looks more rarely.
    const upTo = Math.floor(this.elapsedMs / LEVEL_EVERY_MS);
    while (this.#levels.length <= upTo) this.#levels.push(level);
    this.onLevel(level);
  }

  #finish() {
    const durationMs = Math.max(1, Math.round(this.elapsedMs));
    for (const timer of this.#timers) clearTimeout(timer);
    release(this.#stream);
    this.#context.close();
    const [type] = this.#recorder.mimeType.split(";");
    this.onDone({
      blob: new Blob(this.#pieces, { type }),
      durationMs,
      levels: inSteps(this.#levels, MAX_LEVELS),
    });
  }
}

/** @param {MediaStream} stream */
function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}
