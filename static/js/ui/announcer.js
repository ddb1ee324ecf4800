/** Says to screen readers what others see. Of a page under a modal dialog they hear nothing: then the dialog's region speaks. */
import { need } from "./dom.js";

/** Long enough to be read out, short enough not to be found later by somebody who browses the page. */
const FORGET_MS = 5_000;

/** @type {any} */
let timer = null;

/** @param {string} sentence */
export function announce(sentence) {
  const region = document.querySelector("dialog:modal [data-announcer]") ?? need("#announcer");
  clearTimeout(timer);
  region.textContent = sentence;
  timer = setTimeout(() => {
    region.textContent = "";
  }, FORGET_MS);
}
