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
 * @param {IceConfig | null | undefined} initial what came with the page, just now
 * @param {Clock} [clock]
 * @returns {() => Promise<RTCConfiguration>} never rejects: without any server a call in one network still works
 */
export function iceSource(load, initial, clock = systemClock) {
  let current = initial ?? null;
  let staleAtMs = staleAt(current, clock);
  /** Many peers that restart at once ask once. @type {Promise<void> | null} */
  let loading = null;

  async function renew() {
    try {
      current = await load();
      staleAtMs = staleAt(current, clock);
    } catch (error) {
      console.warn("no fresh ICE servers", error);
    } finally {
      loading = null;
    }
  }

  return async () => {
    if (clock.now() >= staleAtMs) await (loading ??= renew());
    return { iceServers: current?.ice_servers ?? [], iceTransportPolicy: current?.policy ?? "all" };
  };
}

/**
 * By how long they live, not until when: this machine's clock may be wrong.
 *
 * @param {IceConfig | null} config
 * @param {Clock} clock
 */
function staleAt(config, clock) {
  return clock.now() + (config ? config.expires_in * 1000 - SPARE_MS : 0);
}
