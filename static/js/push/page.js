/**
 * The page's side of the service worker: tells it whether a call rings on this page, and takes the call's notification
 * back when it stops.
 *
 * @typedef {import("../realtime/inbox.js").Inbox} Inbox
 */

/** A push message may be faster than the frame on the socket. Shorter than the worker waits. */
const SOON_MS = 800;

/** @param {Inbox} inbox */
export function standInForWorker(inbox) {
  const worker = navigator.serviceWorker;
  if (!worker) return;
  worker.addEventListener("message", ({ data, ports }) => {
    if (data?.type === "rings?") ringsSoon(inbox, data.call_id).then((rings) => ports[0].postMessage(rings));
  });
  inbox.on("stopped", ({ call }) => closeNotification(call.call_id));
}

/**
 * @param {Inbox} inbox
 * @param {string} callId
 * @returns {Promise<boolean>}
 */
function ringsSoon(inbox, callId) {
  if (inbox.isRinging(callId)) return Promise.resolve(true);
  return new Promise((resolve) => {
    inbox.on("incoming", ({ call }) => {
      if (call.call_id === callId) resolve(true);
    });
    setTimeout(resolve, SOON_MS, false);
  });
}

/** @param {string} callId */
async function closeNotification(callId) {
  const registration = await navigator.serviceWorker.getRegistration();
  await navigator.locks.request("ringback-notifications", async () => {
    const shown = (await registration?.getNotifications({ tag: callId })) ?? [];
    for (const notification of shown) notification.close();
  });
}
