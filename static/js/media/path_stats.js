/**
 * What the statistics of an RTCPeerConnection say of a path, as numbers: a sample is what was counted up to one moment,
 * a summary what happened between two. Pure.
 *
 * @typedef {"host" | "srflx" | "prflx" | "relay"} Candidate
 *
 * @typedef {object} Counted packets from there, of one kind of media
 * @property {number} received
 * @property {number} lost
 *
 * @typedef {object} Sample
 * @property {number} atMs
 * @property {Counted} audio
 * @property {Counted} video
 * @property {number | null} jitterMs of the sound
 * @property {number} bufferS how long what was heard had waited, all of it together
 * @property {number} bufferedSamples how much that was
 * @property {number} energy of the sound that came, as in `totalAudioEnergy`
 * @property {number} heardS how much sound that was
 * @property {number} freezes
 * @property {number} bytesIn
 * @property {number} bytesOut
 * @property {number | null} roundTripMs
 * @property {Candidate | null} candidate the kind of our own address
 * @property {Candidate | null} remoteCandidate
 * @property {string | null} protocol `udp` or `tcp`; by a relay, how we reach it: `udp`, `tcp` or `tls`
 *
 * @typedef {object} Summary
 * @property {number | null} score as in score.js; null while nothing comes from there
 * @property {number | null} loss from 0 to 1; null while nothing comes from there
 * @property {number | null} jitterMs
 * @property {number | null} rttMs
 * @property {number} kbitIn in a second
 * @property {number} kbitOut in a second
 * @property {Candidate | null} candidate
 * @property {Candidate | null} remoteCandidate
 * @property {string | null} protocol
 * @property {number} freezes
 * @property {number | null} audioLevel how loud they were, from 0 to 1; null while no sound comes
 * @property {number} packets that came
 */
import { scoreOf } from "./score.js";

/** Of fewer packets a part says nothing: half a second of speech. */
const ENOUGH_PACKETS = 25;
/** What Opus itself holds back, as it is set up everywhere: a frame of 20 ms, and 6.5 ms of look-ahead (RFC 6716, 2). */
const CODEC_DELAY_MS = 26.5;

/** @returns {Sample} */
function nothing() {
  return {
    atMs: 0,
    audio: { received: 0, lost: 0 },
    video: { received: 0, lost: 0 },
    jitterMs: null,
    bufferS: 0,
    bufferedSamples: 0,
    energy: 0,
    heardS: 0,
    freezes: 0,
    bytesIn: 0,
    bytesOut: 0,
    roundTripMs: null,
    candidate: null,
    remoteCandidate: null,
    protocol: null,
  };
}

/**
 * @param {{values: () => Iterable<any>, get: (id: string) => any}} report an RTCStatsReport
 * @param {number} atMs when it was taken
 * @returns {Sample}
 */
export function sampleOf(report, atMs) {
  const sample = { ...nothing(), atMs };
  for (const entry of report.values()) {
    if (entry.type === "inbound-rtp") addInbound(sample, entry);
    else if (entry.type === "outbound-rtp") sample.bytesOut += (entry.bytesSent ?? 0) + (entry.headerBytesSent ?? 0);
  }
  const pair = selectedPair(report);
  if (!pair) return sample;
  const local = report.get(pair.localCandidateId);
  return {
    ...sample,
    roundTripMs: pair.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000,
    candidate: local?.candidateType ?? null,
    remoteCandidate: report.get(pair.remoteCandidateId)?.candidateType ?? null,
    protocol: local?.relayProtocol ?? local?.protocol ?? null,
  };
}

/**
 * @param {Sample} sample
 * @param {any} entry
 */
function addInbound(sample, entry) {
  const counted = entry.kind === "audio" ? sample.audio : sample.video;
  counted.received += entry.packetsReceived ?? 0;
  counted.lost += entry.packetsLost ?? 0;
  sample.bytesIn += (entry.bytesReceived ?? 0) + (entry.headerBytesReceived ?? 0);
  sample.freezes += entry.freezeCount ?? 0;
  if (entry.kind !== "audio") return;
  if (entry.jitter !== undefined) sample.jitterMs = entry.jitter * 1000;
  sample.bufferS += entry.jitterBufferDelay ?? 0;
  sample.bufferedSamples += entry.jitterBufferEmittedCount ?? 0;
  sample.energy += entry.totalAudioEnergy ?? 0;
  sample.heardS += entry.totalSamplesDuration ?? 0;
}

