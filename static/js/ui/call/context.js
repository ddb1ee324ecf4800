/**
 * What every part of the page of a call is given. `pages/call.js` makes one and starts each part with it.
 *
 * @typedef {import("../../types.js").Boot} Boot
 * @typedef {import("../../types.js").Call} Call
 * @typedef {import("../../types.js").User} User
 * @typedef {import("../../media/call.js").CallSession} CallSession
 * @typedef {import("../../media/devices.js").LocalMedia} LocalMedia
 * @typedef {import("../../media/phase.js").Phase} Phase
 * @typedef {import("./panel.js").SidePanel} SidePanel
 * @typedef {import("./shortcuts.js").Shortcuts} Shortcuts
 *
 * @typedef {object} CallContext
 * @property {Required<Boot> & {user: User, call: Call}} boot what the server gave the page
 * @property {ReturnType<typeof import("../shell.js").startShell>} shell
 * @property {CallSession} session emits `change` after everything that may look different
 * @property {LocalMedia} media this person's own
 * @property {HTMLElement} page `#call`: its data attributes say where the call stands
 * @property {SidePanel} panel
 * @property {Shortcuts} shortcuts
 */
import { peerOf } from "../../strings/ringing.js";

/**
 * @param {CallContext} context
 * @returns {User} whom this call is with; the first of them, where they are several
 */
export function partnerOf({ session, boot }) {
  return peerOf(session.view.call, boot.user.id).user;
}

/**
 * @param {CallSession} session
 * @returns {boolean} whether this person is in the call, or calling
 */
export function isRunning({ view: { phase } }) {
  return phase !== "ended" && phase !== "incoming";
}

/**
 * @param {CallSession} session
 * @returns {boolean} whether media flows, or did and will again
 */
export function isTalking({ view: { phase } }) {
  return phase === "in_call" || phase === "reconnecting";
}

/**
 * Calls `enter` for the phase that the call is in, and for each that comes.
 *
 * @param {CallSession} session
 * @param {(phase: Phase, before: Phase | null) => void} enter
 */
export function onPhase(session, enter) {
  /** @type {Phase | null} */
  let shown = null;
  const look = () => {
    const { phase } = session.view;
    if (phase === shown) return;
    const before = shown;
    shown = phase;
    enter(phase, before);
  };
  session.on("change", look);
  look();
}
