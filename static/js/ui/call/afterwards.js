/**
 * When it is over: the next step, calling again, a message for whoever did not answer.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 */
import { closeRule } from "../../realtime/close_codes.js";
import { sentenceFor } from "../../strings.js";
import { need } from "../dom.js";
import { offerStep } from "../next_steps.js";
import { toast } from "../toasts.js";
import { VoicemailRecorder } from "../voicemail_recorder.js";
import { onPhase, partnerOf } from "./context.js";

/** Reasons after which the same person can be called again, though the server's own word is still on its way. */
const LEFT_BY_ME = new Set(["hangup", "cancelled", "media_denied"]);

/** Reasons that may lie with this device or its network. */
const TO_BE_CHECKED = new Set(["media_denied", "ice_failed", "connection_lost"]);

/** @param {CallContext} context */
export function startAfterwards(context) {
  const { boot, shell, session } = context;
  const { api, inbox } = shell.client;
  const recorder = new VoicemailRecorder(api, boot.call, boot.voicemail);
  const again = need("#call-again");

  function ended() {
    const { over } = session.view;
    offerStep(/** @type {HTMLButtonElement} */ (need("#next-step")), over && "code" in over ? stepAfter(over.code) : "none");
    need("#check-device").hidden = !TO_BE_CHECKED.has(reasonOf(session.view));
    need("#back").focus(); // and not on the button that would call again
  }

  function draw() {
    const { phase, call, over } = session.view;
    if (phase !== "ended") return;
    again.hidden = call.state !== "ended" && !(over && "reason" in over && LEFT_BY_ME.has(over.reason));
    recorder.offer(call);
  }

  async function callAgain() {
    again.setAttribute("aria-busy", "true");
    try {
      const { call_id } = await api.startCall(partnerOf(context).username, boot.call.media);
      location.assign(`/call/${call_id}`);
    } catch (error) {
      again.removeAttribute("aria-busy");
      toast(sentenceFor(error), "error");
    }
  }

  again.addEventListener("click", callAgain);
  inbox.on("incoming", () => recorder.interrupt());
  onPhase(session, (phase) => {
    if (phase === "ended") ended();
  });
  session.on("change", draw);
  draw();
}

/**
 * @param {import("../../media/call.js").CallView} view
 * @returns {string} empty while the server has not said it
 */
function reasonOf({ call, over }) {
  return call.end_reason ?? (over && "reason" in over ? over.reason : "");
}

/** @param {number} code the way home is always there */
function stepAfter(code) {
  const { next } = closeRule(code);
  return next === "home" ? "none" : next;
}
