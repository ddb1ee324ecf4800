/**
 * What a person can do when a connection has ended for good.
 *
 * @typedef {import("../realtime/close_codes.js").NextStep} NextStep
 */
import { NEXT } from "../strings.js";
import { setText } from "./dom.js";

/** @type {Record<Exclude<NextStep, "none">, () => void>} */
const STEPS = {
  home: () => location.assign("/"),
  login: () => location.assign(`/login?next=${encodeURIComponent(location.pathname)}`),
  reload: () => location.reload(),
  here: () => location.reload(),
};

/**
 * @param {HTMLButtonElement} button shown with the step on it, or hidden if there is none to take
 * @param {NextStep} next
 */
export function offerStep(button, next) {
  button.hidden = next === "none";
  if (next === "none") return;
  setText(button, NEXT[next]);
  button.onclick = STEPS[next];
}
