/**
 * How good a connection is, in words.
 *
 * @typedef {import("../media/score.js").Bars} Bars
 */
import { _, ngettext } from "../i18n.js";

/** @type {Record<Bars, () => string>} */
const BARS = {
  0: () => _("Nothing arrives"),
  1: () => _("Poor"),
  2: () => _("Fair"),
  3: () => _("Good"),
  4: () => _("Very good"),
};

/** @type {Record<string, () => string>} */
const ROUTE = {
  host: () => _("Direct"),
  srflx: () => _("Direct"),
  prflx: () => _("Direct"),
  relay: () => _("Through the relay"),
};

/** @param {Bars} bars */
export function barsWord(bars) {
  return BARS[bars]();
}

/** @param {string} candidate a kind of address */
export function routeWord(candidate) {
  return ROUTE[candidate]?.() ?? "";
}

export const quality = {
  ofConnection: (/** @type {string} */ word) => _("Connection: %(word)s", { word }),
  youHear: (/** @type {string} */ name) => _("You hear %(name)s", { name }),
  hearsYou: (/** @type {string} */ name) => _("%(name)s hears you", { name }),
  youHeard: (/** @type {string} */ name) => _("You heard %(name)s", { name }),
  heardYou: (/** @type {string} */ name) => _("%(name)s heard you", { name }),
  heard: (/** @type {string} */ one, /** @type {string} */ other) => _("%(one)s heard %(other)s", { one, other }),
  measuring: _("Measuring…"),
  delay: (/** @type {number} */ ms) => _("Delay %(ms)s ms", { ms: Math.round(ms) }),
  loss: (/** @type {number} */ part) => _("Lost on the way: %(part)s", { part: percent(part) }),
  bitrate: (/** @type {number} */ kbitIn, /** @type {number} */ kbitOut) =>
    _("%(down)s in, %(up)s out", { down: bitrate(kbitIn), up: bitrate(kbitOut) }),
  froze: (/** @type {number} */ count) =>
    ngettext("The picture stood still once", "The picture stood still %(count)s times", count),
  worst: (/** @type {string} */ word) => _("At its worst: %(word)s", { word }),
  copied: _("The report is on the clipboard"),
  notCopied: _("This browser does not let pages copy. Select the report below, and copy it yourself."),
};

/** @param {number} part from 0 to 1 */
function percent(part) {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: part < 0.1 ? 1 : 0 }).format(part);
}

/** @param {number} kbit in a second */
function bitrate(kbit) {
  const [value, unit] = kbit >= 1000 ? [kbit / 1000, "Mbit/s"] : [kbit, "kbit/s"];
  return `${new Intl.NumberFormat(locale(), { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value)} ${unit}`;
}

function locale() {
  return globalThis.document?.documentElement.lang || "en";
}
