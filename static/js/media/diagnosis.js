/**
 * Why a call failed, or was not good: causes found among the facts, the one to read first at the beginning. Pure. The
 * sentences are in strings/failures.js.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("./call.js").Over} Over
 * @typedef {import("./diary.js").DiaryFacts} DiaryFacts
 * @typedef {import("./diary.js").PathFacts} PathFacts
 *
 * @typedef {"denied" | "missing" | "in_use" | "insecure" | "denied_there" | "relay_refused" | "relay_full" |
 *   "relay_unreachable" | "no_relay" | "no_addresses" | "no_way" | "never_met" | "lost_there" | "lost_here" | "offline" |
 *   "server_away" | "server_stopped" | "server_fault" | "elsewhere" | "replaced" | "removed"} CauseKind
 * @typedef {{kind: CauseKind, name?: string, problems?: import("./devices.js").MediaProblem[]}} Cause
 *
 * @typedef {object} Facts
 * @property {Call} call
 * @property {string} ownId user id
 * @property {Over | null} over why it is over on this page, where the call does not say it
 * @property {DiaryFacts} diary
 */

/** The relay does not let us in: wrong, foreign or stale credentials (RFC 8656, 18; RFC 8489, 14.8). */
const REFUSED = new Set([401, 403, 438, 441]);
/** It would, but has no room: allocation quota reached, insufficient capacity. */
const FULL = new Set([486, 508]);
const REPLACED = 4504;
const ENDED_BEFORE = 4508;

/**
 * @param {Facts} facts
 * @returns {Cause[]} none for a call of which nothing is wrong
 */
export function causesOf(facts) {
  const causes = [...here(facts), ...there(facts), ...paths(facts), ...server(facts)];
  return causes.filter(({ kind, name }, index) => {
    return causes.findIndex((other) => other.kind === kind && other.name === name) === index;
  });
}

/**
 * What is wrong while it goes on: a path that does not come about, a server that is away.
 *
 * @param {Facts} facts
 * @returns {Cause[]}
 */
export function troublesOf({ diary }) {
  return diary.paths.flatMap((path) => (path.connected ? [] : relay(path, diary)));
}

/** This person's side. @param {Facts} facts @returns {Cause[]} */
function here({ call, ownId, over, diary }) {
  /** @type {Cause[]} */
  const causes = [];
  if (over && "reason" in over && over.reason === "answered_elsewhere") causes.push({ kind: "elsewhere" });
  if (over && "code" in over && over.code === REPLACED) causes.push({ kind: "replaced" });
  if (over && "code" in over && over.code === ENDED_BEFORE && own(call, ownId)?.reason === "removed") {
    causes.push({ kind: "removed" });
  }
  const [problem] = diary.problems;
  if (problem) causes.push({ kind: problem.kind, problems: diary.problems });
  if (call.end_reason === "connection_lost" && diary.lost.length === 0 && diary.entries.length > 0) {
    causes.push({ kind: diary.online ? "lost_here" : "offline" });
  }
  return causes;
}

/** The other side. @param {Facts} facts @returns {Cause[]} */
function there({ call, ownId, diary }) {
  /** @type {Cause[]} */
  const causes = [];
  if (call.end_reason === "media_denied" && call.ended_by !== ownId) {
    causes.push({ kind: "denied_there", name: nameOf(call, (leg) => leg.user.id === call.ended_by) });
  }
  for (const legId of diary.lost) {
    causes.push({ kind: "lost_there", name: nameOf(call, (leg) => leg.leg_id === legId) });
  }
  return causes;
}

/** Between the two. @param {Facts} facts @returns {Cause[]} */
function paths({ call, ownId, diary }) {
  const broken = call.end_reason === "ice_failed";
  const failed = diary.paths.filter(({ connected, state }) => !connected && (broken || state === "failed"));
  if (failed.length > 0) return failed.flatMap((path) => whyNot(path, call, diary));
  if (!broken || diary.paths.length > 0) return [];
  const others = call.legs.filter((leg) => leg.user.id !== ownId && leg.joined_at !== null);
  const kind = diary.entries.length > 0 ? "never_met" : "no_way"; // without a diary more is not known
  return others.map((leg) => ({ kind, name: leg.user.display_name }));
}

/**
 * @param {PathFacts} path one that never came about
 * @param {Call} call
 * @param {DiaryFacts} diary
 * @returns {Cause[]}
 */
function whyNot(path, call, diary) {
  const said = relay(path, diary);
  if (said.length > 0) return said;
  if (diary.servers?.turn && !path.found.relay) return [{ kind: "relay_unreachable" }]; // it has never said anything
  return [noWay(path, nameOf(call, (leg) => leg.leg_id === path.legId), diary)];
}

/**
 * What the relay has said.
 *
 * @param {PathFacts} path
 * @param {DiaryFacts} diary
 * @returns {Cause[]}
 */
function relay({ errors, found }, { servers }) {
  if (!servers?.turn || found.relay) return [];
  const codes = errors.filter(({ url }) => url.startsWith("turn")).map(({ code }) => code);
  if (codes.some((code) => REFUSED.has(code))) return [{ kind: "relay_refused" }];
  if (codes.some((code) => FULL.has(code))) return [{ kind: "relay_full" }];
  return codes.length > 0 ? [{ kind: "relay_unreachable" }] : [];
}

/**
 * @param {PathFacts} path
 * @param {string} name
 * @param {DiaryFacts} diary
 * @returns {Cause}
 */
function noWay({ found }, name, { servers }) {
  if (Object.keys(found).length === 0) return { kind: "no_addresses" };
  return { kind: servers && !servers.turn ? "no_relay" : "no_way", name };
}

/** @param {Facts} facts @returns {Cause[]} */
function server({ call, diary }) {
  if (call.end_reason === "server_shutdown") return [{ kind: "server_stopped" }];
  if (call.end_reason === "error") return [{ kind: "server_fault" }];
  return isAway(diary) && call.end_reason !== "connection_lost" ? [{ kind: "server_away" }] : [];
}

/** Whether the room was reached once, and not any more. @param {DiaryFacts} diary */
function isAway({ entries, link }) {
  return (link === "waiting" || link === "connecting") && entries.some(({ text }) => text === "socket open");
}

/** @param {Call} call @param {string} ownId */
function own(call, ownId) {
  return call.legs.find(({ user }) => user.id === ownId);
}

/**
 * @param {Call} call
 * @param {(leg: import("../types.js").Leg) => boolean} which
 */
function nameOf(call, which) {
  return call.legs.find(which)?.user.display_name ?? "";
}
