/** A question that has to be answered before something is done that others feel, or that cannot be undone. */
import { need, setText } from "./dom.js";

/**
 * @param {object} question
 * @param {string} question.title
 * @param {string} question.text what will happen
 * @param {string} question.action the word on the button that does it
 * @returns {Promise<boolean>} whether it shall be done
 */
export async function confirm({ title, text, action }) {
  /** @type {HTMLDialogElement} */
  const dialog = need("#confirm");
  setText(need("[data-title]", dialog), title);
  setText(need("[data-text]", dialog), text);
  setText(need("[data-action]", dialog), action);
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  return dialog.returnValue === "yes";
}
