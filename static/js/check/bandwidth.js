/**
 * How much goes through: the relay where one works, because that is the way of a call that needs one; else the line to
 * the server of Ringback, each way by itself.
 *
 * @typedef {import("./findings.js").Finding} Finding
 * @typedef {{down: () => Promise<number>, up: () => Promise<number>}} Transfers each moves a piece and tells its bytes
 */
import { RelayedLine } from "./relay.js";
import { failed, ok, skipped, warning } from "./findings.js";
import { within } from "./waiting.js";

/** Long enough for a line to come up to speed. */
const MEASURE_MS = 4_000;
const CONNECT_WITHIN_MS = 15_000;
/** Opus with its headers is 50 kbit/s each way; twice that leaves room for what else is on the line. */
const SOUND_KBIT = 100;
/** 720p at 30 pictures a second, as our pages send it at their best, is 1.5 Mbit/s and more. */
const PICTURE_KBIT = 1_500;
/** What may wait in the browser, so that what is counted has been sent. */
const QUEUED_BYTES = 256 * 1024;
/** One packet each: of a larger message all would be lost with one packet. */
const MESSAGE_BYTES = 1_100;
/** So many at once that the time until an answer comes is not what is measured. */
const AT_ONCE = 4;
const MAX_PIECES = 16;

/**
 * @param {number} kbit
 * @param {Record<string, string | number>} values
 * @returns {Finding}
 */
export function judgeBandwidth(kbit, values) {
  if (kbit >= PICTURE_KBIT) return ok("enough", values);
  return kbit >= SOUND_KBIT ? warning("sound_only", values) : failed("too_little", values);
}

/**
 * @param {RTCIceServer | null} relay that works, if one does
 * @param {Transfers} transfers to and from the server
 * @returns {Promise<Finding>}
 */
export async function checkBandwidth(relay, transfers) {
  const kbit = relay && (await throughRelay(relay));
  if (kbit) return judgeBandwidth(kbit, { mbit: mbit(kbit), way: "relay" });
  try {
    const down = await rate(transfers.down);
    const up = await rate(transfers.up);
    return judgeBandwidth(Math.min(down, up), { down: mbit(down), up: mbit(up), way: "server" });
  } catch {
    return skipped("not_measured");
  }
}

/** @param {number} kbit @returns {string} two digits that mean something */
function mbit(kbit) {
  return (kbit / 1000).toLocaleString(document.documentElement.lang, { maximumSignificantDigits: 2 });
}

/**
 * @param {RTCIceServer} server
 * @returns {Promise<number | null>} kbit/s that went in and came out again; null if it was not opened
 */
async function throughRelay(server) {
  const line = new RelayedLine(server);
  try {
    // What is lost is not sent again: as media does it.
    const channels = await within(line.open({ ordered: false, maxRetransmits: 0 }), CONNECT_WITHIN_MS);
    return channels && (await pour(channels));
  } finally {
    line.close();
  }
}

/** @param {[RTCDataChannel, RTCDataChannel]} channels */
async function pour([mine, theirs]) {
  const message = crypto.getRandomValues(new Uint8Array(MESSAGE_BYTES));
  let bytes = 0;
  theirs.binaryType = "arraybuffer";
  theirs.onmessage = ({ data }) => (bytes += data.byteLength);
  mine.bufferedAmountLowThreshold = QUEUED_BYTES / 2;
  const fill = () => {
    while (mine.readyState === "open" && mine.bufferedAmount < QUEUED_BYTES) mine.send(message);
  };
  mine.onbufferedamountlow = fill;
  const begunAtMs = performance.now();
  fill();
  await new Promise((resolve) => setTimeout(resolve, MEASURE_MS));
  mine.onbufferedamountlow = null;
  return (8 * bytes) / (performance.now() - begunAtMs);
}

/**
 * @param {() => Promise<number>} transfer
 * @returns {Promise<number>} kbit/s
 */
async function rate(transfer) {
  const begunAtMs = performance.now();
  let pieces = 0;
  let bytes = 0;
  const carry = async () => {
    while (pieces < MAX_PIECES && performance.now() - begunAtMs < MEASURE_MS) {
      pieces += 1;
      bytes += await transfer();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, carry));
  return (8 * bytes) / (performance.now() - begunAtMs);
}
