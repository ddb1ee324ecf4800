/**
 * Does a socket to the server open from here, and how long does an answer take?
 *
 * @typedef {import("./findings.js").Finding} Finding
 */
import { failed, ok, warning } from "./findings.js";
import { median, within } from "./waiting.js";

/** As long as the pages themselves wait for it. */
const OPEN_WITHIN_MS = 15_000;
const ANSWER_WITHIN_MS = 5_000;
const PINGS = 5;
/** From here on people begin to talk over each other; media has its own, shorter way, but begins with this one. */
const SLOW_MS = 500;

/**
 * @param {string} url of the user socket
 * @param {() => Promise<string>} getToken
 * @returns {Promise<Finding>}
 */
export async function checkServer(url, getToken) {
  let token;
  try {
    token = await getToken();
  } catch {
    return failed("unreachable");
  }
  const line = new Line(url, token);
  try {
    const opened = await within(line.opened, OPEN_WITHIN_MS);
    if (opened === null) return failed("no_socket");
    const times = [];
    for (let round = 0; round < PINGS; round += 1) {
      const ms = await within(line.roundTrip(), ANSWER_WITHIN_MS);
      if (ms === null) return failed("no_answer");
      times.push(ms);
    }
    const ms = Math.max(1, Math.round(median(times)));
    return ms < SLOW_MS ? ok("answers", { ms }) : warning("slow", { ms });
  } catch {
    return failed("no_socket");
  } finally {
    line.close();
  }
}

/** A socket of its own, so that it is opened now and not a while ago. */
class Line {
  #ws;
  /** @type {(() => void) | null} */
  #onPong = null;
  /** @type {(error: Error) => void} */
  #onClose = () => {};

  /**
   * @param {string} url
   * @param {string} token
   */
  constructor(url, token) {
    this.#ws = new WebSocket(url);
    /** @type {Promise<true>} */
    this.opened = new Promise((resolve, reject) => {
      this.#onClose = reject;
      this.#ws.onopen = () => this.#ws.send(JSON.stringify({ type: "auth", token }));
      this.#ws.onmessage = ({ data }) => {
        const { type } = JSON.parse(data);
        if (type === "connected") resolve(true);
        if (type === "pong") this.#onPong?.();
      };
      this.#ws.onclose = ({ code }) => this.#onClose(new Error(`closed with ${code}`));
    });
  }

  /** @returns {Promise<number>} milliseconds; rejects if the socket closes */
  roundTrip() {
    return new Promise((resolve, reject) => {
      const sentAtMs = performance.now();
      this.#onPong = () => resolve(performance.now() - sentAtMs);
      this.#onClose = reject;
      if (this.#ws.readyState === WebSocket.OPEN) this.#ws.send('{"type":"ping"}');
      else reject(new Error("closed"));
    });
  }

  close() {
    this.#onClose = () => {};
    this.#ws.close(1000);
  }
}
