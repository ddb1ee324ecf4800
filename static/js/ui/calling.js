/**
 * Every button `data-call` of a page: it calls the person in whose element it stands (`data-username`,
 * `data-display-name`), by `audio` or `video`.
 *
 * @typedef {import("../api.js").Api} Api
 * @typedef {import("../types.js").MediaKind} MediaKind
 */
import { _ } from "../i18n.js";
import { sentenceFor } from "../strings.js";
import { announce } from "./announcer.js";
import { addressOf } from "./call_address.js";
import { toast } from "./toasts.js";

/** @param {Api} api */
export function startCalling(api) {
  document.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest("button[data-call]");
    const person = /** @type {HTMLElement | null} */ (button?.closest("[data-username]"));
    if (button instanceof HTMLButtonElement && person) place(api, button, person.dataset);
  });
  // Whoever comes back finds no button that still turns.
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("[data-call][aria-busy]")) button.removeAttribute("aria-busy");
  });
}

/**
 * @param {Api} api
 * @param {HTMLButtonElement} button
 * @param {DOMStringMap} person
 */
async function place(api, button, { username = "", displayName = "" }) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  announce(_("Calling %(name)s…", { name: displayName }));
  try {
    const media = /** @type {MediaKind} */ (button.dataset.call);
    location.assign(addressOf(await api.startCall(username, media), media));
  } catch (error) {
    button.removeAttribute("aria-busy");
    toast(sentenceFor(error), "error");
  }
}
