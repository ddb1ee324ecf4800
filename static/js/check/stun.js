/**
 * Does a STUN server tell us from where it sees us?
 *
 * @typedef {import("./findings.js").Finding} Finding
 */
import { failed, ok, skipped } from "./findings.js";
import { within } from "./waiting.js";

/** A browser asks a silent server for 9.5 s, and not every one says afterwards that nobody answered. */
const GATHER_WITHIN_MS = 12_000;

/**
 * @param {RTCIceServer[]} servers as the server of Ringback gives them
 * @param {RTCIceTransportPolicy} policy
 * @returns {Promise<Finding>}
 */
export async function checkStun(servers, policy) {
  const urls = urlsOf(servers, /^stuns?:/);
  if (urls.length === 0) return skipped("none");
  if (policy === "relay") return skipped("relay_only");
  const connection = new RTCPeerConnection({ iceServers: [{ urls }] });
  try {
    const { address, silent } = (await within(gathered(connection), GATHER_WITHIN_MS)) ?? { address: null, silent: true };
    if (address) return ok("address", { address });
    // A browser does not repeat the address that it knows already: the answer was that nothing is in between.
    return silent ? failed("unreachable", { url: urls.join(", ") }) : ok("same_address");
  } finally {
    connection.close();
  }
}

/**
 * @param {RTCIceServer[]} servers
 * @param {RegExp} kind
 * @returns {string[]}
 */
export function urlsOf(servers, kind) {
  return servers.flatMap(({ urls }) => urls).filter((url) => kind.test(url));
}

/**
 * @param {RTCPeerConnection} connection
 * @returns {Promise<{address: string | null, silent: boolean}>} `silent`: no server answered
 */
function gathered(connection) {
  let silent = false;
  return new Promise((resolve) => {
    connection.onicecandidateerror = () => (silent = true);
    connection.onicecandidate = ({ candidate }) => {
      if (candidate?.type === "srflx") resolve({ address: candidate.address, silent: false });
    };
    connection.onicegatheringstatechange = () => {
      if (connection.iceGatheringState === "complete") resolve({ address: null, silent });
    };
    connection.createDataChannel("check");
    connection.setLocalDescription();
  });
}
