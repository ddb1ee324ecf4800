/**
 * Whom a call is with, in a few words.
 *
 * @typedef {import("../../types.js").Call} Call
 */
import { _, ngettext } from "../../i18n.js";

const THERE = new Set(["joined", "reconnecting"]);
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

/**
 * Who is missing in a call that was answered: it is said instead of, or below, where the call stands.
 *
 * @param {Call} call
 * @param {string} ownId
 * @returns {{status: string, hint: string}} empty where nothing is to be said
 */
export function companyWords({ state, answered_at, alone_until, legs }, ownId) {
  if (state === "ended" || !answered_at) return { status: "", hint: "" };
  const others = legs.filter(({ user }) => user.id !== ownId);
  const called = others.filter(({ state }) => HERE.has(state) && !THERE.has(state));
  const [first] = called;
  const calling = first ? _("Calling %(name)s…", { name: first.user.display_name }) : "";
  if (others.some((leg) => THERE.has(leg.state))) return { status: "", hint: calling };
  if (first) return { status: calling, hint: "" };
  if (!alone_until) return { status: "", hint: "" };
  return { status: _("Nobody else is in the call"), hint: _("It ends in a minute, unless you call somebody in.") };
}
