/**
 * Tells the server when nobody has touched this device for a while, and when somebody does again. A page that is hidden
 * is touched by nobody.
 *
 * @typedef {import("../realtime/clock.js").Clock} Clock
 */
import { systemClock } from "../realtime/clock.js";

/** As long as people let a screen rest before it goes dark. */
const IDLE_AFTER_MS = 5 * 60_000;
/** How often one movement of the pointer is worth a look at the clock. */
const NOTICE_EVERY_MS = 10_000;

const GESTURES = ["pointermove", "pointerdown", "keydown", "wheel", "focus"];

/**
 * @param {import("../realtime/socket.js").RingbackSocket} socket of the person
 * @param {() => boolean} inUse whether the device is in use though nobody touches it: a call goes on
 * @param {Clock} [clock]
 */
export function followIdleness(socket, inUse, clock = systemClock) {
  let touchedAtMs = clock.now();
  let away = false;

  const tell = () => socket.request("presence", { state: away ? "away" : "active" }).catch(() => {}); // a new session is told anew

  const look = () => {
    const idle = !inUse() && clock.now() - touchedAtMs >= IDLE_AFTER_MS;
    if (idle === away) return;
    away = idle;
    tell();
  };

  const touched = () => {
    if (!away && clock.now() - touchedAtMs < NOTICE_EVERY_MS) return;
    touchedAtMs = clock.now();
    look();
  };

  const lookAgain = () => {
    look();
    clock.setTimeout(lookAgain, NOTICE_EVERY_MS);
  };

  for (const gesture of GESTURES) window.addEventListener(gesture, touched, { passive: true });
  clock.setTimeout(lookAgain, NOTICE_EVERY_MS); // not now: the page that is asked whether it is in use is still being put together
  // A new session begins as used: whoever is away stays so for the others when the line to the server was lost.
  socket.on("snapshot", () => away && tell());
}
