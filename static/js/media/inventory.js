/**
 * The microphones, cameras and speakers that there are, and which of them is meant. No DOM.
 *
 * @typedef {import("./preferences.js").DeviceKind} DeviceKind
 * @typedef {import("./preferences.js").Remembered} Remembered
 * @typedef {{id: string, label: string}} DeviceEntry
 * @typedef {Record<DeviceKind, DeviceEntry[]>} DeviceLists without the system's own choice, which has no place of its own
 *
 * @typedef {object} InventoryEvents
 * @property {null} change one was plugged in or pulled out, or they have got names
 */
import { Emitter } from "../realtime/emitter.js";

/** @type {Record<MediaDeviceKind, DeviceKind>} */
const KINDS = { audioinput: "microphone", videoinput: "camera", audiooutput: "speaker" };
/** Chromium lists these beside the devices that they stand for. */
const ALIASES = new Set(["default", "communications"]);

/** @extends {Emitter<InventoryEvents>} */
export class Inventory extends Emitter {
  #devices;
  /** @type {MediaDeviceInfo[]} */
  #infos = [];

  /** @param {MediaDevices | undefined} [devices] undefined where the page is not served securely */
  constructor(devices = navigator.mediaDevices) {
    super();
    this.#devices = devices;
    devices?.addEventListener?.("devicechange", () => this.refresh());
  }

  /** @returns {DeviceLists} */
  get lists() {
    /** @type {DeviceLists} */
    const lists = { microphone: [], camera: [], speaker: [] };
    for (const { kind, deviceId: id, label } of this.#infos) {
      if (id !== "" && !ALIASES.has(id)) lists[KINDS[kind]].push({ id, label });
    }
    return lists;
  }

  /**
   * The group (the headset, the monitor) of the microphone that the system uses now.
   *
   * @returns {string | null} null where the browser does not say
   */
  get systemMicrophoneGroup() {
    const entry = this.#infos.find(({ kind, deviceId }) => kind === "audioinput" && deviceId === "default");
    return entry?.groupId || null;
  }

  /** Looks what there is now; names are known only after a permission was given. */
  async refresh() {
    try {
      this.#infos = (await this.#devices?.enumerateDevices()) ?? [];
    } catch {
      this.#infos = []; // a page that may not use any
    }
    this.emit("change", null);
  }

  /**
   * @param {DeviceKind} kind
   * @param {Remembered | null} remembered
   * @returns {DeviceEntry | null}
   */
  find(kind, remembered) {
    return match(this.lists[kind], remembered);
  }
}

/**
 * The remembered one among those that there are. An id is forgotten with the page's cookies, and after a while by some
 * browsers; then it is known by its name.
 *
 * @param {DeviceEntry[]} entries
 * @param {Remembered | null} remembered
 * @returns {DeviceEntry | null} null: the system's choice, because none was made or it is not there
 */
export function match(entries, remembered) {
  if (!remembered) return null;
  const byId = entries.find(({ id }) => id === remembered.id);
  return byId ?? entries.find(({ label }) => label !== "" && label === remembered.label) ?? null;
}
