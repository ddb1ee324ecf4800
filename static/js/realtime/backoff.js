/**
 * When to try again after a lost connection: at once, then with full jitter under a ceiling that doubles from 0.3 s to
 * 30 s, and from the beginning again after a connection that was good for a minute. Pure: it neither waits nor looks
 * at a clock.
 */

/** The first ceiling: long enough for a restarted process to listen again. */
export const BASE_MS = 300;
/** The last ceiling: nobody waits longer than this for a server that is back. */
export const CAP_MS = 30_000;
/** A connection that lived this long was a good one; one that dies earlier belongs to the same trouble. */
export const GOOD_AFTER_MS = 60_000;

export class Backoff {
  #random;
  #attempts = 0;

  /** @param {() => number} [random] a number in [0, 1) */
  constructor(random = Math.random) {
    this.#random = random;
  }

  /** @returns {number} milliseconds to wait before the next attempt */
  next() {
    const attempt = this.#attempts++;
    return attempt === 0 ? 0 : this.#random() * Math.min(CAP_MS, BASE_MS * 2 ** (attempt - 1));
  }

  /**
   * Says how long a connection lived that has just been lost.
   *
   * @param {number} livedMs
   */
  lost(livedMs) {
    if (livedMs >= GOOD_AFTER_MS) this.#attempts = 0;
  }
}
