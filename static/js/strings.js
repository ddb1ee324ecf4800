/**
 * Every sentence that scripts show or say, in one place. What the server renders is translated there.
 *
 * @typedef {import("./types.js").User} User
 * @typedef {import("./types.js").Presence} Presence
 * @typedef {import("./media/phase.js").Phase} Phase
 * @typedef {import("./media/devices.js").MediaProblem} MediaProblem
 * @typedef {import("./realtime/close_codes.js").NextStep} NextStep
 */

/** @type {Record<Presence, string>} */
export const PRESENCE = {
  online: "Online",
  offline: "Offline",
  in_call: "In a call",
  do_not_disturb: "Do not disturb",
};

export const people = {
  call: (/** @type {string} */ username) => `Call ${username}`,
  audioCall: (/** @type {string} */ username) => `Audio call to ${username}`,
  found: (/** @type {number} */ count) =>
    count === 0 ? "Nobody found" : count === 1 ? "1 person found" : `${count} people found`,
  nobodyCalled: (/** @type {string} */ query) => `Nobody here is called “${query}”.`,
  starting: (/** @type {string} */ name) => `Calling ${name}…`,
  searchFailed: "The search did not work. Please try again.",
};

export const incoming = {
  title: (/** @type {string} */ name) => `${name} is calling`,
  video: "Incoming video call",
  audio: "Incoming audio call",
  endsCurrent: "Answering ends your current call.",
  failed: "The call could not be answered. Please try again.",
  silenced: "Silenced. The call can still be answered.",
};

/** Why it stopped ringing here, in words. */
/** @type {Record<string, (name: string) => string>} */
export const STOPPED = {
  answered_elsewhere: (name) => `You answered ${name} on another device.`,
  declined_elsewhere: (name) => `You declined ${name} on another device.`,
  cancelled: (name) => `${name} stopped calling.`,
  no_answer: (name) => `You missed a call from ${name}.`,
};

/** @type {Record<Exclude<Phase, "ended" | "incoming">, (name: string) => string>} */
export const PHASE = {
  calling: () => "Calling…",
  trying: (name) => `Trying to reach ${name}…`,
  ringing: () => "Ringing…",
  connecting: () => "Connecting…",
  in_call: () => "In call",
  reconnecting: () => "Reconnecting…",
};

/** What stands under the name while there is no picture yet. */
/** @type {Partial<Record<Phase, (name: string) => string>>} */
export const PHASE_HINT = {
  trying: () => "None of their devices has answered yet.",
  reconnecting: () => "The call goes on. Please stay a moment.",
};

export const call = {
  mute: "Mute",
  unmute: "Unmute",
  cameraOff: "Camera off",
  cameraOn: "Camera on",
  nowMuted: "You are muted",
  nowUnmuted: "You can be heard again",
  cameraNowOff: "Your camera is off",
  cameraNowOn: "Your camera is on",
};

/** @type {Record<import("./media/call.js").NoticeKind, (name: string) => string>} */
export const NOTICE = {
  joined: (name) => `${name} is here`,
  left: (name) => `${name} has left`,
  muted: (name) => `${name} is muted`,
  unmuted: (name) => `${name} can be heard again`,
  camera_off: (name) => `${name} switched the camera off`,
  camera_on: (name) => `${name} switched the camera on`,
  reconnecting: (name) => `${name} is reconnecting`,
  back: (name) => `${name} is back`,
};

/**
 * Why a call ended, as the person reads it who is looking: the reasons of the protocol, and those of `incoming_stopped`.
 * `mine` says whether this person made the call.
 *
 * @type {Record<string, (about: {name: string, mine: boolean}) => string>}
 */
export const ENDED = {
  hangup: () => "The call has ended.",
  declined: ({ name, mine }) => (mine ? `${name} declined the call.` : "You declined the call."),
  cancelled: ({ name, mine }) => (mine ? "You cancelled the call." : `${name} stopped calling.`),
  no_answer: ({ name, mine }) => (mine ? `${name} did not answer.` : `You missed a call from ${name}.`),
  busy: ({ name }) => `${name} is in another call.`,
  do_not_disturb: ({ name }) => `${name} does not want to be disturbed right now.`,
  blocked: ({ name }) => `${name} did not answer.`,
  unreachable: ({ name }) => `${name} could not be reached: none of their devices is online.`,
  media_denied: () => "The call ended because the microphone could not be used.",
  ice_failed: () =>
    "No connection for sound and picture could be made between the two of you. Another network may help.",
  connection_lost: () => "The connection was lost and did not come back.",
  lonely: () => "Everybody else had left, so the call ended.",
  max_duration: () => "The call reached the longest time that is allowed.",
  admin_ended: () => "An administrator ended the call.",
  server_shutdown: () => "The server was shut down. Please call again in a moment.",
  error: () => "Something went wrong on our side and the call ended.",
  answered_elsewhere: () => "You answered this call on another device.",
  declined_elsewhere: () => "You declined this call on another device.",
};

