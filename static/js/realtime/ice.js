/**
 * The STUN and TURN servers, fetched again when their short-lived credentials have run out.
 *
 * @typedef {import("../types.js").IceConfig} IceConfig
 * @typedef {import("./clock.js").Clock} Clock
 */
import { systemClock } from "./clock.js";

/** A credential this close to its end would not outlive the ICE checks. */
const SPARE_MS = 60_000;

/**
 * @param {() => Promise<IceConfig>} load
 * @param {IceConfig | null | undefined} initial what came with the page
 * @param {Clock} [clock]
 * @returns {() => Promise<RTCConfiguration>} never rejects: without any server a call in one network still works
 */
export function iceSource(load, initial, clock = systemClock) {
  let current = initial ?? null;
  return async () => {
    try {
      if (!current || isStale(current, clock.now())) current = await load();
    } catch (error) {
      console.warn("no fresh ICE servers", error);
    }
    return { iceServers: current?.ice_servers ?? [], iceTransportPolicy: current?.policy ?? "all" };
  };
}

/**
 * @param {IceConfig} config
 * @param {number} nowMs
 */
function isStale({ expires_at }, nowMs) {
  return Boolean(expires_at) && Date.parse(/** @type {string} */ (expires_at)) - SPARE_MS < nowMs;
}