/** @param {{values: () => Iterable<any>, get: (id: string) => any}} report */
function selectedPair(report) {
  for (const entry of report.values()) {
    if (entry.type === "transport" && entry.selectedCandidatePairId) return report.get(entry.selectedCandidatePairId);
  }
  // Firefox tells no transports.
  for (const entry of report.values()) {
    if (entry.type === "candidate-pair" && (entry.selected || (entry.nominated && entry.state === "succeeded"))) return entry;
  }
  return null;
}

/**
 * @param {Sample} earlier
 * @param {Sample} later of the same connection
 * @returns {Summary}
 */
export function summaryOf(earlier, later) {
  const seconds = Math.max(0.001, (later.atMs - earlier.atMs) / 1000);
  const audio = between(earlier.audio, later.audio);
  const video = between(earlier.video, later.video);
  const loss = lossOf(audio) ?? lossOf({ received: audio.received + video.received, lost: audio.lost + video.lost });
  const bufferMs = ratio(later.bufferS - earlier.bufferS, later.bufferedSamples - earlier.bufferedSamples) * 1000;
  const heardS = later.heardS - earlier.heardS;
  return {
    score: loss === null ? null : scoreOf({ loss, oneWayMs: (later.roundTripMs ?? 0) / 2 + bufferMs + CODEC_DELAY_MS }),
    loss,
    jitterMs: later.jitterMs,
    rttMs: later.roundTripMs,
    kbitIn: kbit(later.bytesIn - earlier.bytesIn, seconds),
    kbitOut: kbit(later.bytesOut - earlier.bytesOut, seconds),
    candidate: later.candidate,
    remoteCandidate: later.remoteCandidate,
    protocol: later.protocol,
    freezes: Math.max(0, later.freezes - earlier.freezes),
    audioLevel: audio.received > 0 && heardS > 0 ? levelOf(later.energy - earlier.energy, heardS) : null,
    packets: audio.received + video.received,
  };
}

/**
 * Counters of a sender that was replaced begin anew: then nothing is said rather than something wrong.
 *
 * @param {Counted} earlier
 * @param {Counted} later
 * @returns {Counted}
 */
function between(earlier, later) {
  return { received: Math.max(0, later.received - earlier.received), lost: Math.max(0, later.lost - earlier.lost) };
}

/** @param {Counted} counted @returns {number | null} */
function lossOf({ received, lost }) {
  return received + lost < ENOUGH_PACKETS ? null : lost / (received + lost);
}

/** @param {number} part @param {number} whole */
function ratio(part, whole) {
  return whole > 0 ? Math.max(0, part) / whole : 0;
}

/** @param {number} bytes @param {number} seconds */
function kbit(bytes, seconds) {
  return (Math.max(0, bytes) * 8) / 1000 / seconds;
}

/**
 * The root of the mean square (webrtc-stats, totalAudioEnergy).
 *
 * @param {number} energy
 * @param {number} seconds
 */
function levelOf(energy, seconds) {
  return Math.min(1, Math.sqrt(Math.max(0, energy) / seconds));
}

/**
 * @param {Summary} summary
 * @returns {object} the same as the frame `quality` has it
 */
export function reportOf({ score, loss, jitterMs, rttMs, kbitIn, kbitOut, candidate, freezes, audioLevel }) {
  return {
    score: rounded(score, 2),
    loss: rounded(loss, 4),
    jitter_ms: rounded(jitterMs, 1),
    rtt_ms: rounded(rttMs, 1),
    kbit_in: rounded(kbitIn, 1),
    kbit_out: rounded(kbitOut, 1),
    candidate,
    freezes,
    audio_level: rounded(audioLevel, 4),
  };
}

/** @param {number | null} value @param {number} digits */
function rounded(value, digits) {
  return value === null ? null : Number(value.toFixed(digits));
}
