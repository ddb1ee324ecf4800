/** A page may sound only after a gesture: waits for one that counts. */

/** Browsers differ in which they take; of a finger, none but its end is one. */
const GESTURES = ["pointerup", "touchend", "click", "keydown"];

/**
 * Tries with each gesture until it has worked.
 *
 * @param {{unlock: () => Promise<boolean>}} tones
 * @returns {Promise<void>} kept when it has
 */
export function unlockByGesture(tones) {
  const done = new AbortController();
  return new Promise((resolve) => {
    const attempt = async () => {
      if (!(await tones.unlock())) return;
      done.abort();
      resolve();
    };
    for (const gesture of GESTURES) window.addEventListener(gesture, attempt, { capture: true, signal: done.signal });
  });
}
