/**
 * Whether data should be saved: what the person chose, or what the browser knows of the network.
 *
 * @typedef {import("./preferences.js").MediaPreferences} MediaPreferences
 * @typedef {EventTarget & {saveData?: boolean, type?: string}} NetworkInformation
 */

/**
 * @param {"auto" | "always" | "never"} choice
 * @param {NetworkInformation | undefined} [network] undefined in browsers that say nothing about it
 * @returns {boolean}
 */
export function savesData(choice, network = browserNetwork()) {
  if (choice !== "auto") return choice === "always";
  return Boolean(network?.saveData) || network?.type === "cellular";
}

/** @returns {NetworkInformation | undefined} */
export function browserNetwork() {
  return /** @type {any} */ (navigator).connection;
}
