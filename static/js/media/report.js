/**
 * What happened in a call, as a text for whoever is asked for help. The sentences are in the person's language, all below
 * them in English, whoever reads it. It names people and servers, and no addresses. Pure.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("./diary.js").DiaryFacts} DiaryFacts
 * @typedef {import("./path_stats.js").Summary} Summary
 *
 * @typedef {object} ReportFacts
 * @property {Call} call
 * @property {string} ownId user id
 * @property {DiaryFacts} diary
 * @property {string[]} sentences what the page says of it
 * @property {string} browser
 * @property {string} version of Ringback
 */

/** @param {ReportFacts} facts @returns {string} */
export function reportText({ call, ownId, diary, sentences, browser, version }) {
  const lines = [
    ...sentences,
    "",
    `Ringback ${version}, call ${call.call_id}`,
    `${call.media}, ${call.state}${call.end_reason ? ` ${call.end_reason}` : ""}, placed ${call.created_at}`,
    ...(call.answered_at ? [`answered ${call.answered_at}`] : []),
    ...(call.ended_at ? [`ended ${call.ended_at}`] : []),
    ...call.legs.map((leg) => `leg ${leg.leg_id} ${leg.user.username}${leg.user.id === ownId ? " (me)" : ""} ${legState(leg)}`),
    "",
    `browser ${browser}`,
    `servers ${diary.servers ? `stun=${diary.servers.stun} turn=${diary.servers.turn} policy=${diary.servers.policy}` : "unknown"}`,
    `devices ${diary.problems.map(({ device, kind }) => `${device}=${kind}`).join(" ") || "fine"}`,
    ...diary.paths.flatMap(pathLines),
    "",
    ...diary.entries.map(({ atMs, text }) => `${((atMs - diary.beganAtMs) / 1000).toFixed(1).padStart(7)} s  ${text}`),
  ];
  return `${lines.join("\n").trim()}\n`;
}

/** @param {import("../types.js").Leg} leg */
function legState({ state, reason }) {
  return reason ? `${state} ${reason}` : state;
}

/** @param {import("./diary.js").PathFacts} path */
function pathLines({ legId, state, connected, found, errors, quality }) {
  const addresses = Object.entries(found).map(([kind, count]) => `${kind}=${count}`);
  return [
    `path ${legId} ${state}, ${connected ? "was connected" : "never connected"}, found ${addresses.join(" ") || "no addresses"}`,
    ...(quality ? [`  quality ${qualityLine(quality)}`] : []),
    ...errors.map(({ url, code, text }) => `  server ${url} ${code} ${text}`.trimEnd()),
  ];
}

/** @param {Summary} summary */
function qualityLine({ score, loss, jitterMs, rttMs, kbitIn, kbitOut, candidate, remoteCandidate, protocol, freezes }) {
  const numbers = { score, loss, jitter_ms: jitterMs, rtt_ms: rttMs, kbit_in: kbitIn, kbit_out: kbitOut, freezes };
  const known = Object.entries(numbers).map(([name, value]) => `${name}=${value === null ? "?" : Number(value.toFixed(3))}`);
  return `${known.join(" ")} by ${candidate ?? "?"}/${protocol ?? "?"} to ${remoteCandidate ?? "?"}`;
}
