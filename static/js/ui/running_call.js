/**
 * The call in which this person is on another device, or in another window: with one click it goes on here.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../client.js").Client} Client
 */
import { runningWords } from "../strings/moving.js";
import { announce } from "./announcer.js";
import { need, setText } from "./dom.js";

/** Whoever has answered on this page is led to the call; until then it is none that goes on elsewhere. */
const SHOWN_AFTER_MS = 1_000;

/**
 * @param {Client} client
 * @param {HTMLElement} root
 * @param {{ownId: string, device: string}} self `device`: the name of this one
 */
export function showRunningCall({ inbox, link }, root, { ownId, device }) {
  /** @type {Call | null} */
  let running = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function draw() {
    const hidden = root.hidden;
    root.hidden = running === null;
    if (!running) return;
    const { text, action } = runningWords(running, ownId, device);
    setText(need("[data-text]", root), text);
    const button = /** @type {HTMLAnchorElement} */ (need("a", root));
    setText(need("[data-action]", button), action);
    button.href = `/call/${running.call_id}`;
    if (hidden) announce(text);
  }

  /** @param {Call | null} call */
  function show(call) {
    running = call;
    clearTimeout(timer);
    if (call && root.hidden) timer = setTimeout(draw, SHOWN_AFTER_MS);
    else draw();
  }

  inbox.on("call", (call) => {
    if (isIn(call, ownId)) show(call);
    else if (call.call_id === running?.call_id) show(null);
  });
  // It may have ended while nobody listened.
  link.on("snapshot", ({ snapshot }) => {
    const calls = /** @type {Call[]} */ (snapshot.calls);
    if (running && !calls.some(({ call_id }) => call_id === running?.call_id)) show(null);
  });
}

/**
 * @param {Call} call
 * @param {string} userId
 * @returns {boolean} whether they talk there, even if they are away for a moment
 */
function isIn({ state, answered_at, legs }, userId) {
  const leg = legs.find(({ user }) => user.id === userId);
  return state !== "ended" && answered_at !== null && (leg?.state === "joined" || leg?.state === "reconnecting");
}
