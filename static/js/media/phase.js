/**
 * Where a call stands for the person looking at it. Pure: a function of what the server says and what the paths do.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../types.js").Leg} Leg
 * @typedef {import("../types.js").PathState} PathState
 * @typedef {"incoming" | "calling" | "trying" | "ringing" | "connecting" | "in_call" | "reconnecting" | "ended"} Phase
 *   `trying`: no device of the other person has said that it rings; `reconnecting`: media flowed and does not now
 */

/** States of a leg in which its person is, or can still come to be, in the call. */
const ALIVE = new Set(["invited", "ringing", "joined", "reconnecting"]);
const WAITING = new Set(["invited", "ringing"]);

/**
 * @param {object} facts
 * @param {Call} facts.call
 * @param {string} facts.legId mine
 * @param {boolean} facts.over it has ended for this page, whatever the server says
 * @param {boolean} facts.slow nobody has acknowledged for some seconds
 * @param {boolean} facts.everConnected media has flowed on this page
 * @param {(PathState | null)[]} facts.paths to each of the others
 * @returns {Phase}
 */
export function phaseOf({ call, legId, over, slow, everConnected, paths }) {
  const rank = call.legs.findIndex((leg) => leg.leg_id === legId);
  const state = call.legs[rank]?.state ?? "left";
  if (over || call.state === "ended" || !ALIVE.has(state)) return "ended";
  if (rank > 0 && WAITING.has(state)) return "incoming";
  if (call.state === "inviting") return slow ? "trying" : "calling";
  if (call.state === "ringing") return "ringing";
  if (paths.includes("connected")) return "in_call";
  return everConnected ? "reconnecting" : "connecting";
}
