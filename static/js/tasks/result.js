/**
 * The way to what a task has made.
 *
 * @typedef {import("../types.js").Task} Task
 */
import { tasks as strings } from "../strings/tasks.js";

/** Below it the server gives files and data; everything else of it is a page. */
const API = "/api/";

/**
 * @param {Task} task
 * @returns {{href: string, does: "open" | "download", label: string, elsewhere: boolean} | null} null if there is nothing
 *   to open, or nothing that may be: a task of another program can have any address
 */
export function resultLink({ state, result }) {
  if (state !== "completed" || typeof result?.url !== "string") return null;
  if (!URL.canParse(result.url, location.href)) return null;
  const address = new URL(result.url, location.href);
  if (!["http:", "https:"].includes(address.protocol)) return null;
  const elsewhere = address.origin !== location.origin;
  const does = !elsewhere && address.pathname.startsWith(API) ? "download" : "open";
  return { href: address.href, does, label: strings[does], elsewhere };
}

/**
 * @param {HTMLAnchorElement} anchor
 * @param {NonNullable<ReturnType<typeof resultLink>>} link
 */
export function lead(anchor, { href, does, elsewhere }) {
  anchor.href = href;
  anchor.toggleAttribute("download", does === "download");
  anchor.target = elsewhere ? "_blank" : "";
  anchor.rel = elsewhere ? "noopener noreferrer" : "";
}
