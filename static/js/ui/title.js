/**
 * The page's title and its symbol, blinking while somebody calls: they are all that a person sees of a tab in the
 * background. A mark before the title says what goes on there all the time.
 */

const EVERY_MS = 1_000;

/** @type {any} */
let timer = null;
let usual = "";
/** The title without its mark; null: what the page came with. @type {string | null} */
let plain = null;
let mark = "";

/** @param {string} title of the page from now on */
export function setTitle(title) {
  plain = title;
  showUsual();
}

/** @param {string} words stand before the title as long as they are set; empty: nothing does */
export function markTitle(words) {
  if (words === mark) return;
  plain ??= document.title;
  mark = words;
  showUsual();
}

function showUsual() {
  usual = mark ? `${mark} · ${plain}` : (plain ?? "");
  if (timer === null) document.title = usual;
}

/** @param {string} message */
export function blinkTitle(message) {
  stopBlinking();
  if (plain === null) usual = document.title;
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
