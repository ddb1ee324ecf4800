/** Hands on what the microphone hears, in frames, to the port that it is given first; away from the page's own work. */
import { FRAME_SAMPLES } from "./segmenter.js";

/** The scope of worklets, for which the types of pages have no names. @type {any} */
const scope = globalThis;

class Frames extends scope.AudioWorkletProcessor {
  /** @type {MessagePort | null} */
  #out = null;
  #frame = new Float32Array(FRAME_SAMPLES);
  #filled = 0;

  constructor() {
    super();
    this.port.onmessage = (/** @type {MessageEvent} */ { data }) => (this.#out = data);
  }

  /** @param {Float32Array[][]} inputs */
  process([input]) {
    const samples = input?.[0];
    if (!samples || !this.#out) return true;
    this.#frame.set(samples, this.#filled); // 128 of them: a quarter of a frame
    this.#filled += samples.length;
    if (this.#filled < FRAME_SAMPLES) return true;
    this.#out.postMessage(this.#frame);
    this.#filled = 0;
    return true;
  }
}

scope.registerProcessor("frames", Frames);
