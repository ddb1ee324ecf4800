/**
 * How much picture a path can carry beside the sound, decided anew with every look at it. Pure: a function of where one
 * stood and of what was seen. The sound itself is never lowered; the picture makes room for it, and at last stops.
 *
 * @typedef {object} Rung
 * @property {number} bitsPerS what the picture may take at most
 * @property {number} shrink width and height are divided by this
 * @property {number} framesPerS
 *
 * @typedef {object} Look what one path showed within some seconds
 * @property {number | null} loss of what we sent, 0 to 1; null: the other end has said nothing new
 * @property {number | null} roundTripMs
 * @property {number | null} bitsPerS what the browser's own estimate gives us for everything; null: it has none
 *
 * @typedef {object} Standing
 * @property {number} rung the place in `RUNGS`; one behind the last: no picture
 * @property {number} sinceMs when it came there
 * @property {number} goodSinceMs since when nothing was wrong
 * @property {boolean} climbed whether it came from below
 * @property {number} patienceMs how long a path has to be good before it may carry more
 */

/** @type {readonly Rung[]} of a camera: 720p, then 480p, 360p and 180p of a picture with 720 lines */
export const RUNGS = [
  { bitsPerS: 1_700_000, shrink: 1, framesPerS: 30 },
  { bitsPerS: 850_000, shrink: 1.5, framesPerS: 30 },
  { bitsPerS: 400_000, shrink: 2, framesPerS: 24 },
  { bitsPerS: 150_000, shrink: 4, framesPerS: 15 },
];
/** A screen keeps its lines, for text has to be read: it moves less, and then takes its time to become sharp. */
export const SCREEN_RUNGS = [
  { bitsPerS: 2_500_000, shrink: 1, framesPerS: 30 },
  { bitsPerS: 2_500_000, shrink: 1, framesPerS: 10 },
  { bitsPerS: 1_200_000, shrink: 1, framesPerS: 5 },
  { bitsPerS: 300_000, shrink: 1, framesPerS: 3 },
];
/** Below every rung. */
export const NO_PICTURE = RUNGS.length;

/** Opus hides the loss of single packets; from here on words begin to break. */
const BAD_LOSS = 0.06;
/** Words are missing: there is no time to go down rung by rung. */
const GRAVE_LOSS = 0.2;
/** A queue in somebody's router: people begin to talk over each other (ITU-T G.114 names 400 ms one way as the limit). */
const BAD_ROUND_TRIP_MS = 700;
/** Opus with its packets' headers, and room for bursts: what is the sound's before the picture gets any. */
const SOUND_BITS_PER_S = 60_000;
/** A picture adapts itself to less than it may take, down to about a quarter; then a smaller one looks better. */
const NEEDED_SHARE = 0.25;

/** A bad moment passes; and what was changed must have had time to show. */
const SETTLE_MS = 3_000;
const FIRST_PATIENCE_MS = 10_000;
/** Who falls again this soon after climbing waits twice as long the next time, … */
const RELAPSE_MS = 15_000;
/** … up to here. */
const MOST_PATIENCE_MS = 120_000;

/**
 * @param {number} top the first rung that is allowed
 * @param {number} nowMs
 * @returns {Standing}
 */
export function begin(top, nowMs) {
  return { rung: top, sinceMs: nowMs, goodSinceMs: nowMs, climbed: false, patienceMs: FIRST_PATIENCE_MS };
}

/**
 * @param {Standing} standing
 * @param {Look} look
 * @param {number} top the first rung that is allowed: a metered network, or many others, allow less
 * @param {number} nowMs
 * @returns {Standing}
 */
export function step(standing, look, top, nowMs) {
  const { rung, sinceMs, goodSinceMs, climbed, patienceMs } = standing;
  if (rung < top) return { ...standing, rung: top, sinceMs: nowMs, climbed: false };
  const heldMs = nowMs - sinceMs;
  const lower = rungFor(look, rung);
  if (lower > rung && (heldMs >= SETTLE_MS || isGrave(look))) {
    const relapsed = climbed && heldMs < RELAPSE_MS;
    const patience = relapsed ? Math.min(2 * patienceMs, MOST_PATIENCE_MS) : patienceMs;
    return { rung: lower, sinceMs: nowMs, goodSinceMs: nowMs, climbed: false, patienceMs: patience };
  }
  if (lower > rung || isBad(look)) return { ...standing, goodSinceMs: nowMs };
  if (rung === top || nowMs - goodSinceMs < patienceMs) return standing;
  const next = climbed ? FIRST_PATIENCE_MS : patienceMs; // what was climbed last has held
  return { rung: rung - 1, sinceMs: nowMs, goodSinceMs: nowMs, climbed: true, patienceMs: next };
}

/**
 * @param {Look} look
 * @param {number} rung
 * @returns {number} that one, or a lower one
 */
function rungFor(look, rung) {
  if (rung === NO_PICTURE || isGrave(look)) return NO_PICTURE;
  if (isBad(look)) return rung + 1;
  const { bitsPerS } = look;
  if (bitsPerS === null) return rung;
  const fits = RUNGS.findIndex((each) => bitsPerS - SOUND_BITS_PER_S >= NEEDED_SHARE * each.bitsPerS);
  return fits === -1 ? NO_PICTURE : Math.max(fits, rung);
}

/** @param {Look} look */
function isBad({ loss, roundTripMs }) {
  return (loss ?? 0) >= BAD_LOSS || (roundTripMs ?? 0) >= BAD_ROUND_TRIP_MS;
}

/** @param {Look} look */
function isGrave({ loss }) {
  return (loss ?? 0) >= GRAVE_LOSS;
}
