/**
 * The panel beside the call, one tab for each part that has something to show there; on a telephone a sheet over it.
 *
 * @typedef {object} PanelEvents
 * @property {string | null} shown the name of the part that is shown now, null when the panel closes
 * @property {string} opened the name of a part that was opened by what leads to it, and not by its tab
 */
import { Emitter } from "../../realtime/emitter.js";
import { copyOf, need, setText } from "../dom.js";
import { isComposing } from "../typing.js";

/** As in call-panel.css: there the sheet covers the call. */
const SHEET = "(max-width: 899.98px)";

/** @extends {Emitter<PanelEvents>} */
export class SidePanel extends Emitter {
  #panel = need("#panel");
  #page = need("#call");
  #sheet = matchMedia(SHEET);
  /** @type {Map<string, {tab: HTMLElement, body: HTMLElement}>} */
  #parts = new Map();
  /** @type {string | null} */
  #shown = null;
  /** What opened it, and gets the focus back. @type {HTMLElement | null} */
  #opener = null;

  constructor() {
    super();
    for (const body of /** @type {NodeListOf<HTMLElement>} */ (this.#panel.querySelectorAll("[data-panel]"))) {
      this.#parts.set(body.dataset.panel ?? "", { body, tab: this.#makeTab(body) });
    }
    this.#panel.addEventListener("keydown", (event) => this.#key(event));
    need("[data-close-panel]", this.#panel).addEventListener("click", () => this.close());
    this.#sheet.addEventListener("change", () => this.#cover());
    document.addEventListener("click", (event) => {
      const opener = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-open-panel]"));
      if (opener) this.toggle(opener.dataset.openPanel ?? "", opener);
      else if (this.#page.inert && event.target === this.#page.parentElement) this.close(); // beside the sheet
    });
  }

  /** @returns {string | null} the name of the part that is shown */
  get shown() {
    return this.#shown;
  }

  /**
   * Shows a part, or closes the panel if it is the one that is shown.
   *
   * @param {string} name
   * @param {HTMLElement | null} [opener] what was pressed
   */
  toggle(name, opener = null) {
    if (this.#shown === name) this.close();
    else this.open(name, opener);
  }

  /**
   * @param {string} name
   * @param {HTMLElement | null} [opener] what was pressed
   */
  open(name, opener = null) {
    if (this.#shown === null) this.#opener = visible(opener) ?? need("#more");
    this.#show(name);
    const part = this.#parts.get(name);
    const first = /** @type {HTMLElement | null | undefined} */ (part?.body.querySelector("[data-first]"));
    (first ?? part?.tab)?.focus();
    this.emit("opened", name);
  }

  close() {
    if (this.#shown === null) return;
    const hadFocus = this.#panel.contains(document.activeElement);
    this.#show(null);
    if (hadFocus && this.#opener) visible(this.#opener)?.focus();
  }

  /**
   * The number on a part's tab, and on whatever opens it.
   *
   * @param {string} name
   * @param {number} count 0 shows none
   */
  count(name, count) {
    const places = [this.#parts.get(name)?.tab, ...document.querySelectorAll(`[data-open-panel=${name}]`)];
    for (const place of places) {
      const number = /** @type {HTMLElement | null | undefined} */ (place?.querySelector("[data-count]"));
      if (!number) continue;
      setText(number, String(count));
      number.hidden = count === 0;
    }
  }

  /** @param {HTMLElement} body */
  #makeTab(body) {
    const tab = copyOf("panel-tab-template");
    tab.id = `${body.id}-tab`;
    tab.setAttribute("aria-controls", body.id);
    body.setAttribute("aria-labelledby", tab.id);
    setText(need("[data-label]", tab), body.dataset.label ?? "");
    tab.addEventListener("click", () => this.#show(body.dataset.panel ?? ""));
    need("[data-tabs]", this.#panel).append(tab);
    return tab;
  }

  /** @param {string | null} name */
  #show(name) {
    this.#shown = name;
    for (const [each, { tab, body }] of this.#parts) {
      body.hidden = each !== name;
      tab.setAttribute("aria-selected", String(each === name));
      tab.tabIndex = each === name ? 0 : -1;
    }
    const shown = this.#parts.get(name ?? "")?.tab;
    for (const opener of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-open-panel]"))) {
      if (opener.hasAttribute("aria-expanded")) opener.setAttribute("aria-expanded", String(opener.dataset.openPanel === name));
    }
    this.#panel.hidden = name === null;
    shown?.scrollIntoView({ block: "nearest", inline: "nearest" }); // where they do not fit beside each other
    this.#cover();
    this.emit("shown", name);
  }

  /** Nobody tabs into what lies under a sheet. */
  #cover() {
    this.#page.inert = this.#shown !== null && this.#sheet.matches;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === "Escape") {
      // It leaves the composing of a word, or closes the menu of somebody in the list, and not the panel as well.
      if (!isComposing(event) && !/** @type {Element} */ (event.target).closest("[popover]")) this.close();
      return;
    }
    const tabs = [...this.#parts.entries()];
    const at = tabs.findIndex(([, { tab }]) => tab === document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (at < 0 || !step) return;
    const [name, { tab }] = tabs.at((at + step) % tabs.length) ?? tabs[at];
    this.#show(name);
    tab.focus();
  }
}

/** @param {HTMLElement | null} element */
function visible(element) {
  return element?.checkVisibility() ? element : null;
}