/**
 * Close codes that end a connection for good, in words: what happened. What to do next is in NEXT.
 *
 * @type {Record<string, string>}
 */
export const CLOSED = {
  normal: "The connection was closed.",
  protocol_error: "This page and the server do not understand each other. It may be an old version.",
  unsupported_data: "This page and the server do not understand each other. It may be an old version.",
  invalid_text: "This page and the server do not understand each other. It may be an old version.",
  too_big: "This page sent something that was too large.",
  auth_timeout: "Signing this page in took too long.",
  unauthenticated: "Your sign-in has run out.",
  bad_messages: "This page and the server do not understand each other. It may be an old version.",
  replaced: "This was opened in another window, and goes on there.",
  too_many_connections: "You are signed in on too many devices or windows. Close one of them and try again.",
  signed_out: "You have been signed out.",
  forbidden: "You are not part of this call.",
  ended: "This call is over.",
  not_found: "This call does not exist.",
  no_such_endpoint: "This page is looking for Ringback in the wrong place. It may be an old version.",
  unknown: "The server ended the connection.",
};

/** @type {Record<Exclude<NextStep, "none">, string>} */
export const NEXT = {
  home: "Back to people",
  login: "Sign in again",
  reload: "Reload this page",
};

export const link = {
  offline: "You are offline. Ringback comes back by itself.",
  reconnecting: "Reconnecting…",
  restored: "Connected again",
};

/** @type {Record<MediaProblem["device"], string>} */
const DEVICE = { microphone: "microphone", camera: "camera" };

export const media = {
  /** @param {MediaProblem[]} problems @returns {{title: string, text: string}} */
  problem(problems) {
    const { kind } = problems[0];
    const devices = problems.map(({ device }) => DEVICE[device]).join(" and ");
    return { title: PROBLEM_TITLE[kind](devices), text: PROBLEM_HELP[kind](devices) };
  },
  onlyListening: "You can listen, but nobody hears you.",
  withoutCamera: "The others hear you, but do not see you.",
};

/** @type {Record<MediaProblem["kind"], (devices: string) => string>} */
const PROBLEM_TITLE = {
  denied: (devices) => `Ringback may not use your ${devices}`,
  missing: (devices) => `No ${devices} was found`,
  in_use: (devices) => `Your ${devices} could not be started`,
  insecure: () => "This page is not secure",
};

/** @type {Record<MediaProblem["kind"], (devices: string) => string>} */
const PROBLEM_HELP = {
  denied: (devices) =>
    `Allow the ${devices} for this page (the symbol beside the address, or your browser’s settings), then try again.`,
  missing: (devices) => `Plug the ${devices} in, or switch it on, then try again.`,
  in_use: () => "Another program may be using it. Close that program, then try again.",
  insecure: () => "Browsers give microphone and camera only to pages whose address begins with https. Open it that way.",
};

/** @type {Record<string, string>} */
export const API_ERROR = {
  network: "The server could not be reached. Please check your connection.",
  user_not_found: "This person does not exist any more.",
  cannot_call_self: "You cannot call yourself.",
  too_many_calls: "You have started many calls. Please wait a moment.",
  unauthenticated: "Your sign-in has run out. Please sign in again.",
  rate_limited: "That was a bit fast. Please wait a moment.",
  unavailable: "The server is busy right now. Please try again in a moment.",
  error: "Something went wrong. Please try again.",
};

/**
 * @param {unknown} error
 * @returns {string} a sentence for the person
 */
export function sentenceFor(error) {
  const code = /** @type {{code?: string}} */ (error)?.code ?? "error";
  return API_ERROR[code] ?? API_ERROR.error;
}

export const history = {
  today: "Today",
  yesterday: "Yesterday",
};

export const login = {
  show: "Show",
  hide: "Hide",
  signingIn: "Signing in…",
  filled: (/** @type {string} */ username) => `Filled in for ${username}. Press Sign in.`,
};
