/**
 * The page's title and its symbol, blinking while somebody calls: they are all that a person sees of a tab in the
 * background.
 */

const EVERY_MS = 1_000;

/** @type {any} */
let timer = null;
let usual = "";

/** @param {string} message */
export function blinkTitle(message) {
  stopBlinking();
  usual = document.title;
  show(message, true);
  timer = setInterval(() => (document.title === usual ? show(message, true) : show(usual, false)), EVERY_MS);
}

export function stopBlinking() {
  if (timer === null) return;
  clearInterval(timer);
  timer = null;
  show(usual, false);
}

/**
 * @param {string} title
 * @param {boolean} ringing
 */
function show(title, ringing) {
  document.title = title;
  /** @type {HTMLLinkElement | null} */
  const icon = document.querySelector("link[rel=icon]");
  if (icon) icon.href = (ringing ? icon.dataset.ringing : icon.dataset.usual) ?? icon.href;
}
