/**
 * Plays one recording: time, place, speed. No DOM.
 *
 * What browsers record has no length in it and no index, because it was written before either was known. A browser that
 * is asked for a place far behind the end reads up to it, and knows both from then on. That is done for whoever seeks:
 * telephones play only what was asked for by a finger, and have forgotten the finger by the time the end is found.
 *
 * @typedef {object} PlayerEvents
 * @property {null} change it plays, pauses, is somewhere else, or could not be played
 */
import { Emitter } from "../realtime/emitter.js";

const FAR_BEHIND_THE_END_S = 1e7;
/** Twice what an eye needs to see something move evenly across a few centimetres of speech. */
const TICK_MS = 50;

/** @extends {Emitter<PlayerEvents>} */
export class Player extends Emitter {
  #audio = new Audio();
  #durationS = 0;
  #failed = false;
  /** While the end is looked for, the place of the audio is not that of the listener. @type {Promise<void> | null} */
  #measuring = null;
  #wantedS = 0;
  /** Whether it plays on once the end was found. */
  #playsOn = false;
  /** @type {any} */
  #ticking = null;

  constructor() {
    super();
    this.#audio.preload = "auto";
    this.#audio.preservesPitch = true;
    for (const name of ["play", "pause", "ended", "seeked", "playing"]) this.#audio.addEventListener(name, () => this.#heard());
    this.#audio.addEventListener("error", () => {
      if (!this.#audio.src) return;
      this.#failed = true;
      this.#heard();
    });
  }

  /** @returns {HTMLAudioElement} for whoever wants to listen along */
  get element() {
    return this.#audio;
  }

  /** @returns {boolean} */
  get playing() {
    return this.#measuring ? this.#playsOn : !this.#audio.paused && !this.#audio.ended;
  }

  /** @returns {boolean} whether it could not be loaded or decoded */
  get failed() {
    return this.#failed;
  }

  /** @returns {number} */
  get timeS() {
    return Math.min(this.#durationS, this.#measuring ? this.#wantedS : this.#audio.currentTime);
  }

  /** @returns {number} as it was said when it was loaded */
  get durationS() {
    return this.#durationS;
  }

  /** @returns {number} */
  get speed() {
    return this.#audio.playbackRate;
  }

  set speed(speed) {
    this.#audio.defaultPlaybackRate = speed; // what a newly loaded recording begins with
    this.#audio.playbackRate = speed;
    this.#heard();
  }

  /**
   * @param {string} url
   * @param {number} durationS what is known of its length
   */
  load(url, durationS) {
    this.#audio.pause();
    this.#failed = false;
    this.#durationS = durationS;
    this.#wantedS = 0;
    this.#audio.src = url;
    this.#measuring = null;
    this.#heard();
  }

  /** Lets go of the recording. */
  unload() {
    this.#audio.pause();
    this.#audio.removeAttribute("src");
    this.#audio.load();
    this.#measuring = null;
    this.#durationS = 0;
    this.#heard();
  }

  /** Plays on, or from the start if it was at the end; what stands in the way is in `failed`. It never rejects. */
  async play() {
    this.#playsOn = true;
    if (!this.#measuring && this.#audio.ended) this.#audio.currentTime = 0;
    await this.#start(); // nothing is waited for before: it would not count as asked for by a person
    await this.#measuring;
  }

  pause() {
    this.#playsOn = false;
    this.#audio.pause();
    this.#heard();
  }

  /** @param {number} timeS from 0 to the length */
  seek(timeS) {
    this.#wantedS = Math.min(Math.max(0, timeS), Math.max(0, this.#durationS));
    if (Number.isFinite(this.#audio.duration) && !this.#measuring) this.#audio.currentTime = this.#wantedS;
    else this.#measuring ??= this.#measure();
    this.#heard();
  }

  async #start() {
    try {
      await this.#audio.play();
    } catch (error) {
      const { name } = /** @type {Error} */ (error);
      if (name !== "AbortError") this.#failed = true; // paused, loaded anew, or at the end before it had begun
      this.#heard();
    }
  }

  async #measure() {
    const measuring = new AbortController();
    const { signal } = measuring;
    const audio = this.#audio;
    const url = audio.src;
    this.#playsOn = !audio.paused;
    if (audio.readyState === HTMLMediaElement.HAVE_NOTHING && !audio.error) {
      await once(audio, ["loadedmetadata", "error", "emptied"], signal);
    }
    if (audio.src === url && !Number.isFinite(audio.duration) && !audio.error) {
      audio.currentTime = FAR_BEHIND_THE_END_S;
      await once(audio, ["seeked", "error", "emptied"], signal);
    }
    measuring.abort();
    if (audio.src !== url) return;
    if (!audio.error) audio.currentTime = this.#wantedS;
    this.#measuring = null;
    if (this.#playsOn && audio.paused && !audio.error) await this.#start(); // the end has stopped it
  }

  #heard() {
    if (this.playing && this.#ticking === null) this.#ticking = setInterval(() => this.emit("change", null), TICK_MS);
    if (!this.playing) {
      clearInterval(this.#ticking);
      this.#ticking = null;
    }
    this.emit("change", null);
  }
}

/**
 * @param {EventTarget} target
 * @param {string[]} names
 * @param {AbortSignal} signal takes the listeners off
 * @returns {Promise<void>} the first of these events
 */
function once(target, names, signal) {
  return new Promise((resolve) => {
    for (const name of names) target.addEventListener(name, () => resolve(), { once: true, signal });
  });
}
