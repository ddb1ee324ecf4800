/**
 * Does a packet go through the relay and back? Two connections in this page, both of which may use nothing but that one
 * relay, as two people do whose networks let nothing else through.
 *
 * @typedef {import("./findings.js").Finding} Finding
 * @typedef {"refused" | "unreachable" | "full" | "silent" | "error"} Fault
 * @typedef {{url: string, ms: number} | {url: string, fault: Fault}} Tried
 */
import { failed, ok, skipped, warning } from "./findings.js";
import { urlsOf } from "./stun.js";
import { median, within } from "./waiting.js";

/** A browser gives a server up after 9.5 s; then there must be time to send. */
const CONNECT_WITHIN_MS = 15_000;
const ANSWER_WITHIN_MS = 5_000;
const PACKETS = 5;
const PACKET_BYTES = 32;

/**
 * STUN errors that a TURN server answers with, as `icecandidateerror` has them: RFC 8656 §19, and 701 of WebRTC §4.8.2.
 *
 * @type {Record<number, Fault>}
 */
const FAULT_OF_CODE = { 401: "refused", 403: "refused", 438: "refused", 441: "refused", 486: "full", 508: "full", 701: "unreachable" };
/** What says most of a fault, where several were told. @type {Fault[]} */
const TELLING = ["refused", "full", "error", "unreachable"];

/**
 * Tries each address of a relay by itself: a network may let through UDP and not TCP, or the other way round.
 *
 * @param {RTCIceServer[]} servers
 * @returns {Promise<{finding: Finding, tried: Tried[], working: RTCIceServer | null}>} `working`: the quickest one
 */
export async function checkRelay(servers) {
  const single = servers.flatMap((server) => urlsOf([server], /^turns?:/).map((url) => ({ ...server, urls: [url] })));
  if (single.length === 0) return { finding: skipped("none"), tried: [], working: null };
  const tried = await Promise.all(single.map((server) => tryRelay(server)));
  return { finding: judge(tried), tried, working: quickest(single, tried) };
}

/**
 * @param {Tried[]} tried at least one
 * @returns {Finding}
 */
export function judge(tried) {
  const times = tried.flatMap((each) => ("ms" in each ? [each.ms] : []));
  const faults = tried.flatMap((each) => ("fault" in each ? [each] : []));
  if (times.length === 0) {
    const [{ fault }] = [...faults].sort((a, b) => weight(a.fault) - weight(b.fault));
    return failed(fault, { url: faults.map(({ url }) => url).join(", ") });
  }
  const ms = Math.min(...times);
  return faults.length === 0 ? ok("works", { ms }) : warning("some", { ms, url: faults.map(({ url }) => url).join(", ") });
}

/** @param {Fault} fault */
const weight = (fault) => (TELLING.includes(fault) ? TELLING.indexOf(fault) : TELLING.length);

/**
 * @param {RTCIceServer[]} servers
 * @param {Tried[]} tried of each of them
 */
function quickest(servers, tried) {
  const working = tried.flatMap((each, index) => ("ms" in each ? [{ ms: each.ms, server: servers[index] }] : []));
  return working.sort((a, b) => a.ms - b.ms)[0]?.server ?? null;
}

/**
 * @param {RTCIceServer} server of one address
 * @returns {Promise<Tried>}
 */
async function tryRelay(server) {
  const [url] = server.urls;
  const line = new RelayedLine(server);
  try {
    const channels = await within(Promise.race([line.open(), line.refused]), CONNECT_WITHIN_MS);
    if (channels === null) return { url, fault: line.fault ?? "silent" };
    if (typeof channels === "string") return { url, fault: channels };
    const ms = await within(echoed(channels), ANSWER_WITHIN_MS);
    return ms === null ? { url, fault: "silent" } : { url, ms: Math.max(1, Math.round(ms)) };
  } finally {
    line.close();
  }
}

/** Two connections of this page that meet at the relay. */
export class RelayedLine {
  #ends;
  /** @type {(fault: Fault) => void} */
  #refuse = () => {};
  /** What the server answered instead of giving an allocation. @type {Fault | null} */
  fault = null;
  #candidates = 0;

  /** @param {RTCIceServer} server */
  constructor(server) {
    /** @type {RTCConfiguration} */
    const configuration = { iceServers: [server], iceTransportPolicy: "relay" };
    this.#ends = [new RTCPeerConnection(configuration), new RTCPeerConnection(configuration)];
    /** Resolves when no allocation comes any more. @type {Promise<Fault>} */
    this.refused = new Promise((resolve) => (this.#refuse = resolve));
  }

  /**
   * @param {RTCDataChannelInit} [options]
   * @returns {Promise<[RTCDataChannel, RTCDataChannel]>} both ends; it never rejects, and may never come
   */
  async open(options) {
    const [a, b] = this.#ends;
    this.#introduce(a, b);
    this.#introduce(b, a);
    const mine = a.createDataChannel("check", options);
    /** @type {Promise<RTCDataChannel>} */
    const theirs = new Promise((resolve) => (b.ondatachannel = ({ channel }) => resolve(channel)));
    const open = new Promise((resolve) => (mine.onopen = resolve));
    await a.setLocalDescription();
    await b.setRemoteDescription(/** @type {RTCSessionDescription} */ (a.localDescription));
    await b.setLocalDescription();
    await a.setRemoteDescription(/** @type {RTCSessionDescription} */ (b.localDescription));
    await open;
    return [mine, await theirs];
  }

  close() {
    for (const end of this.#ends) end.close();
  }

  /**
   * @param {RTCPeerConnection} from
   * @param {RTCPeerConnection} to
   */
  #introduce(from, to) {
    from.onicecandidate = ({ candidate }) => {
      if (!candidate?.candidate) return;
      this.#candidates += 1;
      to.addIceCandidate(candidate).catch(() => {}); // the other one is closed already
    };
    from.onicecandidateerror = ({ errorCode }) => {
      const fault = FAULT_OF_CODE[errorCode] ?? "error";
      if (!this.fault || weight(fault) < weight(this.fault)) this.fault = fault;
    };
    from.onicegatheringstatechange = () => {
      if (from.iceGatheringState === "complete" && this.#candidates === 0) this.#refuse(this.fault ?? "unreachable");
    };
  }
}

/**
 * Sends packets from the one to the other and back.
 *
 * @param {[RTCDataChannel, RTCDataChannel]} channels
 * @returns {Promise<number>} milliseconds, as it mostly is
 */
async function echoed([mine, theirs]) {
  theirs.onmessage = ({ data }) => theirs.send(data);
  const times = [];
  for (let round = 0; round < PACKETS; round += 1) {
    const packet = crypto.getRandomValues(new Uint8Array(PACKET_BYTES));
    const sentAtMs = performance.now();
    await arrived(mine, packet);
    times.push(performance.now() - sentAtMs);
  }
  return median(times);
}

/**
 * @param {RTCDataChannel} channel
 * @param {Uint8Array<ArrayBuffer>} packet
 * @returns {Promise<void>} when the same has come back
 */
function arrived(channel, packet) {
  channel.binaryType = "arraybuffer";
  return new Promise((resolve) => {
    channel.onmessage = ({ data }) => {
      const came = new Uint8Array(data);
      if (came.length === packet.length && came.every((byte, index) => byte === packet[index])) resolve();
    };
    channel.send(packet);
  });
}
