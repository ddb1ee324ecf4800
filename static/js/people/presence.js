/**
 * Whether somebody is there, in words.
 *
 * @typedef {import("../types.js").Presence} Presence
 */
import { _ } from "../i18n.js";

/** @type {Record<Presence, () => string>} */
const WORDS = {
  online: () => _("Online"),
  away: () => _("Away"),
  in_call: () => _("In a call"),
  do_not_disturb: () => _("Do not disturb"),
  offline: () => _("Offline"),
};

/** @param {Presence} presence */
export function presenceWords(presence) {
  return WORDS[presence]();
}
