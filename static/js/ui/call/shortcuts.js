/**
 * Keys that do something in a call, and the list of them. They rest while somebody types or answers a question, and
 * before and after the call.
 *
 * @typedef {object} Shortcut
 * @property {string} key as in `KeyboardEvent.key`, in lower case
 * @property {string} words what it does
 * @property {string} [label] how the key is called in the list; without it, the key itself
 * @property {() => void} run when it is pressed
 * @property {() => void} [release] when it is let go, for keys that work while they are held
 * @property {() => boolean} [first] whether it goes before what the key does to whatever has the focus
 */
import { _ } from "../../i18n.js";
import { copyOf, need, setText } from "../dom.js";

const TYPED_INTO = "input, textarea, select, [contenteditable]";
/** What has a meaning of its own for the key stays in charge of it: Space presses a button. */
const PRESSED_BY_SPACE = "button, a, summary, video, audio";

export class Shortcuts {
  /** @type {Map<string, Shortcut>} */
  #byKey = new Map();
  /** @type {Shortcut | null} */
  #held = null;
  #isActive;
  /** What has the focus got it by the pointer: the keys are free. */
  #pointing = false;
  #dialog = /** @type {HTMLDialogElement} */ (need("#shortcuts"));

  /** @param {() => boolean} isActive whether keys do anything now */
  constructor(isActive) {
    this.#isActive = isActive;
    document.addEventListener("keydown", (event) => this.#down(event));
    document.addEventListener("keyup", (event) => this.#up(event));
    document.addEventListener("pointerdown", () => (this.#pointing = true), { capture: true });
    window.addEventListener("blur", () => this.#release());
    for (const opener of document.querySelectorAll("[data-open-shortcuts]")) {
      opener.addEventListener("click", () => this.#show());
    }
    this.add({ key: "?", words: _("Show this list"), run: () => this.#show() });
  }

  /** @param {Shortcut} shortcut a later one takes the key over */
  add(shortcut) {
    this.#byKey.set(shortcut.key, shortcut);
  }

  /** @param {KeyboardEvent} event */
  #down(event) {
    if (event.key === "Tab") this.#pointing = false;
    const shortcut = this.#byKey.get(event.key.toLowerCase());
    if (!shortcut || event.ctrlKey || event.altKey || event.metaKey || !this.#isActive()) return;
    const target = /** @type {Element} */ (event.target);
    if (target.closest(TYPED_INTO) || document.querySelector("dialog[open], [popover]:popover-open")) return;
    const free = shortcut.first?.() || (shortcut.release && this.#pointing);
    if (event.key === " " && target.closest(PRESSED_BY_SPACE) && !free) return;
    event.preventDefault();
    if (event.repeat) return;
    if (shortcut.release) this.#held = shortcut;
    shortcut.run();
  }

  /** @param {KeyboardEvent} event */
  #up(event) {
    if (this.#held?.key !== event.key.toLowerCase()) return;
    event.preventDefault(); // in Firefox a button is pressed by letting go
    this.#release();
  }

  #release() {
    const held = this.#held;
    this.#held = null;
    held?.release?.();
  }

  #show() {
    need("[data-list]", this.#dialog).replaceChildren(...[...this.#byKey.values()].map(drawn));
    this.#dialog.showModal();
  }
}

/** @param {Shortcut} shortcut */
function drawn({ key, label, words }) {
  const row = copyOf("shortcut-template");
  setText(need("[data-key]", row), label ?? key.toUpperCase());
  setText(need("[data-words]", row), words);
  return row;
}
