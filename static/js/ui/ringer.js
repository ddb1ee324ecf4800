/**
 * Rings: a sound, the title, a phone's vibration. Of several windows of one browser only one sounds.
 *
 * @typedef {import("../media/tones.js").Tones} Tones
 */
import { blinkTitle, stopBlinking } from "./title.js";

const LOCK = "ringback-ringtone";
const VIBRATION_MS = [400, 200, 400];
const VIBRATE_EVERY_MS = 3_000;

export class Ringer {
  #tones;
  /** Ends the ringing that goes on now. @type {AbortController | null} */
  #ringing = null;

  /** @param {Tones} tones */
  constructor(tones) {
    this.#tones = tones;
    for (const gesture of ["pointerdown", "keydown"]) {
      window.addEventListener(gesture, () => tones.unlock(), { once: true });
    }
  }

  /**
   * @param {string} title
   * @param {"ringtone" | "callWaiting"} tone
   */
  start(title, tone) {
    this.stop();
    const ringing = new AbortController();
    this.#ringing = ringing;
    blinkTitle(title);
    this.#sound(tone, ringing.signal);
  }

  /** No more sound; the title goes on saying who calls. */
  silence() {
    this.#ringing?.abort();
  }

  stop() {
    this.silence();
    this.#ringing = null;
    stopBlinking();
  }

  /**
   * @param {"ringtone" | "callWaiting"} tone
   * @param {AbortSignal} signal
   */
  #sound(tone, signal) {
    const ring = () => this.#ring(tone, signal);
    // Pages that are not served securely have no locks: there every window rings.
    if (!navigator.locks) return void ring();
    navigator.locks.request(LOCK, { signal }, ring).catch(() => {}); // silenced before its turn came
  }

  /**
   * @param {"ringtone" | "callWaiting"} tone
   * @param {AbortSignal} signal
   * @returns {Promise<void>} when it has rung out
   */
  async #ring(tone, signal) {
    if (signal.aborted) return;
    this.#tones.play(tone);
    const pattern = tone === "ringtone" ? VIBRATION_MS : 0;
    vibrate(pattern);
    const timer = setInterval(() => vibrate(pattern), VIBRATE_EVERY_MS);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    clearInterval(timer);
    vibrate(0);
    this.#tones.stop();
  }
}

/** @param {number | number[]} pattern as of `navigator.vibrate`, which complains before a first gesture */
function vibrate(pattern) {
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(pattern);
}
