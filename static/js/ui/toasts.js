/** Short messages that come and go by themselves; the region they stand in is a live one. */
import { copyOf, need } from "./dom.js";

const STAY_MS = 6_000;
/** What can be undone can be so for longer. */
const STAY_WITH_ACTION_MS = 10_000;

/**
 * @param {string} sentence
 * @param {"info" | "error"} [tone]
 * @param {{label: string, run: () => void}} [action] what can be done about it
 */
export function toast(sentence, tone, action) {
  notice(sentence, tone, action);
}

/**
 * @param {string} sentence
 * @param {"info" | "error"} [tone]
 * @param {{label: string, run: () => void, stays?: boolean, onDismiss?: () => void}} [action] what can be done about it;
 *   `stays`: until the person has decided; `onDismiss`: when they have
 * @returns {() => void} takes it away
 */
export function notice(sentence, tone = "info", action) {
  const element = copyOf("toast-template");
  element.dataset.tone = tone;
  need("[data-text]", element).textContent = sentence;
  const remove = () => element.remove();
  const decide = () => {
    remove();
    action?.onDismiss?.();
  };
  need("[data-dismiss]", element).addEventListener("click", decide);
  if (action) {
    const button = need("[data-action]", element);
    button.textContent = action.label;
    button.hidden = false;
    button.addEventListener("click", () => {
      decide();
      action.run();
    });
  }
  need("#toasts").append(element);
  if (!action?.stays) stay(element, action ? STAY_WITH_ACTION_MS : STAY_MS);
  return remove;
}

/**
 * It goes by itself, but not while somebody points at it or is about to press its button, nor while nobody sees the page.
 *
 * @param {HTMLElement} element
 * @param {number} staysMs
 */
function stay(element, staysMs) {
  const leave = () => {
    if (document.hidden || element.matches(":hover, :focus-within")) setTimeout(leave, staysMs);
    else element.remove();
  };
  setTimeout(leave, staysMs);
}
