/** How loud it was in the last seconds, as bars that come in at one side and leave at the other. */
const SVG = "http://www.w3.org/2000/svg";
/** With twenty levels a second, three seconds. */
const BARS = 60;
/** In silence a row of dots stands: one sees that it is recording. */
const LEAST_HEIGHT = 2;

export class Meter {
  #path = document.createElementNS(SVG, "path");
  /** @type {number[]} */
  #levels = [];

  /** @param {HTMLElement} root */
  constructor(root) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${BARS} 100`);
    svg.setAttribute("preserveAspectRatio", "none");
    this.#path.setAttribute("vector-effect", "non-scaling-stroke");
    svg.append(this.#path);
    root.replaceChildren(svg);
  }

  clear() {
    this.#levels = Array.from({ length: BARS }, () => 0);
    this.#draw();
  }

  /** @param {number} level from 0 to 100 */
  add(level) {
    this.#levels = [...this.#levels, level].slice(-BARS);
    this.#draw();
  }

  #draw() {
    const bars = this.#levels.map((level, index) => {
      const half = Math.max(LEAST_HEIGHT, 0.44 * level);
      return `M${index + 0.5} ${(50 - half).toFixed(1)}V${(50 + half).toFixed(1)}`;
    });
    this.#path.setAttribute("d", bars.join(""));
  }
}
