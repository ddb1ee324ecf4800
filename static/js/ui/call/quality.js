/**
 * How good the connection to each of the others is: bars on the card and on their tiles, and the tab with both directions.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../media/call.js").OtherView} OtherView
 * @typedef {import("../../media/path_stats.js").Summary} Summary
 * @typedef {import("../../media/quality_watch.js").PathView} PathView
 * @typedef {import("../../media/score.js").Bars} Bars
 */
import { QualityWatch } from "../../media/quality_watch.js";
import { barsOf } from "../../media/score.js";
import { barsWord, quality as strings, routeWord } from "../../strings/quality.js";
import { drawAvatar } from "../avatar.js";
import { drawBars } from "../bars.js";
import { copyOf, need, setText } from "../dom.js";
import { isTalking, onPhase } from "./context.js";

/**
 * @param {CallContext} context
 * @returns {QualityWatch}
 */
export function startQuality({ boot, session, panel }) {
  const watch = new QualityWatch(session, boot.leg_id);
  const button = need("#call-bars");
  const list = need("#panel-connection [data-list]");
  const weak = need("#call-badges [data-badge=poor]");
  /** @type {Map<string, HTMLElement>} */
  const rows = new Map();

  function draw() {
    const { others } = session.view;
    const known = isTalking(session) ? others.filter((other) => isHeard(other, watch.of(other.legId).heard)) : [];
    const all = known.map(({ legId }) => barsOf(watch.of(legId).heard?.score ?? null));
    button.hidden = all.length === 0;
    weak.hidden = !all.includes(1);
    if (all.length > 0) drawButton(/** @type {Bars} */ (Math.min(...all)));
    for (const other of others) drawTile(other, known.includes(other));
    drawRows(others);
  }

  /** @param {Bars} bars those of the worst */
  function drawButton(bars) {
    drawBars(need(".bars", button), bars);
    setText(need("[data-word]", button), barsWord(bars));
  }

  /**
   * @param {OtherView} other
   * @param {boolean} known
   */
  function drawTile({ legId }, known) {
    const bars = /** @type {HTMLElement | null} */ (document.querySelector(`#tiles [data-leg-id="${legId}"] .bars`));
    if (!bars) return;
    bars.hidden = !known;
    if (known) drawBars(bars, barsOf(watch.of(legId).heard?.score ?? null));
  }

  /** @param {OtherView[]} others */
  function drawRows(others) {
    const here = new Set(others.map(({ legId }) => legId));
    for (const [legId, row] of rows) {
      if (here.has(legId)) continue;
      row.remove();
      rows.delete(legId);
    }
    for (const other of others) drawRow(rows.get(other.legId) ?? add(other), other);
  }

  /** @param {OtherView} other */
  function add({ legId, user }) {
    const row = copyOf("connection-template");
    setText(need("[data-name]", row), user.display_name);
    drawAvatar(need(".avatar", row), user);
    rows.set(legId, row);
    list.append(row);
    return row;
  }

  /**
   * @param {HTMLElement} row
   * @param {OtherView} other
   */
  function drawRow(row, other) {
    const { legId, user } = other;
    const { heard, told } = watch.of(legId);
    drawWay(need("[data-heard]", row), strings.youHear(user.display_name), isHeard(other, heard) ? heard : null);
    drawWay(need("[data-told]", row), strings.hearsYou(user.display_name), told);
    setText(need("[data-route]", row), heard?.candidate ? routeWord(heard.candidate) : "");
    setText(need("[data-numbers]", row), heard ? numbers(heard) : "");
  }

  panel.on("shown", draw);
  watch.on("change", draw);
  session.on("change", draw);
  onPhase(session, (phase) => {
    if (phase === "in_call" || phase === "reconnecting") watch.start();
    if (phase === "ended") watch.stop();
  });
  draw();
  return watch;
}

/**
 * @param {OtherView} other
 * @param {Summary | null} heard
 * @returns {boolean} whether it can be told how they are heard: of whoever sends nothing, nothing has to arrive
 */
function isHeard({ path, media }, heard) {
  return path === "connected" && heard !== null && (heard.score !== null || media.audio || media.video);
}

/**
 * @param {HTMLElement} line
 * @param {string} label
 * @param {{score: number | null} | null} measured
 */
function drawWay(line, label, measured) {
  const bars = barsOf(measured?.score ?? null);
  setText(need("[data-label]", line), label);
  need(".bars", line).hidden = measured === null;
  if (measured) drawBars(need(".bars", line), bars);
  setText(need("[data-word]", line), measured ? barsWord(bars) : strings.measuring);
}

/** @param {Summary} summary */
function numbers({ rttMs, loss, kbitIn, kbitOut }) {
  const parts = [strings.bitrate(kbitIn, kbitOut)];
  if (loss !== null) parts.unshift(strings.loss(loss));
  if (rttMs !== null) parts.unshift(strings.delay(rttMs / 2));
  return parts.join(" · ");
}
