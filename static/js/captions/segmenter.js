/**
 * Cuts a voice into what is said in one breath: from a little before it begins until it pauses. Pure: it is given
 * samples and tells pieces; time is counted in samples.
 *
 * It goes by loudness above the quietest that was heard lately. Browsers have taken the noise of the room out before.
 *
 * @typedef {{segment: number, samples: Float32Array, final: boolean}} Piece the same `segment` grows until it is final
 */

export const SAMPLE_RATE = 16_000;
/** 32 ms. */
export const FRAME_SAMPLES = 512;

const framesOf = (/** @type {number} */ ms) => Math.round((ms * SAMPLE_RATE) / 1_000 / FRAME_SAMPLES);

/** Louder than the quietest by so much is speech: power, so 10 is 10 dB. */
const ABOVE_QUIET = 10;
/** Softer than this is nobody speaking, however quiet the room: -50 dB of the loudest there is. */
const LEAST_POWER = 1e-5;
/** The quietest is forgotten slowly, so that a fan that is switched on becomes the new quiet: doubled in 2 s. */
const FORGET = 2 ** (1 / framesOf(2_000));
/** So long it has to be loud: a click is shorter. */
const BEGINS_AFTER = framesOf(96);
/** The soft beginning of a word is behind us when it is noticed. */
const KEPT_BEFORE = framesOf(320);
/** A pause for breath. */
const PAUSE = framesOf(640);
/** What has become long ends at a shorter pause, so that captions do not lag. */
const LONG = framesOf(7_000);
const SHORT_PAUSE = framesOf(224);
/** The model was made for pieces of up to 30 s; nobody waits that long for a caption. */
const LONGEST = framesOf(14_000);
/** How often what has been said so far is told. */
const TOLD_EVERY = framesOf(1_024);

export class Segmenter {
  #segment = 0;
  #quiet = LEAST_POWER;
  /** Of what is being said, or the last moments before. @type {Float32Array[]} */
  #frames = [];
  #speaking = false;
  #loud = 0;
  #silent = 0;

  /**
   * @param {Float32Array} frame FRAME_SAMPLES of them
   * @returns {Piece | null}
   */
  push(frame) {
    const isLoud = this.#judge(frame);
    this.#frames.push(frame);
    if (!this.#speaking) return this.#wait(isLoud);
    this.#silent = isLoud ? 0 : this.#silent + 1;
    const { length } = this.#frames;
    if (this.#silent >= (length > LONG ? SHORT_PAUSE : PAUSE) || length >= LONGEST) return this.#end();
    return length % TOLD_EVERY === 0 && this.#silent < SHORT_PAUSE ? this.#piece(false) : null;
  }

  /** @returns {Piece | null} what was being said, when nobody listens any more */
  flush() {
    return this.#speaking ? this.#end() : null;
  }

  /** @param {boolean} isLoud */
  #wait(isLoud) {
    this.#loud = isLoud ? this.#loud + 1 : 0;
    if (this.#loud >= BEGINS_AFTER) {
      this.#speaking = true;
      this.#silent = 0;
    } else if (this.#frames.length > KEPT_BEFORE) {
      this.#frames.shift();
    }
    return null;
  }

  #end() {
    const piece = this.#piece(true);
    this.#segment += 1;
    this.#frames = [];
    this.#speaking = false;
    this.#loud = 0;
    return piece;
  }

  /** @param {boolean} final @returns {Piece} */
  #piece(final) {
    const samples = new Float32Array(this.#frames.length * FRAME_SAMPLES);
    this.#frames.forEach((frame, index) => samples.set(frame, index * FRAME_SAMPLES));
    return { segment: this.#segment, samples, final };
  }

  /** @param {Float32Array} frame @returns {boolean} whether somebody speaks in it */
  #judge(frame) {
    let sum = 0;
    for (const sample of frame) sum += sample * sample;
    const power = sum / frame.length;
    // Digital silence, of a muted microphone, says nothing of the room.
    if (power > 0) this.#quiet = Math.max(LEAST_POWER / ABOVE_QUIET, Math.min(power, this.#quiet * FORGET));
    return power > Math.max(LEAST_POWER, this.#quiet * ABOVE_QUIET);
  }
}
