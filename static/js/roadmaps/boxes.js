/**
 * The boxes of a Markdown document, «- [ ] something»: which lines they stand in, and how one of them is ticked. Text in,
 * text out.
 */

/** A box at the beginning of an entry of a list. */
const BOX = /^(\s*(?:[-*+]|\d{1,9}[.)])\s+\[)([ xX])(\]\s)/;
const FENCE = /^\s{0,3}(`{3,}|~{3,})/;

/**
 * @param {string} text
 * @returns {{line: number, ticked: boolean}[]} in order; what stands in a block of code is none
 */
export function boxesIn(text) {
  const found = [];
  let fence = "";
  for (const [line, words] of text.split("\n").entries()) {
    const mark = FENCE.exec(words)?.[1] ?? "";
    if (mark && (!fence || (mark[0] === fence[0] && mark.length >= fence.length))) fence = fence ? "" : mark;
    const box = fence ? null : BOX.exec(words);
    if (box) found.push({ line, ticked: box[2] !== " " });
  }
  return found;
}

/**
 * @param {string} text
 * @param {number} line
 * @returns {string | null} what stands there beside the box; null where there is no box
 */
export function besideBox(text, line) {
  return boxesIn(text).some((box) => box.line === line) ? text.split("\n")[line].replace(BOX, "") : null;
}

/**
 * @param {string} text
 * @param {number} line one that has a box
 * @param {boolean} ticked
 * @returns {string} the text with that box ticked, or not
 */
export function withBox(text, line, ticked) {
  const lines = text.split("\n");
  lines[line] = lines[line].replace(BOX, (_whole, before, _mark, after) => `${before}${ticked ? "x" : " "}${after}`);
  return lines.join("\n");
}
