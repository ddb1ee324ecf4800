/** A question that is asked on one page and answered on the next: it waits in this window, and is asked once. */

const KEY = "ringback-question";

/**
 * @param {string} sessionId of the dialogue in which it is asked
 * @param {string} text
 */
export function leaveQuestion(sessionId, text) {
  sessionStorage.setItem(KEY, JSON.stringify({ sessionId, text }));
}

/** @param {string} sessionId @returns {string | null} */
export function takeQuestion(sessionId) {
  const left = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  if (left?.sessionId !== sessionId) return null;
  sessionStorage.removeItem(KEY);
  return left.text;
}
