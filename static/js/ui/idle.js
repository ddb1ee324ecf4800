/** Tells the server when nobody has touched this device for a while, and when somebody does again. */

/** As long as people let a screen rest before it goes dark. */
const IDLE_AFTER_MS = 5 * 60_000;
/** How often one movement of the pointer is worth a look at the clock. */
const NOTICE_EVERY_MS = 10_000;

/**
 * @param {import("../realtime/socket.js").RingbackSocket} socket of the person
 * @param {() => boolean} inUse whether the device is in use though nobody touches it: a call goes on
 */
export function followIdleness(socket, inUse) {
  let touchedAtMs = Date.now();
  let away = false;

  const tell = () => socket.request("presence", { state: away ? "away" : "active" }).catch(() => {}); // a new session is told anew

  const look = () => {
    const idle = !inUse() && Date.now() - touchedAtMs >= IDLE_AFTER_MS;
    if (idle === away) return;
    away = idle;
    tell();
  };

  const touched = () => {
    if (!away && Date.now() - touchedAtMs < NOTICE_EVERY_MS) return;
    touchedAtMs = Date.now();
    look();
  };

  for (const gesture of ["pointermove", "pointerdown", "keydown", "wheel", "focus"]) {
    window.addEventListener(gesture, touched, { passive: true });
  }
  setInterval(look, NOTICE_EVERY_MS);
  // Whoever is away stays so for the others when the line to the server was away, too.
  socket.on("snapshot", () => away && tell());
}
