/** A roadmap as it is read: Markdown as elements, and its boxes as boxes that one can tick. */
import { roadmaps as say } from "../strings/roadmaps.js";
import { markdown } from "../ui/markdown.js";
import { boxesIn } from "./boxes.js";

const MARK = /^\[[ xX]\]\s+/;

/**
 * @param {HTMLElement} paper where it is drawn
 * @param {string} text
 * @param {(line: number, ticked: boolean) => void} onTick
 * @returns {{done: number, all: number}} how many boxes there are, and how many of them are ticked
 */
export function drawPaper(paper, text, onTick) {
  paper.replaceChildren(markdown(text, { headings: 2 }));
  const boxes = boxesIn(text);
  const entries = [...paper.querySelectorAll("li")].filter((entry) => MARK.test(firstText(entry)?.data ?? ""));
  // A box that only one of the two sees as one: then all of them stay text, and nobody ticks the wrong one.
  if (entries.length !== boxes.length) return { done: 0, all: 0 };
  for (const [at, entry] of entries.entries()) drawBox(entry, boxes[at], onTick);
  return { done: boxes.filter(({ ticked }) => ticked).length, all: boxes.length };
}

/**
 * @param {HTMLLIElement} entry
 * @param {{line: number, ticked: boolean}} box
 * @param {(line: number, ticked: boolean) => void} onTick
 */
function drawBox(entry, { line, ticked }, onTick) {
  const text = /** @type {Text} */ (firstText(entry));
  text.data = text.data.replace(MARK, "");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = ticked;
  box.autocomplete = "off";
  box.setAttribute("aria-label", say.tick(entry.textContent?.trim() ?? ""));
  box.addEventListener("change", () => onTick(line, box.checked));
  entry.classList.add("step");
  entry.classList.toggle("step-done", ticked);
  const words = document.createElement("div");
  words.append(...entry.childNodes);
  entry.append(box, words);
}

/**
 * @param {Element} entry
 * @returns {Text | null} the first text in it
 */
function firstText(entry) {
  return /** @type {Text | null} */ (document.createTreeWalker(entry, NodeFilter.SHOW_TEXT).nextNode());
}
