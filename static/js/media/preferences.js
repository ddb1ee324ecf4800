/**
 * What this person has chosen for sound and picture at this browser: which devices, how they sound, what may be spent on
 * the network. It stays in this browser, for the devices do. No DOM.
 *
 * @typedef {"microphone" | "camera" | "speaker"} DeviceKind
 * @typedef {{id: string, label: string}} Remembered
 *
 * @typedef {object} Choices
 * @property {Remembered | null} microphone null: the one that the system uses
 * @property {Remembered | null} camera
 * @property {Remembered | null} speaker
 * @property {boolean} noiseSuppression
 * @property {boolean} echoCancellation
 * @property {boolean} pushToTalk muted, but for as long as one holds a key or a button
 * @property {"auto" | "always" | "never"} saveData `auto`: where the browser says that the network is metered
 *
 * @typedef {object} PreferencesEvents
 * @property {{here: boolean}} change here, or in another tab
 */
import { Emitter } from "../realtime/emitter.js";

const KEY = "ringback.media";

/** @type {Choices} */
const DEFAULTS = {
  microphone: null,
  camera: null,
  speaker: null,
  noiseSuppression: true,
  echoCancellation: true,
  pushToTalk: false,
  saveData: "auto",
};

/**
 * What each may be; anything else in the storage was written by nobody we know.
 *
 * @type {Record<keyof Choices, (value: any) => boolean>}
 */
const ALLOWED = {
  microphone: isRemembered,
  camera: isRemembered,
  speaker: isRemembered,
  noiseSuppression: isSwitch,
  echoCancellation: isSwitch,
  pushToTalk: isSwitch,
  saveData: (value) => ["auto", "always", "never"].includes(value),
};

/** @extends {Emitter<PreferencesEvents>} */
export class MediaPreferences extends Emitter {
  #storage;
  /** @type {Choices} */
  #choices;

  /**
   * @param {Storage | null} [storage] null: nothing is kept
   * @param {EventTarget} [tabs] dispatches `storage` when another tab has written
   */
  constructor(storage = browserStorage(), tabs = window) {
    super();
    this.#storage = storage;
    this.#choices = this.#read();
    tabs.addEventListener("storage", (event) => {
      if (/** @type {StorageEvent} */ (event).key !== KEY) return;
      this.#choices = this.#read();
      this.emit("change", { here: false });
    });
  }

  /** @returns {Readonly<Choices>} */
  get choices() {
    return this.#choices;
  }

  /** @param {Partial<Choices>} choices */
  choose(choices) {
    this.#choices = { ...this.#choices, ...choices };
    try {
      this.#storage?.setItem(KEY, JSON.stringify(this.#choices));
    } catch {
      // Full, or forbidden: it holds for this page.
    }
    this.emit("change", { here: true });
  }

  /** @returns {Choices} */
  #read() {
    /** @type {any} */
    let stored = null;
    try {
      stored = JSON.parse(this.#storage?.getItem(KEY) ?? "null");
    } catch {
      // Unreadable is like never written.
    }
    const names = /** @type {(keyof Choices)[]} */ (Object.keys(DEFAULTS));
    const valid = names.filter((name) => stored?.[name] !== undefined && ALLOWED[name](stored[name]));
    return { ...DEFAULTS, ...Object.fromEntries(valid.map((name) => [name, stored[name]])) };
  }
}

/** @param {any} value */
function isRemembered(value) {
  return value === null || (typeof value?.id === "string" && typeof value?.label === "string");
}

/** @param {any} value */
function isSwitch(value) {
  return typeof value === "boolean";
}

/** @returns {Storage | null} null where the person lets no page keep anything */
function browserStorage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
