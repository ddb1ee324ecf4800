/**
 * Of a call that goes on on another device of one's own.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../types.js").Leg} Leg
 */
import { _, isolated } from "../i18n.js";

/**
 * @param {Call} call which another device or window has taken over
 * @param {string} ownId
 * @param {string} here the name of this device
 * @returns {string | null} null where only another window of this device has it
 */
export function goesOnWords(call, ownId, here) {
  const { device } = ownLeg(call, ownId) ?? {};
  return device && device !== here ? _("This call continues on %(device)s.", { device }) : null;
}

/**
 * @param {Call} call in which this person is
 * @param {string} ownId
 * @param {string} here the name of this device
 * @returns {{text: string, action: string}} where it goes on, and what one can do
 */
export function runningWords(call, ownId, here) {
  const leg = ownLeg(call, ownId);
  const name = namesIn(call, ownId);
  if (leg?.state === "reconnecting") {
    return { text: _("Your call with %(name)s still goes on.", { name }), action: _("Return to the call") };
  }
  const device = leg?.device;
  const text =
    device && device !== here
      ? _("You are in a call with %(name)s on %(device)s.", { name, device })
      : _("You are in a call with %(name)s in another window.", { name });
  return { text, action: _("Continue here") };
}

/**
 * @param {Call} call
 * @param {string} ownId
 */
function ownLeg(call, ownId) {
  return call.legs.find(({ user }) => user.id === ownId);
}

/**
 * @param {Call} call
 * @param {string} ownId
 * @returns {string} whoever else takes part; while nobody does, who is called
 */
function namesIn({ legs }, ownId) {
  const others = legs.filter(({ user }) => user.id !== ownId);
  const there = others.filter(({ state }) => state === "joined" || state === "reconnecting");
  const names = (there.length > 0 ? there : others).map(({ user }) => user.display_name);
  if (names.length === 1) return names[0];
  return new Intl.ListFormat(document.documentElement.lang).format(names.map(isolated));
}
