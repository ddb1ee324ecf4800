/** How loud something is, as people see it: numbers from 0 to 100. Pure. */

/** Softer than this is silence: a quiet room, seen by a microphone that adjusts itself. */
const SOFTEST_DB = -56;
/** Louder than speech close to a microphone gets. */
const LOUDEST_DB = -8;
/** A message whose loudest moment is below this is drawn as softly as it is. */
const FULL_HEIGHT_FROM = 40;

/**
 * @param {Float32Array} samples from -1 to 1
 * @returns {number} 0 to 100, in even steps for the ear
 */
export function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const db = 10 * Math.log10(sum / samples.length || 1e-12);
  return Math.round(100 * Math.min(1, Math.max(0, (db - SOFTEST_DB) / (LOUDEST_DB - SOFTEST_DB))));
}

/**
 * The same levels in at most `count` steps: of those that fall together the loudest, so that no word disappears.
 *
 * @param {number[]} levels
 * @param {number} count at least 1
 * @returns {number[]}
 */
export function inSteps(levels, count) {
  if (levels.length <= count) return [...levels];
  return Array.from({ length: count }, (_unused, step) => {
    const begin = Math.floor((step * levels.length) / count);
    return Math.max(...levels.slice(begin, Math.floor(((step + 1) * levels.length) / count)));
  });
}

/**
 * Levels as they are drawn: the loudest moment of a message fills the height, unless all of it is close to silence.
 *
 * @param {number[]} levels
 * @returns {number[]} from 0 to 1
 */
export function heights(levels) {
  const highest = Math.max(FULL_HEIGHT_FROM, ...levels);
  return levels.map((level) => level / highest);
}
