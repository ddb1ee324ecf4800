/**
 * The sentences of recording with consent.
 *
 * @typedef {import("../types.js").Recording} Recording
 * @typedef {import("../types.js").Consent} Consent
 */
import { _, isolated, ngettext } from "../i18n.js";
import { sentenceFor } from "../strings.js";

/**
 * @param {string[]} names
 * @returns {string} "Bob and Carol"
 */
function inARow(names) {
  return new Intl.ListFormat(document.documentElement.lang || "en").format(names.map(isolated));
}

export const recording = {
  mark: _("Recording this call"),
  menuAsk: _("Record this call"),
  menuStop: _("Stop recording"),
  ask: {
    title: _("Record this call?"),
    audio: _(
      "Everybody in the call is asked, and it begins when all of them agree. The sound of everybody is recorded in this browser. Afterwards you can download it, or keep it with the call for those who took part.",
    ),
    video: _(
      "Everybody in the call is asked, and it begins when all of them agree. Sound and pictures of everybody are recorded in this browser. Afterwards you can download it, or keep it with the call for those who took part.",
    ),
    action: _("Ask everybody"),
  },
  wants: (/** @type {string} */ name) => _("%(name)s would like to record this call", { name }),
  what: {
    audio: _("The sound of everybody is recorded, yours too."),
    video: _("Sound and pictures of everybody are recorded, yours too."),
  },
  then: (/** @type {string} */ name) =>
    _("Nothing is recorded unless everybody agrees. %(name)s can download the recording, or keep it for those who took part. You can withdraw your consent at any time, which ends it.", { name }),
  waiting: (/** @type {string[]} */ names) => _("Waiting for %(names)s to agree to the recording", { names: inARow(names) }),
  onMine: _("You are recording this call"),
  on: (/** @type {string} */ name) => _("%(name)s is recording this call", { name }),
  paused: (/** @type {string[]} */ names) => _("The recording is paused, waiting for %(names)s to agree", { names: inARow(names) }),
  pausedAway: (/** @type {string} */ name) => _("The recording is paused until %(name)s is connected again", { name }),
  pausedAwayMine: _("The recording is paused until you are connected again"),
  pausedForYou: (/** @type {string} */ name) => _("%(name)s records this call. It is paused until you agree.", { name }),
  unsupported: _("This browser cannot record a call. Another browser, or a newer one, can."),
  noStorage: _("This browser stores nothing at the moment, so it cannot record. A private window may be why."),
  askFailed: (/** @type {unknown} */ error) => sentenceFor(error),
  onThePage: _("You find what was recorded on this page when the call is over."),
};

/**
 * What became of a recording that has just ended.
 *
 * @param {Recording} ended
 * @param {string} ownId
 * @returns {string | null} null where nothing needs to be said
 */
export function endedWords({ by, reason, consents }, ownId) {
  const mine = by.id === ownId;
  const refused = consents.find(({ refused_at }) => refused_at !== null)?.user;
  const name = by.display_name;
  switch (reason) {
    case "stopped":
      return mine ? _("The recording has ended.") : _("%(name)s has stopped recording.", { name });
    case "declined":
      if (refused?.id === ownId) return _("You did not agree. Nothing is recorded.");
      return _("%(name)s did not agree to the recording.", { name: refused?.display_name ?? "" });
    case "withdrawn":
      if (refused?.id === ownId) return _("You have withdrawn your consent. The recording has ended.");
      return _("%(name)s has withdrawn their consent. The recording has ended.", { name: refused?.display_name ?? "" });
    case "interrupted":
      return mine
        ? _("The recording was interrupted and has ended.")
        : _("The recording was interrupted at %(name)s’s and has ended.", { name });
    case "full":
      return mine
        ? _("The recording ended: this browser has no room for more.")
        : _("The recording has ended.");
    case "left":
      return _("The recording ended because %(name)s has left.", { name });
    default:
      return null;
  }
}

/**
 * @param {string} first
 * @param {string} second
 * @returns {string} two sentences, one after the other; not every language has a space between them
 */
export function together(first, second) {
  return _("%(first)s %(second)s", { first, second });
}

/** What a recording's state is on the page of the ended call. */
export const kept = {
  title: (/** @type {string} */ name, /** @type {string} */ when) => _("Recording by %(name)s, %(when)s", { name, when }),
  notBegun: (/** @type {string} */ name, /** @type {string} */ when) =>
    _("%(name)s asked to record at %(when)s; nothing was recorded", { name, when }),
  nothing: _("Nothing of it is kept with the call."),
  here: (/** @type {string} */ length, /** @type {string} */ size) =>
    _("Only in this browser: %(length)s, %(size)s, for seven days", { length, size }),
  withCall: (/** @type {string} */ size, /** @type {number} */ days) =>
    ngettext(
      "Kept with the call for everybody who took part: %(size)s, for %(count)s day",
      "Kept with the call for everybody who took part: %(size)s, for %(count)s days",
      days,
      { size },
    ),
  tooLarge: (/** @type {string} */ size) => _("It is too large to be kept with the call (at most %(size)s). You can download it.", { size }),
  sending: (/** @type {number} */ percent) => _("Sending, %(percent)s %", { percent }),
  sent: _("The recording is kept with the call"),
  deleted: _("The recording was deleted"),
  deleteHere: {
    title: _("Delete this recording?"),
    text: _("It is only in this browser. Nobody can bring it back."),
    action: _("Delete"),
  },
  deleteKept: {
    title: _("Delete this recording?"),
    text: _("It is deleted for everybody who took part. Who agreed stays with the call."),
    action: _("Delete"),
  },
};

/**
 * @param {Consent} consent
 * @param {(time: string) => string} clock a moment as a time of day
 * @param {boolean} asked whether it is whoever asked
 * @returns {string}
 */
export function consentWords({ user, agreed_at, refused_at }, clock, asked) {
  const name = user.display_name;
  if (asked && agreed_at) return _("%(name)s asked at %(time)s", { name, time: clock(agreed_at) });
  if (agreed_at && refused_at) {
    return _("%(name)s agreed at %(time)s and withdrew that at %(later)s", {
      name,
      time: clock(agreed_at),
      later: clock(refused_at),
    });
  }
  if (agreed_at) return _("%(name)s agreed at %(time)s", { name, time: clock(agreed_at) });
  return _("%(name)s did not agree, at %(time)s", { name, time: clock(refused_at ?? "") });
}

/** Why a recording could not be kept, where there is more to say than for other requests. @type {Record<string, string>} */
const NOT_KEPT = {
  network: _("The server could not be reached. The recording is still here: try again when the network is back."),
  too_large: _("The recording is too large for this server. You can download it."),
  unsupported_media_type: _("The server could not read this recording. You can download it."),
};

/**
 * @param {unknown} error
 * @returns {string}
 */
export function whyNotKept(error) {
  const { code, message } = /** @type {{code?: string, message?: string}} */ (error);
  if (code === "bad_state" && message) return message;
  return NOT_KEPT[code ?? ""] ?? sentenceFor(error);
}
