/**
 * The pictures: of the others on their tiles, of oneself in the corner, or behind everything while one waits.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../media/phase.js").Phase} Phase
 */
import { need } from "../dom.js";
import { showsPicture, Tiles } from "../tiles.js";
import { isRunning, onPhase } from "./context.js";

/** While one waits, one sees oneself. @type {Set<Phase>} */
const BEFORE = new Set(["calling", "trying", "ringing", "connecting"]);

/** @param {CallContext} context */
export function startStage({ session, media, page }) {
  const tapToHear = need("#tap-to-hear");
  /** @type {HTMLVideoElement} */
  const ownVideo = need("#self video");
  const tiles = new Tiles(need("#tiles"), () => {
    tapToHear.hidden = false;
  });

  function draw() {
    const { phase, others } = session.view;
    const running = isRunning(session);
    const tiled = running && (others.length > 1 || others.some(showsPicture));
    page.dataset.phase = phase;
    page.dataset.stage = tiled ? "tiles" : running && media.camera && BEFORE.has(phase) ? "preview" : "plain";
    page.dataset.self = running && media.camera ? "yes" : "no";
    tiles.draw(phase === "ended" ? [] : others);
    drawSelf();
  }

  function drawSelf() {
    // An element with an empty stream would wait for a picture, and the page's load event with it.
    const picture = media.camera ? media.preview : null;
    if (ownVideo.srcObject !== picture) ownVideo.srcObject = picture;
    need("#self [data-muted]").hidden = !media.muted;
  }

  tapToHear.addEventListener("click", () => {
    tapToHear.hidden = true;
    tiles.play();
  });
  session.on("change", draw);
  draw();
  onPhase(session, (phase) => {
    if (phase === "ended") tapToHear.hidden = true;
  });
}
