/**
 * How good speech sounds over a path, as people would judge it: the E-model of ITU-T G.107 (06/2015), with everything
 * that a browser cannot measure at its default. docs/quality.md says where each number is from. Pure.
 *
 * @typedef {{loss: number, oneWayMs: number}} Path `loss` from 0 to 1; `oneWayMs` from mouth to ear
 * @typedef {0 | 1 | 2 | 3 | 4} Bars
 */

/** R of a path without loss and delay, all else at its default (G.107, table 3). */
const BEST_R = 93.2;
/** A delay up to this costs nothing (G.107, 7.4). */
const UNNOTICED_DELAY_MS = 100;
/** Robustness against single losses: that of a decoder which conceals them, G.711 with PLC (G.113, appendix I). */
const LOSS_ROBUSTNESS = 25.1;
/** What a loss of everything takes from R (G.107, equation 7-29). */
const WORST_LOSS = 95;

/** The lowest score of each number of bars, from four down; R of 80, 70 and 60 in G.109, as MOS. */
const BARS_FROM = /** @type {const} */ ([[4, 4.02], [3, 3.6], [2, 3.1]]);

/**
 * @param {Path} path
 * @returns {number} R, from 0 (nobody would want it) to 93.2
 */
export function ratingOf({ loss, oneWayMs }) {
  const percent = loss * 100;
  const lossImpairment = (WORST_LOSS * percent) / (percent + LOSS_ROBUSTNESS);
  return Math.max(0, BEST_R - delayImpairment(oneWayMs) - lossImpairment);
}

/**
 * Idd of G.107 (equations 7-27 and 7-28): from some 150 ms on people begin to talk over each other.
 *
 * @param {number} oneWayMs
 */
function delayImpairment(oneWayMs) {
  if (oneWayMs <= UNNOTICED_DELAY_MS) return 0;
  const x = Math.log2(oneWayMs / UNNOTICED_DELAY_MS);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/**
 * @param {Path} path
 * @returns {number} the mean opinion score, from 1 to 4.41 (G.107, annex B)
 */
export function scoreOf(path) {
  const r = ratingOf(path);
  // The curve of the standard dips just below 1 before it rises.
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

/**
 * @param {number | null} score null: nothing is known
 * @returns {Bars}
 */
export function barsOf(score) {
  if (score === null) return 0;
  return BARS_FROM.find(([, from]) => score >= from)?.[0] ?? 1;
}
