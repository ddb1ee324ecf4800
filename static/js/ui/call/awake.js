/**
 * A phone's screen must not go dark over a call; a browser that cannot do that just does not. Of a page that is hidden the
 * browser takes the lock away, so it is asked for anew when it shows again.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 */
import { isTalking, onPhase } from "./context.js";

/** @param {CallContext} context */
export function startAwake({ boot, session }) {
  /** @type {WakeLockSentinel | null} */
  let lock = null;

  async function keep() {
    if (boot.call.media !== "video" || !isTalking(session) || document.visibilityState === "hidden") return;
    if (lock && !lock.released) return;
    try {
      lock = await navigator.wakeLock.request("screen");
      if (!isTalking(session)) release(); // it ended meanwhile
    } catch {
      lock = null;
    }
  }

  function release() {
    lock?.release().catch(() => {});
    lock = null;
  }

  document.addEventListener("visibilitychange", keep);
  onPhase(session, (phase) => {
    if (phase === "in_call") keep();
    if (phase === "ended") release();
  });
}
