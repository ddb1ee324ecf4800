/**
 * The form for sound and picture with microphone and camera of its own, where there is no call whose they would be: they
 * are opened when one wants to see and hear oneself, and released as soon as one does not.
 */
import { LocalMedia } from "../media/devices.js";
import { SoundSettings } from "./sound_settings.js";

export class SoundPreview {
  #settings;
  #preferences;
  #inventory;
  #stop;
  /** @type {LocalMedia | null} */
  #media = null;

  /**
   * @param {HTMLElement} root
   * @param {Pick<import("./sound_settings.js").SoundSettingsOptions, "preferences" | "inventory" | "onSaved">} options
   */
  constructor(root, options) {
    this.#preferences = options.preferences;
    this.#inventory = options.inventory;
    this.#stop = /** @type {HTMLElement} */ (root.querySelector("[data-stop]"));
    this.#settings = new SoundSettings(root, { ...options, onTest: () => this.open(), onStop: () => this.close() });
  }

  /**
   * Opens a microphone, and a camera where there is one, to be looked at; or shows those of a call.
   *
   * @param {LocalMedia | null} [ofCall]
   */
  async open(ofCall = null) {
    this.close();
    if (ofCall) return this.#settings.show(ofCall);
    const media = new LocalMedia(undefined, this.#preferences, this.#inventory);
    this.#media = media;
    this.#stop.hidden = false;
    this.#settings.show(media);
    await media.open({ camera: true });
  }

  close() {
    this.#settings.hide();
    this.#stop.hidden = true;
    this.#media?.stop();
    this.#media = null;
  }
}
