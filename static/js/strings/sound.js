/**
 * The sentences about one's own sound and picture.
 *
 * @typedef {import("../media/devices.js").Device} Device
 * @typedef {import("../media/devices.js").DeviceNotice} DeviceNotice
 */
import { _, ngettext } from "../i18n.js";

export const sound = {
  system: _("What the system uses"),
  /** @param {string} name */
  gone: (name) => _("%(name)s (not connected)", { name }),
  /** @param {Device | "speaker"} kind @param {number} number */
  nameless: (kind, number) => NAMELESS[kind](number),
  cameraOff: _("Your camera is off."),
  tryIt: _("See and hear how you come across, before a call."),
  speak: _("Say something: the bar follows your voice."),
  heard: _("Your microphone works."),
  use: _("Use it"),
  holdSpace: _("Hold the space bar to talk"),
  holdButton: _("Hold the microphone button to talk"),
  talking: _("You are heard"),
  holdToTalk: _("Hold to talk"),
};

/** @type {Record<Device | "speaker", (number: number) => string>} */
const NAMELESS = {
  microphone: (number) => _("Microphone %(number)s", { number }),
  camera: (number) => _("Camera %(number)s", { number }),
  speaker: (number) => _("Speaker %(number)s", { number }),
};

/** @type {Record<DeviceNotice["kind"], Record<Device, (name: string) => string>>} */
const DEVICE_NOTICE = {
  replaced: {
    microphone: (name) => _("The microphone is now %(name)s.", { name }),
    camera: (name) => _("The camera is now %(name)s.", { name }),
  },
  found: {
    microphone: (name) => _("There is a new microphone: %(name)s", { name }),
    camera: (name) => _("There is a new camera: %(name)s", { name }),
  },
};

/** Where the browser does not name it. @type {Record<DeviceNotice["kind"], Record<Device, string>>} */
const NAMELESS_NOTICE = {
  replaced: { microphone: _("Another microphone is used now."), camera: _("Another camera is used now.") },
  found: { microphone: _("There is a new microphone."), camera: _("There is a new camera.") },
};

/**
 * @param {DeviceNotice} notice
 * @returns {string}
 */
export function noticeWords({ kind, device, entry }) {
  return entry.label ? DEVICE_NOTICE[kind][device](entry.label) : NAMELESS_NOTICE[kind][device];
}

/** @type {Record<Device, () => string>} */
const TAKEN = {
  microphone: () => _("Your device has taken the microphone away. It comes back by itself."),
  camera: () => _("Your device has taken the camera away. It comes back by itself."),
};

/**
 * @param {Device[]} devices at least one
 * @returns {string}
 */
export function takenWords(devices) {
  if (devices.length === 1) return TAKEN[devices[0]]();
  return _("Your device has taken microphone and camera away. They come back by themselves.");
}

/**
 * Why one's own picture is not sent as it could be, and to whom.
 *
 * @param {"smaller" | "paused"} how
 * @param {string[]} names of those to whom
 * @param {boolean} everybody whether these are all of the others
 * @returns {string}
 */
export function lessPictureWords(how, names, everybody) {
  if (everybody) {
    return how === "paused"
      ? _("The network is weak. Your picture is paused, so that your voice comes through.")
      : _("The network is weak. Your picture is smaller, so that your voice comes through.");
  }
  const [name] = names;
  const count = names.length - 1;
  if (count === 0) {
    return how === "paused"
      ? _("The network to %(name)s is weak. Your picture is paused there, so that your voice comes through.", { name })
      : _("The network to %(name)s is weak. Your picture is smaller there, so that your voice comes through.", { name });
  }
  return how === "paused"
    ? ngettext(
        "The network to %(name)s and one other is weak. Your picture is paused there.",
        "The network to %(name)s and %(count)s others is weak. Your picture is paused there.",
        count,
        { name },
      )
    : ngettext(
        "The network to %(name)s and one other is weak. Your picture is smaller there.",
        "The network to %(name)s and %(count)s others is weak. Your picture is smaller there.",
        count,
        { name },
      );
}

export const wholeAgain = _("Your picture is sent in full again.");
