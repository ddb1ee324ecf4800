/**
 * What the server put into the page for its scripts.
 *
 * @typedef {import("./types.js").Boot} Boot
 */

/** @returns {Boot} */
export function readBoot() {
  return JSON.parse(/** @type {HTMLElement} */ (document.getElementById("boot")).textContent ?? "");
}
