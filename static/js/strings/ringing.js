/**
 * Where a call stands and what became of it, in one sentence for the person who looks. The history has the same
 * sentences, from server/calls/outcomes.py; a test compares the two.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../types.js").Leg} Leg
 * @typedef {import("../media/phase.js").Phase} Phase
 */
import { _ } from "../i18n.js";
import { duration } from "../ui/format.js";

/** @type {Record<Exclude<Phase, "ended" | "incoming" | "ringing">, (name: string) => string>} */
const PHASE = {
  calling: (name) => _("Calling %(name)s…", { name }),
  trying: (name) => _("Trying to reach %(name)s…", { name }),
  connecting: () => _("Connecting…"),
  in_call: () => _("In call"),
  reconnecting: () => _("Reconnecting…"),
};

/** @type {Partial<Record<Phase, () => string>>} */
const HINT = {
  trying: () => _("None of their devices has answered yet."),
  reconnecting: () => _("The call goes on. Please stay a moment."),
};

/**
 * @param {Call} call
 * @param {string} ownId
 * @param {Exclude<Phase, "ended" | "incoming">} phase
 * @returns {string} where it stands
 */
export function phaseWords(call, ownId, phase) {
  const { user, call_waiting } = peerOf(call, ownId);
  const name = user.display_name;
  if (phase !== "ringing") return PHASE[phase](name);
  return call_waiting
    ? _("%(name)s is in another call; it is ringing there softly", { name })
    : _("Ringing…");
}

/**
 * @param {Phase} phase
 * @returns {string} what stands below that
 */
export function hintWords(phase) {
  return HINT[phase]?.() ?? "";
}

/**
 * Why it is over on this page, where the server has not said it yet, or never will: another device has taken it.
 *
 * @type {Record<string, (name: string) => string>}
 */
const OVER_HERE = {
  answered_elsewhere: () => _("You answered this call on another device"),
  declined_elsewhere: () => _("You declined this call on another device"),
  held_back: () => _("The call was held back"),
  cancelled: (name) => _("You hung up before %(name)s answered", { name }),
  hangup: () => _("The call has ended"),
  left: () => _("You have left the call"),
  removed: () => _("You were removed from the call"),
  no_answer: () => _("Missed call"),
  media_denied: () => _("Camera or microphone was not allowed"),
};

/**
 * @param {Call} call
 * @param {string} ownId
 * @param {string | null} overHere why it is over on this page, if the call itself does not say it
 * @returns {string}
 */
export function endedWords(call, ownId, overHere) {
  const { display_name: name } = peerOf(call, ownId).user;
  const own = call.legs.find(({ user }) => user.id === ownId);
  if (overHere === "cancelled" && own !== call.legs[0]) return _("Missed call");
  if (call.state !== "ended" && own?.reason === "removed") return OVER_HERE.removed(name);
  if (overHere) return (OVER_HERE[overHere] ?? OVER_HERE.hangup)(name);
  if (call.state !== "ended" && own?.state === "left") return OVER_HERE.left(name);
  return call.state === "ended" ? outcomeWords(call, ownId) : ((own && notThere(call, own, name)) ?? OVER_HERE.hangup(name));
}

/** By the state of a leg whose person did not take part. @type {Record<string, (name: string) => string>} */
const NEVER_THERE = {
  missed: () => _("Missed call"),
  declined: () => _("You declined"),
  busy: () => _("Missed while you were in another call"),
  do_not_disturb: () => _("Held back by your do-not-disturb"),
  blocked: (name) => _("You have blocked %(name)s", { name }),
  unreachable: () => _("None of your devices was there"),
};

/** By the reason, for the caller. @type {Record<string, (name: string) => string>} */
const UNANSWERED = {
  hangup: () => _("Ended before it was answered"),
  declined: (name) => _("%(name)s declined", { name }),
  cancelled: (name) => _("You hung up before %(name)s answered", { name }),
  no_answer: (name) => _("%(name)s did not answer", { name }),
  unreachable: (name) => _("%(name)s could not be reached", { name }),
  busy: (name) => _("%(name)s is in another call", { name }),
  do_not_disturb: (name) => _("%(name)s does not want to be disturbed now", { name }),
  lonely: () => _("Ended before it was answered"),
};

/** By the reason, for everybody. @type {Record<string, () => string>} */
const BROKEN_OFF = {
  media_denied: () => _("Camera or microphone was not allowed"),
  ice_failed: () => _("The connection between you could not be made"),
  connection_lost: () => _("The connection was lost"),
  max_duration: () => _("Ended after the longest time that a call may take"),
  admin_ended: () => _("Ended by an administrator"),
  server_shutdown: () => _("Ended because the server was shut down"),
  error: () => _("Ended by a fault of the server"),
};

/**
 * @param {Call} call one that is over
 * @param {string} ownId
 * @returns {string}
 */
export function outcomeWords(call, ownId) {
  const own = call.legs.find(({ user }) => user.id === ownId) ?? call.legs[0];
  const peer = peerOf(call, ownId);
  const name = peer.user.display_name;
  return (
    notThere(call, own, name) ??
    unanswered(call, peer, name) ??
    BROKEN_OFF[whyOver(call, own) ?? ""]?.() ??
    _("Talked for %(duration)s", { duration: duration(call.duration_s ?? 0) })
  );
}

/**
 * The reason for this person: of their own going, if they went before the others.
 *
 * @param {Call} call
 * @param {Leg} own
 */
function whyOver(call, own) {
  return own.left_at && own.left_at !== call.ended_at ? own.reason : call.end_reason;
}

/**
 * @param {Call} call
 * @param {Leg} own
 * @param {string} name
 */
function notThere(call, own, name) {
  if (typeof call.duration_s === "number") return undefined; // was there, and was perhaps called back in vain
  if (own.reason === "contacts_only") return _("Held back: you take calls from contacts only");
  return NEVER_THERE[own.state]?.(name);
}

/**
 * @param {Call} call
 * @param {Leg} peer
 * @param {string} name
 */
function unanswered({ answered_at, end_reason }, peer, name) {
  if (answered_at) return undefined;
  if (end_reason === "do_not_disturb" && peer.reason === "contacts_only") {
    return _("%(name)s takes calls from contacts only", { name });
  }
  if (end_reason === "declined" && peer.call_waiting) return _("%(name)s is in another call and declined", { name });
  return UNANSWERED[end_reason ?? ""]?.(name);
}

/**
 * @param {Call} call
 * @param {string} ownId
 * @returns {Leg} the other side of a call between two; for whoever was called the one who did, for a caller of many the
 *   first
 */
export function peerOf(call, ownId) {
  const inviterId = call.legs.find(({ user }) => user.id === ownId)?.invited_by;
  const inviter = inviterId && call.legs.find(({ user }) => user.id === inviterId);
  return inviter || (call.legs.find(({ user }) => user.id !== ownId) ?? call.legs[0]);
}

/**
 * @param {Call} call
 * @param {string} ownId
 * @returns {boolean} whether it rings softly for that person, who is in another call
 */
export function ringsSoftly(call, ownId) {
  return call.legs.some(({ user, call_waiting }) => user.id === ownId && call_waiting);
}
