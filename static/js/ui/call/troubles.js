/**
 * Which pairs in a call do not hear each other, in sentences that name them. Pure.
 *
 * @typedef {import("../../media/other.js").OtherView} OtherView
 */
import { _ } from "../../i18n.js";

/** Not `checking`: that is how every path begins. */
const BROKEN = new Set(["disconnected", "failed"]);

/**
 * @param {OtherView[]} others
 * @param {string} ownLegId
 * @returns {string[]} one sentence for each pair that is apart
 */
export function troublesOf(others, ownLegId) {
  const own = others
    .filter(({ path, paths }) => BROKEN.has(path ?? "") || BROKEN.has(paths[ownLegId]))
    .map(({ user }) => _("You and %(name)s cannot hear each other at the moment", { name: user.display_name }));
  return [...own, ...others.flatMap((one, index) => others.slice(index + 1).flatMap((other) => between(one, other)))];
}

/**
 * Each of the two tells of the path between them; it may be that only one has noticed so far.
 *
 * @param {OtherView} one
 * @param {OtherView} other
 * @returns {string[]}
 */
function between(one, other) {
  const [first, second] = [one.user.display_name, other.user.display_name];
  const oneMisses = BROKEN.has(one.paths[other.legId]);
  const otherMisses = BROKEN.has(other.paths[one.legId]);
  if (oneMisses && otherMisses) return [_("%(first)s and %(second)s cannot hear each other", { first, second })];
  if (oneMisses) return [_("%(first)s cannot hear %(second)s", { first, second })];
  if (otherMisses) return [_("%(first)s cannot hear %(second)s", { first: second, second: first })];
  return [];
}
