/**
 * The numbers in the navigation: missed calls that were not seen, messages that were not heard, tasks that wait for a review.
 *
 * @typedef {"missed" | "voicemail" | "tasks"} Unread
 * @typedef {import("../realtime/socket.js").RingbackSocket} RingbackSocket
 */
import { setText } from "./dom.js";

/** More than fits into a badge, and more than anybody counts. */
const MOST_SHOWN = 99;

/** A page that was rendered this short a time ago knows everything. */
const FRESH_MS = 5_000;

/**
 * @param {RingbackSocket} socket that brings frames `unread`
 * @param {Pick<import("../api.js").Api, "history">} api
 */
export function followUnread(socket, api) {
  onReturn(socket, async () => showUnread("missed", (await api.history({ limit: 1 })).unread));
  socket.on("frame", (frame) => {
    if (frame.type !== "unread") return;
    for (const name of /** @type {Unread[]} */ (["missed", "voicemail"])) {
      if (frame[name] !== undefined) showUnread(name, frame[name]);
    }
  });
}

/**
 * The line was away for so long that what happened meanwhile is not told any more: it has to be asked for.
 *
 * @param {RingbackSocket} socket
 * @param {() => Promise<unknown>} ask
 */
export function onReturn(socket, ask) {
  socket.on("snapshot", () => {
    if (performance.now() > FRESH_MS) ask().catch(() => {}); // the next change, or a reload, brings it
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
