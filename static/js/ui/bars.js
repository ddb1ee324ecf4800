/**
 * Four bars, as on a telephone. Colour is not all that tells them apart: so do their number and the word.
 *
 * @typedef {import("../media/score.js").Bars} Bars
 */
import { barsWord, quality } from "../strings/quality.js";

/**
 * @param {HTMLElement} element of the class `bars`, empty at first
 * @param {Bars} bars
 */
export function drawBars(element, bars) {
  if (!element.firstChild) element.append(...Array.from({ length: 4 }, () => document.createElement("i")));
  element.dataset.bars = String(bars);
  const label = quality.ofConnection(barsWord(bars));
  if (element.title === label) return;
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  element.title = label;
}
