/**
 * The diary of the last call in this tab, so that it outlives a reload of the page.
 *
 * @typedef {import("../../media/diary.js").DiaryFacts} DiaryFacts
 */

/** Only the last one: it is for whoever asks right afterwards. */
const KEY = "ringback.diary";

/**
 * @param {string} callId
 * @returns {DiaryFacts | null} null: there is none of that call
 */
export function keptDiary(callId) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    return kept?.callId === callId ? kept.facts : null;
  } catch {
    return null; // storage is switched off, or somebody else wrote there
  }
}

/**
 * @param {string} callId
 * @param {DiaryFacts} facts
 */
export function keepDiary(callId, facts) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ callId, facts }));
  } catch {
    // storage is switched off or full: the diary lives as long as the page
  }
}
