/**
 * The sentences of the page of checks: what was found of each thing, and what to do about it.
 *
 * @typedef {import("../check/findings.js").Finding} Finding
 * @typedef {import("../check/findings.js").Step} Step
 * @typedef {import("../check/findings.js").Verdict} Verdict
 * @typedef {import("../check/relay.js").Fault} Fault
 * @typedef {{text: string, advice?: string}} Said
 * @typedef {(values: Record<string, string | number>) => Said} Saying
 */
import { _, ngettext } from "../i18n.js";
import { media } from "../strings.js";

/** @type {Record<Step, string>} */
export const STEP_NAME = {
  microphone: _("Microphone"),
  camera: _("Camera"),
  speaker: _("Speaker"),
  server: _("Ringback’s server"),
  stun: _("Your address"),
  relay: _("Relay"),
  bandwidth: _("Speed"),
};

export const checking = {
  media: _("Your browser asks whether Ringback may use microphone and camera."),
  running: _("Checking…"),
  /** @type {Partial<Record<Step, string>>} */
  now: {
    microphone: _("Say something: the bars should move."),
    camera: _("Waiting for a picture…"),
    server: _("Opening a connection…"),
    stun: _("Asking from where the Internet sees you…"),
    relay: _("Sending packets through the relay and back…"),
    bandwidth: _("Measuring, which takes some seconds…"),
  },
  playing: _("Do you hear it?"),
  listen: _("Play the sound, and say whether you hear it."),
  copied: _("The report was copied."),
  notCopied: _("The report could not be copied."),
  meanwhile: _("This takes half a minute. Say something meanwhile, so that your microphone is heard."),
  again: _("Check again"),
};

/** @type {Record<Finding["grade"], string>} */
export const GRADE = { ok: _("Works"), warning: _("Attention"), failed: _("Does not work"), skipped: _("Not checked") };

/** @type {Record<Verdict, string>} */
export const VERDICT = {
  ready: _("You are ready to call"),
  limited: _("Calls work, but not as well as they could"),
  broken: _("Something is in the way of your calls"),
  unfinished: _("Almost done"),
};

/**
 * @param {Verdict} verdict
 * @param {Step[]} troubles
 * @returns {string}
 */
export function verdictText(verdict, troubles) {
  if (verdict === "ready") return _("Everything was tried, and everything works.");
  const names = new Intl.ListFormat(document.documentElement.lang || "en").format(troubles.map((step) => STEP_NAME[step]));
  if (verdict === "unfinished" && troubles.length === 0) return _("Everything else works. Play the sound, and say whether you hear it.");
  if (verdict === "unfinished") return _("Look at this: %(names)s. And play the sound, and say whether you hear it.", { names });
  return ngettext("One thing needs your attention: %(names)s.", "%(count)s things need your attention: %(names)s.", troubles.length, { names });
}

/** @param {import("../media/devices.js").Device} device @param {import("../media/devices.js").ProblemKind} kind */
function problem(device, kind) {
  const { title, text } = media.problem([{ device, kind }]);
  return { text: title, advice: text };
}

/** @type {Record<Fault, Saying>} */
const RELAY_FAULT = {
  refused: ({ url }) => ({
    text: _("The relay does not take our credentials (%(url)s).", { url }),
    advice: _("Tell whoever runs this server: its secret and that of the relay are not the same."),
  }),
  unreachable: ({ url }) => ({
    text: _("The relay does not answer from here (%(url)s).", { url }),
    advice: _("A firewall may be in between, or the relay is down. Try another network; calls to people in your own network still work."),
  }),
  full: ({ url }) => ({
    text: _("The relay has no room left (%(url)s).", { url }),
    advice: _("Wait for some minutes. If it stays so, tell whoever runs this server."),
  }),
  silent: ({ url }) => ({
    text: _("The relay lets us in, but nothing comes through it (%(url)s).", { url }),
    advice: _("Tell whoever runs this server: its relay does not pass packets on."),
  }),
  error: ({ url }) => ({
    text: _("The relay answers with an error (%(url)s).", { url }),
    advice: _("Tell whoever runs this server to run “ringback doctor turn”."),
  }),
};

