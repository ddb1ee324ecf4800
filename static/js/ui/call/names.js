/**
 * Whom a call is with, in a few words.
 *
 * @typedef {import("../../types.js").Call} Call
 */
import { _, ngettext } from "../../i18n.js";

/** Legs of people who are in the call, or may still come. */
const HERE = new Set(["invited", "ringing", "joined", "reconnecting"]);

/**
 * @param {Call} call
 * @param {string} ownId
 * @returns {string} names of the others: of those who are there, or afterwards of all
 */
export function namesOf({ state, legs }, ownId) {
  const others = legs.filter(({ user }) => user.id !== ownId);
  const here = state === "ended" ? others : others.filter((leg) => HERE.has(leg.state));
  const [first = "", second = "", ...rest] = (here.length > 0 ? here : others).map(({ user }) => user.display_name);
  if (!second) return first;
  if (rest.length === 0) return _("%(first)s and %(second)s", { first, second });
  return ngettext(
    "%(first)s, %(second)s and %(count)s other",
    "%(first)s, %(second)s and %(count)s others",
    rest.length,
    { first, second },
  );
}
