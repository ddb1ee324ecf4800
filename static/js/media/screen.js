/**
 * This person's screen, or a window of it, while it is shown to the others. No DOM.
 *
 * @typedef {object} ScreenEvents
 * @property {null} change
 */
import { Emitter } from "../realtime/emitter.js";

/** Text and still pictures need sharp lines more than motion. @type {MediaTrackConstraints} */
const SCREEN = { frameRate: { ideal: 15, max: 30 } };

/** @extends {Emitter<ScreenEvents>} */
export class ScreenShare extends Emitter {
  #devices;
  /** @type {MediaStreamTrack | null} */
  #track = null;
  /** While the person chooses. @type {Promise<boolean> | null} */
  #choosing = null;
  #stopped = false;

  /** @param {MediaDevices | undefined} [devices] undefined where the page is not served securely */
  constructor(devices = globalThis.navigator?.mediaDevices) {
    super();
    this.#devices = devices;
  }

  /** @returns {boolean} whether this browser can show its screen; those of telephones cannot */
  get isPossible() {
    return typeof this.#devices?.getDisplayMedia === "function";
  }

  /** @returns {MediaStreamTrack | null} */
  get track() {
    return this.#track;
  }

  /**
   * Asks the person what to show, and shows it.
   *
   * @returns {Promise<boolean>} whether something is shown; not, if they chose nothing or may not
   */
  async start() {
    if (!this.#devices || this.#track) return this.#track !== null;
    this.#choosing ??= this.#choose(this.#devices).finally(() => {
      this.#choosing = null;
    });
    return this.#choosing;
  }

  /** @param {MediaDevices} devices */
  async #choose(devices) {
    try {
      const stream = await devices.getDisplayMedia({ video: SCREEN, audio: false });
      this.#take(stream.getVideoTracks()[0]);
    } catch (error) {
      console.debug("nothing was chosen to be shown", error);
    }
    return this.#track !== null;
  }

  /** Shows nothing any more. */
  stop() {
    this.#track?.stop();
    this.#track = null;
    this.emit("change", null);
  }

  /** The call is over. */
  close() {
    this.#stopped = true;
    this.stop();
  }

  /** @param {MediaStreamTrack} track */
  #take(track) {
    if (this.#stopped) return track.stop(); // the call ended while the person was choosing
    track.contentHint = "detail";
    track.onended = () => this.stop(); // by the browser's own button, or the window was closed
    this.#track = track;
    this.emit("change", null);
  }
}