/** @type {Record<Step, Record<string, Saying>>} */
const SAID = {
  microphone: {
    heard: ({ label }) => ({ text: _("You can be heard: %(label)s.", { label }) }),
    quiet: ({ label }) => ({
      text: _("Very little is heard of you: %(label)s.", { label }),
      advice: _("Speak closer to it, turn it up in the settings of your system, or choose another one."),
    }),
    silent: ({ label }) => ({
      text: _("Nothing at all comes from your microphone: %(label)s.", { label }),
      advice: _("Look for a switch on the device or its cable, and whether your system has muted it."),
    }),
    unplugged: () => ({ text: _("The microphone was unplugged meanwhile."), advice: _("Plug it in, then check again.") }),
    denied: () => problem("microphone", "denied"),
    missing: () => problem("microphone", "missing"),
    in_use: () => problem("microphone", "in_use"),
    insecure: () => problem("microphone", "insecure"),
  },
  camera: {
    seen: ({ label, width, height }) => ({ text: _("You can be seen: %(label)s, %(width)s × %(height)s.", { label, width, height }) }),
    dark: ({ label }) => ({
      text: _("The picture is black: %(label)s.", { label }),
      advice: _("Look for a cover before the lens, and switch on a light."),
    }),
    no_picture: ({ label }) => ({
      text: _("The camera sends no picture: %(label)s.", { label }),
      advice: _("Unplug it and plug it in again, or choose another one."),
    }),
    denied: () => problem("camera", "denied"),
    missing: () => ({ text: _("No camera was found."), advice: _("Others hear you, but do not see you.") }),
    in_use: () => problem("camera", "in_use"),
    insecure: () => problem("camera", "insecure"),
  },
  speaker: {
    heard: () => ({ text: _("You hear what is played.") }),
    not_heard: () => ({
      text: _("You do not hear what is played."),
      advice: _("Turn the volume up, and see in the settings of your system where sound goes: often to a screen or to headphones that are off."),
    }),
    blocked: () => ({
      text: _("Your browser does not let this page play sound."),
      advice: _("Allow sound for this page (the symbol beside the address, or your browser’s settings), then try again."),
    }),
  },
  server: {
    answers: ({ ms }) => ({ text: _("It answers within %(ms)s ms.", { ms }) }),
    slow: ({ ms }) => ({
      text: _("It answers slowly: %(ms)s ms.", { ms }),
      advice: _("Calls begin late. Move closer to your Wi-Fi, or stop large downloads."),
    }),
    unreachable: () => ({
      text: _("The server could not be reached."),
      advice: _("See whether other pages open, and whether you are still signed in."),
    }),
    no_socket: () => ({
      text: _("The server is there, but a lasting connection to it is not let through."),
      advice: _("A proxy or a virus scanner that does not know WebSockets may be in between. Try another network."),
    }),
    no_answer: () => ({
      text: _("The connection opens, and then nothing comes."),
      advice: _("Your network loses much, or something in between holds it back. Try another one."),
    }),
  },
  stun: {
    address: ({ address }) => ({ text: _("The Internet sees you as %(address)s.", { address }) }),
    same_address: () => ({ text: _("The server sees you directly, with no address translation in between.") }),
    unreachable: ({ url }) => ({
      text: _("Nobody tells us your address from outside (%(url)s).", { url }),
      advice: _("Your network lets no UDP out, or the STUN server is down. Calls to other networks then need a relay."),
    }),
    relay_only: () => ({ text: _("Not needed: on this server everything goes through the relay.") }),
    none: () => ({ text: _("This server has no STUN server: calls work within one network.") }),
    not_asked: () => ({ text: _("The server did not say whom to ask.") }),
  },
  relay: {
    works: ({ ms }) => ({ text: _("Packets go through it and come back in %(ms)s ms.", { ms }) }),
    some: ({ ms, url }) => ({
      text: _("It works (%(ms)s ms), but not at each of its addresses.", { ms }),
      advice: _("Not reached: %(url)s. Your calls take the others.", { url }),
    }),
    none: () => ({ text: _("This server has no relay: some calls from one network to another will not connect.") }),
    not_asked: () => ({
      text: _("The server did not say which relay there is."),
      advice: _("Wait for a minute, then check again."),
    }),
    ...RELAY_FAULT,
  },
  bandwidth: {
    enough: (values) => ({ text: _("%(speed)s: enough for sound and picture.", { speed: speed(values) }) }),
    sound_only: (values) => ({
      text: _("%(speed)s: enough for sound, and too little for a good picture.", { speed: speed(values) }),
      advice: _("Move closer to your Wi-Fi, stop large downloads, or call without camera."),
    }),
    too_little: (values) => ({
      text: _("%(speed)s: too little for a call.", { speed: speed(values) }),
      advice: _("Try another network."),
    }),
    not_measured: () => ({ text: _("It could not be measured now.") }),
  },
};

/** @param {Record<string, string | number>} values */
function speed({ way, mbit, down, up }) {
  return way === "relay"
    ? _("%(mbit)s Mbit/s through the relay", { mbit })
    : _("%(down)s Mbit/s from the server, %(up)s Mbit/s to it", { down, up });
}

/**
 * @param {Step} step
 * @param {Finding} finding
 * @returns {Said}
 */
export function said(step, { code, values = {} }) {
  return SAID[step][code](values);
}

/** What each address of the relay came to, in few words. @type {Record<Fault, string>} */
export const RELAY_SHORT = {
  refused: _("credentials refused"),
  unreachable: _("no answer"),
  full: _("no room left"),
  silent: _("nothing comes through"),
  error: _("error"),
};
