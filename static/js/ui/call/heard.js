/**
 * How good the call was, when it is over: what was kept of it, from everybody who was in it.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../types.js").PathSummary} PathSummary
 * @typedef {import("../../types.js").LegQuality} LegQuality
 * @typedef {import("../../types.js").User} User
 */
import { barsOf } from "../../media/score.js";
import { barsWord, quality as strings, routeWord } from "../../strings/quality.js";
import { drawBars } from "../bars.js";
import { copyOf, need, setText } from "../dom.js";
import { onPhase } from "./context.js";

/** Of more paths than these (a call of three has six) those of others are left out. */
const ALL_UP_TO = 6;
/** A timeline of two points is none. */
const POINTS_FROM = 3;
const [WIDTH, HEIGHT] = [120, 28];
const [WORST, BEST] = [1, 4.5];
const SVG = "http://www.w3.org/2000/svg";

/** @param {CallContext} context */
export function startHeard({ boot, shell, session }) {
  const section = need("#call-heard");

  async function show() {
    const { call } = session.view;
    const own = call.legs.find(({ user }) => user.id === boot.user.id);
    if (call.answered_at === null || !own?.joined_at) return; // it is told to those who took part
    try {
      draw(await shell.client.api.quality(call.call_id));
    } catch (error) {
      console.debug("how good the call was is not known", error); // it has a page of its own without it
    }
  }

  /** @param {LegQuality[]} legs */
  function draw(legs) {
    const all = legs.flatMap(({ user, paths }) => paths.map((path) => ({ by: user, path })));
    const mine = all.filter(({ by, path }) => by.id === boot.user.id || path.user.id === boot.user.id);
    const shown = (all.length > ALL_UP_TO ? mine : all).filter(({ path }) => path.score !== null);
    const rank = (/** @type {typeof all[number]} */ one) => (one.by.id === boot.user.id ? 0 : mine.includes(one) ? 1 : 2);
    shown.sort((a, b) => rank(a) - rank(b));
    need("[data-list]", section).replaceChildren(...shown.map(({ by, path }) => row(by, path, boot.user)));
    section.hidden = shown.length === 0;
  }

  onPhase(session, (phase) => {
    if (phase === "ended") show();
  });
}

/**
 * @param {User} by who heard
 * @param {PathSummary} path
 * @param {User} me
 */
function row(by, path, me) {
  const item = copyOf("heard-template");
  const score = path.score ?? { mean: 0, low: 0 };
  const bars = barsOf(score.mean);
  setText(need("[data-label]", item), title(by, path.user, me));
  drawBars(need(".bars", item), bars);
  setText(need("[data-word]", item), barsWord(bars));
  setText(need("[data-numbers]", item), numbers(path, bars));
  if (path.points.length >= POINTS_FROM) need("[data-line]", item).append(line(path.points));
  return item;
}

/** @param {User} by @param {User} whom @param {User} me */
function title(by, whom, me) {
  if (by.id === me.id) return strings.youHeard(whom.display_name);
  if (whom.id === me.id) return strings.heardYou(by.display_name);
  return strings.heard(by.display_name, whom.display_name);
}

/**
 * @param {PathSummary} path
 * @param {import("../../media/score.js").Bars} bars
 */
function numbers({ score, loss, rtt_ms, freezes, candidates }, bars) {
  const worst = barsOf(score?.low ?? null);
  const parts = [...new Set(candidates.map(routeWord))];
  if (rtt_ms) parts.push(strings.delay(rtt_ms.mean / 2));
  if (loss) parts.push(strings.loss(loss.mean));
  if (freezes > 0) parts.push(strings.froze(freezes));
  if (worst < bars) parts.unshift(strings.worst(barsWord(worst)));
  return parts.join(" · ");
}

/** The scores over time. @param {PathSummary["points"]} points */
function line(points) {
  const lastS = points[points.length - 1].at_s || 1;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("preserveAspectRatio", "none");
  const drawn = document.createElementNS(SVG, "polyline");
  const places = points
    .filter(({ score }) => score !== null)
    .map(({ at_s, score }) => `${((at_s / lastS) * WIDTH).toFixed(1)},${height(/** @type {number} */ (score)).toFixed(1)}`);
  drawn.setAttribute("points", places.join(" "));
  svg.append(drawn);
  return svg;
}

/** @param {number} score */
function height(score) {
  return 2 + (1 - (score - WORST) / (BEST - WORST)) * (HEIGHT - 4);
}
