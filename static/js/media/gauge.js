/**
 * What the statistics of one path say about sending, from one look to the next.
 *
 * @typedef {import("./ladder.js").Look} Look
 * @typedef {{atMs: number, lost: number, sent: number}} Heard what the other end had said when it spoke last
 */

/** Of fewer packets a single lost one would look like a bad network: a silent microphone sends hardly any. */
const LEAST_PACKETS = 30;

export class Gauge {
  /** By the stream that it is about. @type {Map<string, Heard>} */
  #heard = new Map();

  /**
   * @param {RTCStatsReport} report
   * @returns {Look}
   */
  look(report) {
    const entries = /** @type {any[]} */ ([...report.values()]);
    const path = pathOf(entries);
    const roundTripS = path?.currentRoundTripTime;
    const losses = entries.filter(({ type }) => type === "remote-inbound-rtp").map((entry) => this.#loss(entry, report));
    const known = /** @type {number[]} */ (losses.filter((loss) => loss !== null));
    return {
      loss: known.length > 0 ? Math.max(...known) : null,
      roundTripMs: roundTripS === undefined ? null : roundTripS * 1000,
      bitsPerS: path?.availableOutgoingBitrate ?? null,
    };
  }

  /**
   * The other end speaks about each stream every second or every fifth; between two of its words nothing is known.
   *
   * @param {any} entry
   * @param {any} report
   * @returns {number | null}
   */
  #loss({ id, localId, timestamp, packetsLost }, report) {
    const sent = report.get(localId)?.packetsSent;
    if (sent === undefined || packetsLost === undefined) return null;
    const before = this.#heard.get(id);
    if (before?.atMs === timestamp) return null;
    const packets = sent - (before?.sent ?? 0);
    if (before && packets < LEAST_PACKETS) return null; // goes on counting until there are enough
    this.#heard.set(id, { atMs: timestamp, lost: packetsLost, sent });
    return before ? Math.min(1, Math.max(0, packetsLost - before.lost) / packets) : null;
  }
}

/**
 * The pair of candidates in use. Firefox has no statistics of transports, and marks the pair itself.
 *
 * @param {any[]} entries
 */
function pathOf(entries) {
  const transport = entries.find(({ selectedCandidatePairId }) => selectedCandidatePairId);
  const pairs = entries.filter(({ type }) => type === "candidate-pair");
  return pairs.find(({ id, selected }) => (transport ? id === transport.selectedCandidatePairId : selected));
}
