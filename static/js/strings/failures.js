/**
 * Why a call failed, in plain words: what happened, and what can be done about it.
 *
 * @typedef {import("../media/diagnosis.js").Cause} Cause
 * @typedef {import("../media/diagnosis.js").CauseKind} CauseKind
 */
import { _ } from "../i18n.js";
import { media } from "../strings.js";

/** @typedef {{title: string, text: string}} Words */
/** @typedef {Exclude<CauseKind, import("../media/devices.js").ProblemKind>} OtherKind */

/** @type {Record<OtherKind, (name: string) => Words>} */
const WORDS = {
  denied_there: (name) => ({
    title: _("Microphone or camera was not allowed at the other end"),
    text: _("%(name)s has to allow them for this page, and can call back then.", { name }),
  }),
  relay_refused: () => ({
    title: _("The relay did not let us in"),
    text: _("Calls between your networks go through a relay, and it did not accept the password that this server gave. Only whoever runs the server can put that right; send them the report."),
  }),
  relay_full: () => ({
    title: _("The relay is full"),
    text: _("Calls between your networks go through a relay, and too many use it at the moment. Try again in a while."),
  }),
  relay_unreachable: () => ({
    title: _("The relay could not be reached"),
    text: _("Calls between your networks go through a relay, and it did not answer. Your network may block it: try another one. If it fails there, too, tell whoever runs this server."),
  }),
  no_relay: (name) => ({
    title: _("There is no direct way between you and %(name)s", { name }),
    text: _("Your networks need a relay between them, and this server has none. Try another network, on either side, or ask whoever runs the server to set one up."),
  }),
  no_addresses: () => ({
    title: _("This device found no network to call through"),
    text: _("A firewall, a VPN or an extension of the browser may forbid it. Switch it off, or try another browser or network."),
  }),
  no_way: (name) => ({
    title: _("No way was found between you and %(name)s", { name }),
    text: _("The network on one of the two sides lets no call through. Try another network, on either side."),
  }),
  never_met: (name) => ({
    title: _("%(name)s answered, but did not come into the call", { name }),
    text: _("Their page was closed, or lost its network, just then. Call again."),
  }),
  lost_there: (name) => ({
    title: _("The connection of %(name)s was lost", { name }),
    text: _("Nothing came from their device any more: its network was gone, or it was switched off. Call again in a moment."),
  }),
  lost_here: () => ({
    title: _("Your own connection was lost"),
    text: _("This device could not reach the server for too long. Check your network, then call again."),
  }),
  offline: () => ({
    title: _("This device was offline"),
    text: _("It had no network at all. Switch Wi-Fi or mobile data on, then call again."),
  }),
  server_away: () => ({
    title: _("The server could not be reached any more"),
    text: _("Sound and picture can go on for a while without it. Look whether other pages load; if they do, it is the server, and it comes back as a rule within a minute."),
  }),
  server_stopped: () => ({
    title: _("The server was shut down during the call"),
    text: _("That happens when it is updated. Call again in a minute."),
  }),
  server_fault: () => ({
    title: _("The server made a mistake"),
    text: _("That is no fault of yours. Call again, and send the report to whoever runs the server."),
  }),
  elsewhere: () => ({
    title: _("You took this call on another device"),
    text: _("It goes on there."),
  }),
  replaced: () => ({
    title: _("This call was opened in another place"),
    text: _("It goes on in another window, or on another device of yours."),
  }),
  removed: () => ({
    title: _("You were taken out of the call"),
    text: _("Whoever leads a call can do that. The others may still be talking."),
  }),
};

/**
 * @param {Cause} cause
 * @returns {Words}
 */
export function causeWords({ kind, name = "", problems = [] }) {
  return problems.length > 0 ? media.problem(problems) : WORDS[/** @type {OtherKind} */ (kind)](name);
}
