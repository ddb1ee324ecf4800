/** The page's title, blinking while somebody calls: it is all that a person sees of a tab in the background. */

const EVERY_MS = 1_000;

/** @type {any} */
let timer = null;
let usual = "";

/** @param {string} message */
export function blinkTitle(message) {
  stopBlinking();
  usual = document.title;
  document.title = message;
  timer = setInterval(() => {
    document.title = document.title === usual ? message : usual;
  }, EVERY_MS);
}

export function stopBlinking() {
  if (timer === null) return;
  clearInterval(timer);
  timer = null;
  document.title = usual;
}
