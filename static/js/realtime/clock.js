/**
 * The time, as something that a test can move.
 *
 * @typedef {object} Clock
 * @property {() => number} now milliseconds since the epoch
 * @property {(action: () => void, delayMs: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/** @type {Clock} */
export const systemClock = {
  now: () => Date.now(),
  setTimeout: (action, delayMs) => globalThis.setTimeout(action, delayMs),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
};
