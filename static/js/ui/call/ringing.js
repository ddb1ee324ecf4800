/**
 * The call rings on its own page: answered or declined here.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../types.js").Call} Call
 */
import { takeAnswer } from "../../push/answered.js";
import { incoming } from "../../strings.js";
import { ringsSoftly } from "../../strings/ringing.js";
import { WITHOUT_CAMERA } from "../call_address.js";
import { need } from "../dom.js";
import { toast } from "../toasts.js";
import { partnerOf } from "./context.js";

/** Answer may have been pressed in a notification. That alone proves nothing: anybody can send such a link. */
const ANSWERED = "#answer";

/** @param {CallContext} context */
export function startRinging(context) {
  const { boot, shell, session } = context;
  const { inbox } = shell.client;
  /** While the person's own decision is under way, what is heard of the call may be its result. */
  let deciding = false;

  /** @param {boolean} camera */
  async function answer(camera) {
    await decide(camera ? "#answer" : "#answer-audio", incoming.failed, async () => {
      const call = await inbox.answer(boot.call.call_id);
      if (!camera) history.replaceState(null, "", WITHOUT_CAMERA);
      session.answered(call, camera);
    });
  }

  async function decline() {
    await decide("#decline", incoming.declineFailed, async () => session.apply(await inbox.decline(boot.call.call_id)));
  }

  /**
   * @param {string} pressed its button
   * @param {string} failed what to say if nothing came of it
   * @param {() => Promise<void>} act
   */
  async function decide(pressed, failed, act) {
    if (deciding) return;
    deciding = true;
    need(pressed).setAttribute("aria-busy", "true");
    shell.ringer.silence();
    enableButtons(false);
    try {
      await act();
    } catch (error) {
      if (session.view.phase === "incoming") toast(failed, "error");
    } finally {
      deciding = false;
      enableButtons(true);
    }
  }

  /** @param {Call} call */
  async function answerOrRing(call) {
    history.replaceState(null, "", location.pathname);
    const answered = await takeAnswer(call.call_id);
    if (session.view.phase !== "incoming") return;
    if (answered) answer(true);
    else ring(call);
  }

  /** @param {Call} call */
  function ring(call) {
    const tone = ringsSoftly(call, boot.user.id) ? "callWaiting" : "ringtone";
    shell.ringer.start(call.call_id, `${incoming.title(partnerOf(context).display_name)} · Ringback`, tone);
    inbox.ringing(call.call_id).catch(() => {}); // it stopped ringing meanwhile: that is told separately
  }

  need("#answer").addEventListener("click", () => answer(true));
  need("#answer-audio").addEventListener("click", () => answer(false));
  need("#decline").addEventListener("click", decline);

  inbox.on("call", (call) => {
    if (!deciding) session.apply(call);
  });
  inbox.on("stopped", ({ call, reason }) => {
    if (call.call_id !== boot.call.call_id) return;
    shell.ringer.stop();
    if (reason !== "handled") session.stopRinging(reason);
  });
  inbox.on("incoming", ({ call }) => {
    if (call.call_id !== boot.call.call_id) return;
    if (session.view.phase === "ended") return location.reload(); // one had left, and is called in again
    if (session.view.phase !== "incoming") return;
    if (location.hash === ANSWERED) answerOrRing(call);
    else ring(call);
  });
  // The page rang already, in the background.
  window.addEventListener("hashchange", () => {
    if (location.hash === ANSWERED && inbox.isRinging(boot.call.call_id)) answerOrRing(session.view.call);
  });
}

/** @param {boolean} enabled the one that was pressed keeps the focus */
function enableButtons(enabled) {
  for (const id of ["#answer", "#answer-audio", "#decline"]) {
    const button = /** @type {HTMLButtonElement} */ (need(id));
    if (enabled) button.removeAttribute("aria-busy");
    button.disabled = !enabled && button.getAttribute("aria-busy") !== "true";
  }
}
