/** Saving at once: what was changed is sent, «Saved» shows for a moment, and what is refused stands at its field. */
import { _ } from "../i18n.js";
import { sentenceFor } from "../strings.js";
import { announce } from "../ui/announcer.js";
import { need } from "../ui/dom.js";
import { toast } from "../ui/toasts.js";

const SHOWN_MS = 2_500;

/** @type {WeakMap<HTMLElement, any>} */
const timers = new WeakMap();

/** @param {ParentNode} setting with a place for it */
export function showSaved(setting) {
  const place = need("[data-saved]", setting);
  place.textContent = _("Saved");
  place.dataset.shown = "";
  clearTimeout(timers.get(place));
  timers.set(place, setTimeout(() => delete place.dataset.shown, SHOWN_MS));
  announce(_("Saved"));
}

/**
 * @param {HTMLElement} input
 * @param {HTMLElement} place where the sentence stands
 * @param {string} sentence empty: it is right again
 */
export function showError(input, place, sentence) {
  place.textContent = sentence;
  place.hidden = sentence === "";
  if (sentence) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/**
 * What the server has against a field, or a toast about what went wrong otherwise.
 *
 * @param {any} error
 * @param {string} field
 * @returns {string} the sentence for the field; empty if the fault is elsewhere
 */
export function refusalOf(error, field) {
  const named = Object.entries(error.errors ?? {}).find(([name]) => name === field || name.startsWith(`${field}.`));
  if (!named) toast(sentenceFor(error), "error");
  return named ? _("Please give %(rule)s.", { rule: named[1] }) : "";
}
