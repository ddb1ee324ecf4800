/**
 * The numbers in the navigation: missed calls that were not seen, messages that were not heard.
 *
 * @typedef {"missed" | "voicemail"} Unread
 */
import { setText } from "./dom.js";

/** More than fits into a badge, and more than anybody counts. */
const MOST_SHOWN = 99;

/** @param {import("../realtime/socket.js").RingbackSocket} socket that brings frames `unread` */
export function followUnread(socket) {
  socket.on("frame", (frame) => {
    if (frame.type !== "unread") return;
    for (const name of /** @type {Unread[]} */ (["missed", "voicemail"])) {
      if (frame[name] !== undefined) showUnread(name, frame[name]);
    }
  });
}

/**
 * @param {Unread} name
 * @param {number} count
 */
export function showUnread(name, count) {
  for (const badge of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`[data-unread="${name}"]`))) {
    badge.hidden = count === 0;
    setText(/** @type {Element} */ (badge.querySelector("[data-count]")), count > MOST_SHOWN ? `${MOST_SHOWN}+` : String(count));
  }
}
