/**
 * @typedef {import("../types.js").User} User
 */
import { initials, tint } from "./format.js";

/**
 * @param {HTMLElement} element with the class `avatar`
 * @param {User} user
 */
export function drawAvatar(element, { display_name, username }) {
  element.classList.remove(...[...element.classList].filter((name) => name.startsWith("tint-")));
  element.classList.add(tint(username));
  /** @type {HTMLElement} */ (element.querySelector("[data-initials]")).textContent = initials(display_name);
}
