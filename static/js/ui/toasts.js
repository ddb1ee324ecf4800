/** Short messages that come and go by themselves; the region they stand in is a live one. */
import { copyOf, need } from "./dom.js";

const STAY_MS = 6_000;

/**
 * @param {string} sentence
 * @param {"info" | "error"} [tone]
 */
export function toast(sentence, tone = "info") {
  const element = copyOf("toast-template");
  element.dataset.tone = tone;
  need("[data-text]", element).textContent = sentence;
  const remove = () => element.remove();
  need("button", element).addEventListener("click", remove);
  need("#toasts").append(element);
  setTimeout(remove, STAY_MS);
}
