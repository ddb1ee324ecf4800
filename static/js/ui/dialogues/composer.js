/** The field in which one writes: as high as what is written, sent by Enter, a new line by Shift and Enter. */
import { need } from "../dom.js";
import { isComposing } from "../typing.js";

export class Composer {
  #form;
  #field;
  #send;
  #submit;

  /**
   * @param {HTMLElement} form with a `textarea` and a button `[data-send]`
   * @param {(text: string) => void} submit
   */
  constructor(form, submit) {
    this.#form = form;
    this.#submit = submit;
    this.#field = /** @type {HTMLTextAreaElement} */ (need("textarea", form));
    this.#send = /** @type {HTMLButtonElement} */ (need("[data-send]", form));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#take();
      this.#field.focus();
    });
    this.#field.addEventListener("input", () => this.#fit());
    this.#field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
      event.preventDefault();
      this.#take();
    });
  }

  /** @param {boolean} enabled */
  set enabled(enabled) {
    this.#field.disabled = !enabled;
    this.#form.hidden = !enabled;
    this.#fit();
  }

  focus() {
    this.#field.focus();
  }

  #take() {
    const text = this.#field.value.trim();
    if (!text) return;
    this.#field.value = "";
    this.#fit();
    this.#submit(text);
  }

  #fit() {
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
    this.#send.disabled = this.#field.value.trim() === "";
  }
}
