/**
 * How good a media path is, judged from two samples of its statistics. Pure.
 *
 * @typedef {"good" | "poor"} Quality
 * @typedef {{received: number, lost: number, roundTripMs: number | null}} Sample
 */

/** Opus conceals a few lost packets in a hundred; from here on one hears it. */
const POOR_LOSS = 0.06;
/** From here on people begin to talk over each other (ITU-T G.114 names 400 ms one way as the limit). */
const POOR_ROUND_TRIP_MS = 600;

/**
 * @param {RTCStatsReport} report
 * @returns {Sample}
 */
export function sample(report) {
  /** @type {Sample} */
  const result = { received: 0, lost: 0, roundTripMs: null };
  for (const entry of report.values()) {
    if (entry.type === "inbound-rtp") {
      result.received += entry.packetsReceived;
      result.lost += entry.packetsLost;
    } else if (entry.type === "candidate-pair" && entry.nominated && entry.currentRoundTripTime !== undefined) {
      result.roundTripMs = entry.currentRoundTripTime * 1000;
    }
  }
  return result;
}

/**
 * @param {Sample} earlier
 * @param {Sample} later
 * @returns {Quality}
 */
export function judge(earlier, later) {
  const lost = Math.max(0, later.lost - earlier.lost);
  const expected = lost + Math.max(0, later.received - earlier.received);
  const loss = expected > 0 ? lost / expected : 0;
  return loss > POOR_LOSS || (later.roundTripMs ?? 0) > POOR_ROUND_TRIP_MS ? "poor" : "good";
}
