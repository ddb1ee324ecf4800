/**
 * What a check comes to: one finding for each thing that was tried, and a verdict over all of them. Pure.
 *
 * @typedef {"microphone" | "camera" | "speaker" | "server" | "stun" | "relay" | "bandwidth"} Step
 * @typedef {"ok" | "warning" | "failed" | "skipped"} Grade
 *   `warning`: calls work, but not as they should. `skipped`: there is nothing to try.
 * @typedef {Record<string, string | number>} Values
 * @typedef {{grade: Grade, code: string, values?: Values}} Finding `code` tells what happened; see strings/check.js
 *
 * @typedef {"ready" | "limited" | "broken" | "unfinished"} Verdict
 */

/** In the order in which they are shown. @type {Step[]} */
export const STEPS = ["microphone", "camera", "speaker", "server", "stun", "relay", "bandwidth"];

/**
 * @param {string} code
 * @param {Values} [values]
 * @returns {Finding}
 */
export const ok = (code, values) => ({ grade: "ok", code, values });
/** @type {typeof ok} */
export const warning = (code, values) => ({ grade: "warning", code, values });
/** @type {typeof ok} */
export const failed = (code, values) => ({ grade: "failed", code, values });
/** @type {typeof ok} */
export const skipped = (code, values) => ({ grade: "skipped", code, values });

/**
 * @param {ReadonlyMap<Step, Finding>} findings those that are there
 * @returns {{verdict: Verdict, troubles: Step[]}} `troubles`: what failed, then what is not as it should be
 */
export function verdictOf(findings) {
  const graded = (/** @type {Grade} */ grade) => STEPS.filter((step) => findings.get(step)?.grade === grade);
  const broken = graded("failed");
  const troubles = [...broken, ...graded("warning")];
  if (broken.length > 0) return { verdict: "broken", troubles };
  if (STEPS.some((step) => !findings.has(step))) return { verdict: "unfinished", troubles };
  return { verdict: troubles.length > 0 ? "limited" : "ready", troubles };
}
