/** How often one looks whether time has passed without us. */
const LOOK_EVERY_MS = 2_000;
/** A look that comes this late: the machine slept, and the network of then may be none any more. */
const SLEPT_MS = 10_000;

/**
 * The moments in which a lost connection is worth another try, out of what the browser tells: the network is back or
 * another one, the machine has slept, or somebody looks at the page again.
 *
 * @returns {EventTarget} dispatches `wake` in each of them, and `online` when the way to others may be another one
 */
export function browserWake() {
  const wake = new EventTarget();
  const rouse = () => wake.dispatchEvent(new Event("wake"));
  const anotherNetwork = () => {
    wake.dispatchEvent(new Event("online"));
    rouse();
  };
  window.addEventListener("online", anotherNetwork);
  followKind(anotherNetwork);
  followSleep(anotherNetwork);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) rouse();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") rouse();
  });
  return wake;
}

/**
 * From Wi-Fi to mobile, where the browser tells: between the two it may never have been offline.
 *
 * @param {() => void} changed
 */
function followKind(changed) {
  const { connection } = /** @type {{connection?: EventTarget & {type?: string}}} */ (navigator); // not in every browser
  let kind = connection?.type;
  connection?.addEventListener("change", () => {
    if (connection.type === kind) return;
    kind = connection.type;
    changed();
  });
}

/**
 * Of a page in the background the browser lets timers run late by itself, so it does not count.
 *
 * @param {() => void} awake
 */
function followSleep(awake) {
  let lookedAtMs = Date.now();
  setInterval(() => {
    const nowMs = Date.now();
    const lateMs = nowMs - lookedAtMs - LOOK_EVERY_MS;
    lookedAtMs = nowMs;
    if (lateMs > SLEPT_MS && document.visibilityState === "visible") awake();
  }, LOOK_EVERY_MS);
}
