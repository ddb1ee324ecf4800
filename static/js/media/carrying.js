/**
 * Whether a media path carries what the other side says that it sends. Pure.
 *
 * @param {RTCStatsReport} report
 * @param {import("../types.js").MediaState} media what they say that they send
 * @returns {boolean} sound has come, and a picture could be drawn: as far as there is any
 */
export function carries(report, { audio, video }) {
  let heard = !audio;
  let seen = !video;
  for (const entry of report.values()) {
    if (entry.type !== "inbound-rtp") continue;
    if (entry.kind === "audio") heard ||= entry.packetsReceived > 0;
    else seen ||= entry.framesDecoded > 0;
  }
  return heard && seen;
}
