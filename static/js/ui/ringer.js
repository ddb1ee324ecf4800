/**
 * Rings: a sound, the title, a phone's vibration. Of several windows of one browser only one sounds, and one that can; what
 * is silenced in one is so in all.
 *
 * @typedef {Pick<import("../media/tones.js").Tones, "unlock" | "play" | "stop">} Tones
 */
import { blinkTitle, stopBlinking } from "./title.js";
import { unlockByGesture } from "./unlocking.js";

/** Other windows of this browser are told here which calls are silenced, by their ids. */
const CHANNEL = "ringback-ringer";
const LOCK = "ringback-ringtone";
const VIBRATION_MS = [400, 200, 400];
const VIBRATE_EVERY_MS = 3_000;

export class Ringer {
  #tones;
  #channel = new BroadcastChannel(CHANNEL);
  /** Kept once this window may sound. */
  #unlocked = deferred();
  /** The calls that ring no more, though they can still be answered. @type {Set<string>} */
  #silenced = new Set();
  /** What rings now. @type {string | null} */
  #callId = null;
  /** Ends the ringing that goes on now. @type {AbortController | null} */
  #ringing = null;

  /** @param {Tones} tones of its own: what else sounds on the page goes on */
  constructor(tones) {
    this.#tones = tones;
    this.#channel.onmessage = ({ data }) => this.#hush(data);
    unlockByGesture(tones).then(() => this.#unlocked.resolve());
  }

  /**
   * @param {string} callId
   * @param {string} title
   * @param {"ringtone" | "callWaiting"} tone
   */
  start(callId, title, tone) {
    this.stop();
    this.#callId = callId;
    blinkTitle(title);
    if (this.#silenced.has(callId)) return;
    const ringing = new AbortController();
    this.#ringing = ringing;
    if (tone === "ringtone") vibrateUntil(ringing.signal);
    this.#sound(tone, ringing.signal);
  }

  /**
   * No more sound, in no window; the title goes on saying who calls.
   *
   * @param {string | null} [callId] or else what rings
   */
  silence(callId = this.#callId) {
    if (callId === null) return;
    this.#channel.postMessage(callId); // first: what stops here makes room for the next window to sound
    this.#hush(callId);
  }

  stop() {
    this.#ringing?.abort();
    this.#ringing = null;
    this.#callId = null;
    stopBlinking();
  }

  /** @param {string} callId */
  #hush(callId) {
    this.#silenced.add(callId);
    if (callId === this.#callId) this.#ringing?.abort();
  }

  /**
   * @param {"ringtone" | "callWaiting"} tone
   * @param {AbortSignal} signal
   */
  async #sound(tone, signal) {
    // A window that may not sound yet must not keep another from it.
    this.#tones.unlock().then((runs) => runs && this.#unlocked.resolve());
    await this.#unlocked.promise;
    if (signal.aborted) return;
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
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    this.#tones.stop();
  }
}

/** @returns {{promise: Promise<void>, resolve: () => void}} */
function deferred() {
  /** @type {() => void} */
  let resolve = () => {};
  /** @type {Promise<void>} */
  const promise = new Promise((keep) => {
    resolve = keep;
  });
  return { promise, resolve };
}

/**
 * Of windows that are not looked at, browsers take no vibration.
 *
 * @param {AbortSignal} signal
 */
function vibrateUntil(signal) {
  vibrate(VIBRATION_MS);
  const timer = setInterval(vibrate, VIBRATE_EVERY_MS, VIBRATION_MS);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    vibrate(0);
  });
}

/** @param {number | number[]} pattern as of `navigator.vibrate`, which complains before a first gesture */
function vibrate(pattern) {
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(pattern);
}
