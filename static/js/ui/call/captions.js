/**
 * Captions: one's own switched on and off, those of everybody shown over the call.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../captions/captioner.js").Caption} Caption
 * @typedef {import("../../types.js").Frame} Frame
 */
import { CaptionBoard } from "../../captions/board.js";
import { Captioner } from "../../captions/captioner.js";
import { captions as strings } from "../../strings/captions.js";
import { announce } from "../announcer.js";
import { copyOf, need, setText } from "../dom.js";
import { toast } from "../toasts.js";
import { isTalking, onPhase } from "./context.js";

const LOOK_EVERY_MS = 500;

/** @param {CallContext} context */
export function startCaptions({ session, media, shortcuts }) {
  const entry = need("#own-captions");
  const place = need("#captions");
  const captioner = new Captioner();
  const board = new CaptionBoard();
  /** @type {Map<string, HTMLElement>} */
  const lines = new Map();

  // ---- one's own

  function toggle() {
    if (captioner.state === "on" || captioner.state === "loading") {
      captioner.stop();
      announce(strings.nowOff);
    } else if (isTalking(session)) {
      captioner.start();
    }
  }

  function drawEntry() {
    const wanted = captioner.state === "on" || captioner.state === "loading";
    entry.setAttribute("aria-pressed", String(wanted));
    entry.dataset.state = captioner.state;
    setText(need("[data-label]", entry), wanted ? strings.off : strings.on);
  }

  /** @param {Caption} caption */
  async function send(caption) {
    try {
      await session.request("caption", caption);
    } catch (error) {
      console.warn("a caption was not taken", error); // the next ones may be
    }
  }

  captioner.on("caption", send);
  captioner.on("state", (state) => {
    drawEntry();
    if (state === "loading") toast(strings.loading);
    if (state === "on") toast(strings.nowOn);
    if (state === "failed") toast(strings.failed, "error");
  });

  // ---- everybody's

  /** @param {Frame} frame */
  function hear(frame) {
    if (frame.type !== "caption") return;
    board.add(/** @type {any} */ (frame), Date.now());
    draw();
  }

  function draw() {
    const shown = isTalking(session) ? board.shown(Date.now()) : [];
    for (const [legId, line] of lines) {
      if (shown.some(({ leg_id }) => leg_id === legId)) continue;
      line.remove();
      lines.delete(legId);
    }
    for (const { leg_id, text } of shown) {
      const line = lines.get(leg_id) ?? add(leg_id);
      setText(need("[data-text]", line), text);
    }
    place.hidden = shown.length === 0;
  }

  /** @param {string} legId */
  function add(legId) {
    const line = copyOf("caption-template");
    setText(need("[data-name]", line), nameOf(session, legId));
    lines.set(legId, line);
    place.append(line);
    return line;
  }

  session.on("frame", hear);
  session.on("change", () => captioner.listenTo(media.microphone));
  media.on("change", () => captioner.listenTo(media.microphone));
  captioner.listenTo(media.microphone);
  entry.addEventListener("click", toggle);
  shortcuts.add({ key: "t", words: strings.shortcut, run: toggle });
  const looking = setInterval(draw, LOOK_EVERY_MS);
  onPhase(session, (phase) => {
    if (phase !== "ended") return;
    captioner.stop();
    clearInterval(looking);
    draw();
  });
}

/**
 * @param {CallContext["session"]} session
 * @param {string} legId
 * @returns {string}
 */
export function nameOf({ view: { call } }, legId) {
  return call.legs.find(({ leg_id }) => leg_id === legId)?.user.display_name ?? "";
}
