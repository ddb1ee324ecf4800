/**
 * The sentences of voicemail: leaving a message, and listening to those that others left.
 *
 * @typedef {import("../media/recorder.js").RecorderProblem} RecorderProblem
 */
import { _, ngettext } from "../i18n.js";
import { sentenceFor } from "../strings.js";

/** @type {Record<RecorderProblem, {title: string, help: string}>} */
export const RECORDER_PROBLEM = {
  denied: {
    title: _("Ringback may not use your microphone"),
    help: _("Allow it for this page (the symbol beside the address, or your browser’s settings), then try again."),
  },
  missing: { title: _("No microphone was found"), help: _("Plug one in, or switch it on, then try again.") },
  in_use: {
    title: _("Your microphone could not be started"),
    help: _("Another program may be using it. Close that program, then try again."),
  },
  insecure: {
    title: _("This page is not secure"),
    help: _("Browsers give the microphone only to pages whose address begins with https. Open it that way."),
  },
  unsupported: { title: _("This browser cannot record"), help: _("Another browser, or a newer one, can.") },
};

export const leaving = {
  asking: _("Your browser asks whether Ringback may use your microphone."),
  recording: _("Recording"),
  ready: _("Ready to send"),
  fullLength: _("That is the longest message there can be. It was kept up to here."),
  sending: (/** @type {number} */ percent) => _("Sending, %(percent)s %", { percent }),
  sent: (/** @type {string} */ name) => _("%(name)s has your message.", { name }),
  notSent: _("The message was not sent"),
  play: _("Play your message"),
  pause: _("Pause"),
};

/** Why a message could not be sent, where there is more to say than for other requests. @type {Record<string, string>} */
const NOT_SENT = {
  network: _("The server could not be reached. Your recording is still here: try again when the network is back."),
  mailbox_full: _("Their mailbox is full. Please try another way."),
  bad_state: _("It is too late to leave a message for this call. Call again to leave one."),
  too_large: _("The recording is too large for this server. Record a shorter one."),
  unsupported_media_type: _("The server could not read this recording. Please record it again."),
  rate_limited: _("You have left many messages. Please wait a moment and try again."),
  forbidden: _("Messages cannot be left on this server."),
};

/**
 * @param {unknown} error
 * @returns {string}
 */
export function whyNotSent(error) {
  return NOT_SENT[/** @type {{code?: string}} */ (error)?.code ?? ""] ?? sentenceFor(error);
}

export const voicemail = {
  play: (/** @type {string} */ name) => _("Play the message from %(name)s", { name }),
  pause: (/** @type {string} */ name) => _("Pause the message from %(name)s", { name }),
  waveform: (/** @type {string} */ name) => _("Place in the message from %(name)s", { name }),
  callBack: (/** @type {string} */ name) => _("Call back %(name)s", { name }),
  remove: (/** @type {string} */ name) => _("Delete the message from %(name)s", { name }),
  speed: (/** @type {number} */ speed) => _("Speed: %(speed)s times", { speed }),
  times: (/** @type {number} */ speed) => `${speed}×`,
  arrived: (/** @type {string} */ name) => _("New message from %(name)s", { name }),
  deleted: (/** @type {string} */ name) => _("Message from %(name)s deleted", { name }),
  restored: _("The message is back"),
  unheard: (/** @type {number} */ count) =>
    count === 0 ? _("You have heard all of them.") : ngettext("%(count)s new message", "%(count)s new messages", count),
  cannotPlay: _("This message could not be played. Check your connection and try again."),
  notDeleted: _("The message could not be deleted. Please try again."),
  notLoaded: _("The messages could not be loaded. Please try again."),
};
