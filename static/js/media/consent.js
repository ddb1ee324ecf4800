/**
 * Who agrees to a recording: the same rules as the server's, for the browser in which it is made. Pure.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../types.js").Leg} Leg
 * @typedef {import("../types.js").Recording} Recording
 */

/** Legs whose person takes part. */
const IN_CALL = new Set(["joined", "reconnecting"]);

/**
 * @param {Recording} recording
 * @param {Leg | undefined} leg
 * @returns {boolean} whether that participant has agreed since they came in: who comes back is asked again
 */
export function agrees({ consents }, leg) {
  const said = consents.find((consent) => consent.leg_id === leg?.leg_id);
  if (!leg || !said || said.agreed_at === null || said.refused_at !== null) return false;
  return leg.joined_at === null || Date.parse(said.agreed_at) >= Date.parse(leg.joined_at);
}

/**
 * @param {Call} call
 * @param {Recording} recording
 * @returns {Leg[]} whoever is in the call and has not agreed
 */
export function awaited({ legs }, recording) {
  return legs.filter((leg) => IN_CALL.has(leg.state) && !agrees(recording, leg));
}
