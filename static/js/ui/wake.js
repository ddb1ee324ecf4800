/**
 * The moments in which a lost connection is worth another try, out of what the browser tells: the network is back, or
 * somebody looks at the page again.
 *
 * @returns {EventTarget} dispatches `wake` in each of them, and `online` when it was the network
 */
export function browserWake() {
  const wake = new EventTarget();
  const rouse = () => wake.dispatchEvent(new Event("wake"));
  window.addEventListener("online", () => {
    wake.dispatchEvent(new Event("online"));
    rouse();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) rouse();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") rouse();
  });
  return wake;
}
