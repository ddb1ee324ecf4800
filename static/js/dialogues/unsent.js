/**
 * What was written in a dialogue and has not reached the server: it waits in this window, also when its page is left.
 *
 * @typedef {{clientId: string, text: string}} Unsent
 * @typedef {{read: () => Unsent[], write: (unsent: Unsent[]) => void}} Keeping
 */

/** @param {string} sessionId of the dialogue @returns {Keeping} */
export function unsentOf(sessionId) {
  const key = `ringback-unsent-${sessionId}`;
  return {
    read: () => JSON.parse(sessionStorage.getItem(key) ?? "[]"),
    write: (unsent) => {
      if (unsent.length > 0) sessionStorage.setItem(key, JSON.stringify(unsent));
      else sessionStorage.removeItem(key);
    },
  };
}
