/**
 * The sentences of the pages that scripts show or say, in the person's language. An area that came later has a file of
 * its own in `strings/`. What the server renders is translated there.
 *
 * @typedef {import("./types.js").User} User
 * @typedef {import("./media/devices.js").MediaProblem} MediaProblem
 * @typedef {import("./realtime/close_codes.js").NextStep} NextStep
 */
import { _ } from "./i18n.js";

export const incoming = {
  title: (/** @type {string} */ name) => _("%(name)s is calling", { name }),
  video: _("Incoming video call"),
  audio: _("Incoming audio call"),
  endsCurrent: _("Answering ends your current call."),
  failed: _("The call could not be answered. Please try again."),
  declineFailed: _("The call could not be declined. Please try again."),
  silenced: _("Silenced. The call can still be answered."),
};

/** Why it stopped ringing here, in words. */
/** @type {Record<string, (name: string) => string>} */
export const STOPPED = {
  answered_elsewhere: (name) => _("You answered %(name)s on another device.", { name }),
  declined_elsewhere: (name) => _("You declined %(name)s on another device.", { name }),
  held_back: (name) => _("The call from %(name)s was held back.", { name }),
  cancelled: (name) => _("%(name)s stopped calling.", { name }),
  no_answer: (name) => _("You missed a call from %(name)s.", { name }),
};

export const call = {
  mute: _("Mute"),
  unmute: _("Unmute"),
  cameraOff: _("Camera off"),
  cameraOn: _("Camera on"),
  nowMuted: _("You are muted"),
  nowUnmuted: _("You can be heard again"),
  cameraNowOff: _("Your camera is off"),
  cameraNowOn: _("Your camera is on"),
};

/** @type {Record<import("./media/call.js").NoticeKind, (name: string) => string>} */
export const NOTICE = {
  joined: (name) => _("%(name)s is here", { name }),
  left: (name) => _("%(name)s has left", { name }),
  muted: (name) => _("%(name)s is muted", { name }),
  unmuted: (name) => _("%(name)s can be heard again", { name }),
  camera_off: (name) => _("%(name)s switched the camera off", { name }),
  camera_on: (name) => _("%(name)s switched the camera on", { name }),
  reconnecting: (name) => _("%(name)s is reconnecting", { name }),
  back: (name) => _("%(name)s is back", { name }),
  screen_on: (name) => _("%(name)s is showing a screen", { name }),
  screen_off: (name) => _("%(name)s has stopped showing a screen", { name }),
  hand_up: (name) => _("%(name)s has raised a hand", { name }),
  moved: (name) => _("%(name)s goes on with the call on another device", { name }),
};

const OLD_PAGE = _("This page and the server do not understand each other. It may be an old version.");

/**
 * Close codes that end a connection for good, in words: what happened. What to do next is in NEXT.
 *
 * @type {Record<string, string>}
 */
export const CLOSED = {
  normal: _("The connection was closed."),
  protocol_error: OLD_PAGE,
  unsupported_data: OLD_PAGE,
  invalid_text: OLD_PAGE,
  too_big: _("This page sent something that was too large."),
  auth_timeout: _("Signing this page in took too long."),
  unauthenticated: _("Your sign-in has run out."),
  bad_messages: OLD_PAGE,
  replaced: _("This was opened in another window, and goes on there."),
  too_many_connections: _("You are signed in on too many devices or windows. Close one of them and try again."),
  signed_out: _("You have been signed out."),
  forbidden: _("You are not part of this call."),
  ended: _("This call is over."),
  not_found: _("This call does not exist."),
  no_such_endpoint: _("This page is looking for Ringback in the wrong place. It may be an old version."),
  unknown: _("The server ended the connection."),
};

/** @type {Record<Exclude<NextStep, "none">, string>} */
export const NEXT = {
  home: _("Back to home"),
  login: _("Sign in again"),
  reload: _("Reload this page"),
  here: _("Continue here"),
};

export const link = {
  offline: _("You are offline. Ringback comes back by itself."),
  reconnecting: _("Reconnecting…"),
  restored: _("Connected again"),
};

export const media = {
  /** @param {MediaProblem[]} problems @returns {{title: string, text: string}} */
  problem(problems) {
    const { kind } = problems[0];
    const devices = deviceNames(problems);
    return { title: PROBLEM_TITLE[kind](devices), text: PROBLEM_HELP[kind](devices) };
  },
  onlyListening: _("You can listen, but nobody hears you."),
  withoutCamera: _("The others hear you, but do not see you."),
};

/** @param {MediaProblem[]} problems of one device or of both */
function deviceNames(problems) {
  if (problems.length > 1) return _("microphone and camera");
  return problems[0].device === "camera" ? _("camera") : _("microphone");
}

/** @type {Record<MediaProblem["kind"], (devices: string) => string>} */
const PROBLEM_TITLE = {
  denied: (devices) => _("Ringback may not use your %(devices)s", { devices }),
  missing: (devices) => _("No %(devices)s was found", { devices }),
  in_use: (devices) => _("Your %(devices)s could not be started", { devices }),
  insecure: () => _("This page is not secure"),
};

/** @type {Record<MediaProblem["kind"], (devices: string) => string>} */
const PROBLEM_HELP = {
  denied: (devices) =>
    _(
      "Allow the %(devices)s for this page (the symbol beside the address, or your browser’s settings), then try again.",
      { devices },
    ),
  missing: (devices) => _("Plug the %(devices)s in, or switch it on, then try again.", { devices }),
  in_use: () => _("Another program may be using it. Close that program, then try again."),
  insecure: () =>
    _("Browsers give microphone and camera only to pages whose address begins with https. Open it that way."),
};

/** @type {Record<string, string>} */
export const API_ERROR = {
  network: _("The server could not be reached. Please check your connection."),
  user_not_found: _("This person does not exist any more."),
  cannot_call_self: _("You cannot call yourself."),
  too_many_calls: _("You have started many calls. Please wait a moment."),
  unauthenticated: _("Your sign-in has run out. Please sign in again."),
  rate_limited: _("That was a bit fast. Please wait a moment."),
  unavailable: _("The server is busy right now. Please try again in a moment."),
  error: _("Something went wrong. Please try again."),
};

/**
 * @param {unknown} error
 * @returns {string} a sentence for the person
 */
export function sentenceFor(error) {
  const code = /** @type {{code?: string}} */ (error)?.code ?? "error";
  return API_ERROR[code] ?? API_ERROR.error;
}

export const login = {
  show: _("Show"),
  hide: _("Hide"),
  signingIn: _("Signing in…"),
  filled: (/** @type {string} */ username) => _("Filled in for %(name)s. Press Sign in.", { name: username }),
};
