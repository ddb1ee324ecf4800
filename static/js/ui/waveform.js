/** A recording drawn as its loudness, on which one can point at a place: a slider. */
import { heights, inSteps } from "../media/levels.js";
import { _ } from "../i18n.js";
import { duration } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
/** A bar and the gap behind it. */
const STEP_PX = 5;
/** Where nobody measured anything, and where it is silent, a dot stands. */
const LEAST_HEIGHT = 0.02;
/** What the arrow keys move, and the page keys. */
const STEP_S = 5;
const LEAP_S = 15;
/** A short message is stepped through in so many steps. */
const LEAST_STEPS = 10;

export class Waveform {
  #root;
  #onSeek;
  /** @type {number[]} */
  #levels = [];
  #durationS = 0;
  #timeS = 0;
  #all = layer("waveform-all");
  #played = layer("waveform-played");

  /**
   * @param {HTMLElement} root becomes the slider; it has a label of its own
   * @param {(timeS: number) => void} onSeek somebody points at a place
   */
  constructor(root, onSeek) {
    this.#root = root;
    this.#onSeek = onSeek;
    root.setAttribute("role", "slider");
    root.setAttribute("aria-valuemin", "0");
    root.tabIndex = 0;
    root.replaceChildren(this.#all.svg, this.#played.svg);
    root.addEventListener("pointerdown", (event) => this.#point(event));
    root.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#draw()).observe(root);
  }

  /**
   * @param {number[]} levels from 0 to 100
   * @param {number} durationS
   */
  set(levels, durationS) {
    this.#levels = levels;
    this.#durationS = durationS;
    this.#root.setAttribute("aria-valuemax", String(Math.max(1, Math.round(durationS))));
    this.#draw();
    this.show(0);
  }

  /** @param {number} timeS how far it has been played */
  show(timeS) {
    this.#timeS = timeS;
    const part = this.#durationS > 0 ? Math.min(1, timeS / this.#durationS) : 0;
    this.#played.svg.style.clipPath = `inset(0 ${100 - 100 * part}% 0 0)`;
    const nowS = String(Math.round(timeS));
    if (this.#root.getAttribute("aria-valuenow") === nowS) return; // a screen reader need not hear each tenth
    this.#root.setAttribute("aria-valuenow", nowS);
    const values = { time: duration(timeS), length: duration(Math.round(this.#durationS)) };
    this.#root.setAttribute("aria-valuetext", _("%(time)s of %(length)s", values));
  }

  #draw() {
    const count = Math.max(8, Math.floor(this.#root.clientWidth / STEP_PX));
    const levels = this.#levels.length > 0 ? this.#levels : [0];
    const bars = stretched(heights(inSteps(levels, count)), count);
    const d = bars.map((height, index) => bar(index, Math.max(LEAST_HEIGHT, height))).join("");
    for (const { svg, path } of [this.#all, this.#played]) {
      svg.setAttribute("viewBox", `0 0 ${count} 100`);
      path.setAttribute("d", d);
    }
  }

  /** @param {PointerEvent} event */
  #point(event) {
    if (event.button !== 0) return;
    this.#root.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ moved) => {
      const { left, width } = this.#root.getBoundingClientRect();
      this.#seek(((moved.clientX - left) / width) * this.#durationS);
    };
    const released = new AbortController();
    const { signal } = released;
    this.#root.addEventListener("pointermove", move, { signal });
    for (const name of ["pointerup", "pointercancel"]) {
      this.#root.addEventListener(name, () => released.abort(), { signal });
    }
    move(event);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const stepS = Math.min(STEP_S, this.#durationS / LEAST_STEPS);
    /** @type {Record<string, number>} */
    const places = {
      ArrowRight: this.#timeS + stepS,
      ArrowUp: this.#timeS + stepS,
      ArrowLeft: this.#timeS - stepS,
      ArrowDown: this.#timeS - stepS,
      PageUp: this.#timeS + LEAP_S,
      PageDown: this.#timeS - LEAP_S,
      Home: 0,
      End: this.#durationS,
    };
    if (!(event.key in places) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#seek(places[event.key]);
  }

  /** @param {number} timeS */
  #seek(timeS) {
    this.#onSeek(Math.min(this.#durationS, Math.max(0, timeS)));
  }
}

/** @param {string} name of its class */
function layer(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", name);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("vector-effect", "non-scaling-stroke");
  svg.append(path);
  return { svg, path };
}

/**
 * @param {number} index
 * @param {number} height from 0 to 1
 */
function bar(index, height) {
  const half = 44 * height; // of 50: the round ends need the rest
  return `M${index + 0.5} ${(50 - half).toFixed(1)}V${(50 + half).toFixed(1)}`;
}

/**
 * Fewer levels than there is room for bars: each stands several times, with the values between.
 *
 * @param {number[]} levels
 * @param {number} count
 */
function stretched(levels, count) {
  if (levels.length === count) return levels;
  return Array.from({ length: count }, (_unused, index) => {
    const place = (index * (levels.length - 1)) / Math.max(1, count - 1);
    const before = levels[Math.floor(place)];
    const after = levels[Math.ceil(place)];
    return before + (after - before) * (place % 1);
  });
}
