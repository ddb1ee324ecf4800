/** Whether Answer was pressed in a notification: the service worker leaves a mark, which nobody else can. */

/** As in static/service-worker.js. */
const ANSWERED_CACHE = "ringback-answer";

/**
 * Takes the mark away: it counts once.
 *
 * @param {string} callId
 * @returns {Promise<boolean>} whether there was one for this call
 */
export async function takeAnswer(callId) {
  try {
    return await (await caches.open(ANSWERED_CACHE)).delete(`/answered/${callId}`);
  } catch {
    return false; // a page that is not served securely has no caches, and no notifications either
  }
}
