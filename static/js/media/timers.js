/**
 * Waiting that ends with what one waits for.
 *
 * @typedef {import("../realtime/clock.js").Clock} Clock
 */

export class Timers {
  #clock;
  /** @type {Set<any>} */
  #timers = new Set();

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /**
   * @param {number} delayMs
   * @returns {Promise<void>} never settled once `clear` was called
   */
  after(delayMs) {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, delayMs);
      this.#timers.add(timer);
    });
  }

  /** Nothing that is waited for comes any more. */
  clear() {
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.#timers.clear();
  }
}
