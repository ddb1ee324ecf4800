/**
 * The pictures: of the others on their tiles, of oneself in the corner, or behind everything while one waits. In a call of
 * several all are of one size, or whoever speaks is large; a screen is always large, unless somebody wants it otherwise.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../media/other.js").OtherView} OtherView
 * @typedef {import("../../media/phase.js").Phase} Phase
 *
 * @typedef {object} Stage
 * @property {() => MediaStream | null} watched the picture that one looks at: the large one, else of whoever speaks
 */
import { _ } from "../../i18n.js";
import { Levels, Speaking } from "../../media/speaking.js";
import { announce } from "../announcer.js";
import { need, setText } from "../dom.js";
import { screenKey, showsPicture, showsScreen, Tiles } from "../tiles.js";
import { isRunning, onPhase } from "./context.js";

/** While one waits, one sees oneself. @type {Set<Phase>} */
const BEFORE = new Set(["calling", "trying", "ringing", "connecting"]);
/** Often enough to see who begins to speak; a level is that of the newest packet. */
const LISTEN_EVERY_MS = 200;
/** What this person likes better is kept for the next call. */
const LAYOUT = "ringback.layout";

/**
 * @param {CallContext} context
 * @returns {Stage}
 */
export function startStage({ session, media, page, shortcuts }) {
  const tapToHear = need("#tap-to-hear");
  /** @type {HTMLVideoElement} */
  const ownVideo = need("#self video");
  const layoutEntry = need("#layout");
  const speaking = new Speaking();
  const levels = new Levels();
  let followsSpeaker = keptLayout() === "speaker";
  /** Chosen by hand: a tile that is large, or (empty) none. @type {string | null} */
  let chosen = null;
  /** Whose screens were there when last looked. @type {string[]} */
  let screens = [];
  const tiles = new Tiles(need("#tiles"), { onSilenced: () => (tapToHear.hidden = false), onEnlarge: enlarge });

  function draw() {
    const { phase, others } = session.view;
    const running = isRunning(session);
    const tiled = running && (others.length > 1 || others.some((other) => showsPicture(other) || showsScreen(other)));
    page.dataset.phase = phase;
    page.dataset.stage = tiled ? "tiles" : running && media.camera && BEFORE.has(phase) ? "preview" : "plain";
    page.dataset.self = running && media.camera ? "yes" : "no";
    page.dataset.group = tiled && (others.length > 1 || others.some(showsScreen)) ? "yes" : "no";
    tiles.draw(phase === "ended" ? [] : others, large());
    layoutEntry.hidden = others.length < 2;
    setText(need("[data-label]", layoutEntry), followsSpeaker ? _("Show everybody at the same size") : _("Show who speaks large"));
    drawSelf();
  }

  /** @returns {string | null} the key of the tile that is large */
  function large() {
    const { others } = session.view;
    const shown = others.filter(showsScreen).map(({ legId }) => legId);
    if (shown.some((legId) => !screens.includes(legId))) chosen = null; // a new screen is there to be looked at
    screens = shown;
    if (chosen !== null) {
      if (chosen === "" || others.some(({ legId }) => chosen === legId || chosen === screenKey(legId))) return chosen;
      chosen = null; // they are gone
    }
    const screen = shown.at(-1);
    if (screen) return screenKey(screen);
    return followsSpeaker && others.length > 1 ? (speaking.active ?? others[0].legId) : null;
  }

  /** @type {Stage["watched"]} */
  function watched() {
    const { others } = session.view;
    const key = large();
    const screen = others.find((other) => key === screenKey(other.legId));
    if (screen && showsScreen(screen)) return screen.screen;
    const seen = others.filter(showsPicture);
    return (seen.find(({ legId }) => legId === (key || speaking.active)) ?? seen[0])?.stream ?? null;
  }

  /** @param {string} key */
  function enlarge(key) {
    chosen = large() === key ? "" : key;
    draw();
  }

  function changeLayout() {
    if (session.view.others.length < 2) return;
    followsSpeaker = !followsSpeaker;
    chosen = null;
    keepLayout(followsSpeaker ? "speaker" : "grid");
    announce(followsSpeaker ? _("Who speaks is shown large") : _("Everybody is shown at the same size"));
    draw();
  }

  function listen() {
    const active = speaking.active;
    const now = speaking.hear(levels.read(session.peers), performance.now());
    tiles.mark(new Set(session.view.others.length > 1 ? now : []));
    if (speaking.active !== active && followsSpeaker) draw();
  }

  function drawSelf() {
    // An element that waits for its first picture holds up the load event of the page.
    const picture = media.camera && document.readyState === "complete" ? media.preview : null;
    if (ownVideo.srcObject !== picture) ownVideo.srcObject = picture;
    need("#self [data-muted]").hidden = !media.muted;
    need("#self [data-hand]").hidden = !session.view.hand;
  }

  const listening = setInterval(listen, LISTEN_EVERY_MS);
  tapToHear.addEventListener("click", () => {
    tapToHear.hidden = true;
    tiles.play();
  });
  layoutEntry.addEventListener("click", changeLayout);
  shortcuts.add({ key: "l", words: _("Who speaks large, or all at the same size"), run: changeLayout });
  session.on("change", draw);
  window.addEventListener("load", draw);
  draw();
  onPhase(session, (phase) => {
    if (phase !== "ended") return;
    tapToHear.hidden = true;
    clearInterval(listening);
  });
  return { watched };
}

/** @returns {string | null} null where the person lets no page keep anything */
function keptLayout() {
  try {
    return localStorage.getItem(LAYOUT);
  } catch {
    return null;
  }
}

/** @param {"speaker" | "grid"} layout */
function keepLayout(layout) {
  try {
    localStorage.setItem(LAYOUT, layout);
  } catch {
    // Full, or forbidden: it holds for this call.
  }
}
