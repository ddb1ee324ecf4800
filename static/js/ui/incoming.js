/**
 * The dialog in which a call rings, on every signed-in page. One call at a time; a second one waits for its turn.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../realtime/inbox.js").Inbox} Inbox
 * @typedef {import("../realtime/inbox.js").Ringing} Ringing
 * @typedef {import("./ringer.js").Ringer} Ringer
 *
 * @typedef {object} IncomingOptions
 * @property {Inbox} inbox
 * @property {Ringer} ringer
 * @property {string} [callHere] the call of this page, which rings in the page itself
 * @property {() => boolean} [busy] whether this page is in a call
 * @property {() => Promise<void>} [beforeAnswer] ends the call of this page
 */
import { incoming as strings, STOPPED } from "../strings.js";
import { announce } from "./announcer.js";
import { drawAvatar } from "./avatar.js";
import { need } from "./dom.js";
import { toast } from "./toasts.js";

export class IncomingDialog {
  #inbox;
  #ringer;
  #callHere;
  #busy;
  #beforeAnswer;
  /** @type {HTMLDialogElement} */
  #dialog = need("#incoming");
  /** The first is on show. @type {Call[]} */
  #queue = [];

  /** @param {IncomingOptions} options */
  constructor({ inbox, ringer, callHere, busy = () => false, beforeAnswer = async () => {} }) {
    this.#inbox = inbox;
    this.#ringer = ringer;
    this.#callHere = callHere;
    this.#busy = busy;
    this.#beforeAnswer = beforeAnswer;
    inbox.on("incoming", ({ call }) => this.#add(call));
    inbox.on("stopped", ({ call, reason }) => this.#remove(call, reason));
    this.#dialog.addEventListener("cancel", (event) => this.#escape(event));
    this.#onClick("[data-answer]", () => this.#answer());
    this.#onClick("[data-decline]", () => this.#act((callId) => this.#inbox.decline(callId)));
    this.#onClick("[data-ignore]", () => this.#act((callId) => this.#inbox.ignore(callId)));
  }

  /** @param {Call} call */
  #add(call) {
    if (call.call_id === this.#callHere) return;
    this.#queue.push(call);
    if (this.#queue.length === 1) this.#show(call);
  }

  /**
   * @param {Call} call
   * @param {string} reason
   */
  #remove(call, reason) {
    const wasShown = this.#queue[0]?.call_id === call.call_id;
    this.#queue = this.#queue.filter((queued) => queued.call_id !== call.call_id);
    if (!wasShown) return;
    this.#ringer.stop();
    this.#dialog.close();
    const sentence = STOPPED[reason]?.(callerOf(call).display_name);
    if (sentence) toast(sentence);
    if (this.#queue.length > 0) this.#show(this.#queue[0]);
  }

  /** @param {Call} call */
  #show(call) {
    const caller = callerOf(call);
    const title = strings.title(caller.display_name);
    const busy = this.#busy();
    this.#dialog.setAttribute("aria-label", strings.title(caller.username));
    drawAvatar(need(".avatar", this.#dialog), caller);
    need("[data-name]", this.#dialog).textContent = caller.display_name;
    need("[data-kind]", this.#dialog).textContent = call.media === "video" ? strings.video : strings.audio;
    need("[data-note]", this.#dialog).textContent = busy ? strings.endsCurrent : "";
    this.#enable(true);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#dialog.focus(); // not on a button: who is typing must not answer by accident
    this.#ringer.start(title, busy ? "callWaiting" : "ringtone");
    this.#inbox.ringing(call.call_id).catch(() => {}); // it stopped ringing meanwhile: that is told separately
  }

  async #answer() {
    await this.#act(async (callId) => {
      this.#ringer.silence();
      if (this.#busy()) await this.#beforeAnswer();
      const call = await this.#inbox.answer(callId);
      location.assign(`/call/${call.call_id}`);
    });
  }

  /** @param {(callId: string) => Promise<unknown>} act */
  async #act(act) {
    const [call] = this.#queue;
    if (!call) return;
    this.#enable(false);
    try {
      await act(call.call_id);
    } catch (error) {
      if (this.#queue[0] === call) toast(strings.failed, "error");
    } finally {
      this.#enable(true);
    }
  }

  /** @param {Event} event Escape silences; it neither answers nor declines */
  #escape(event) {
    event.preventDefault();
    this.#ringer.silence();
    announce(strings.silenced);
  }

  /** @param {boolean} enabled */
  #enable(enabled) {
    for (const button of this.#dialog.querySelectorAll("button")) button.disabled = !enabled;
  }

  /**
   * @param {string} selector
   * @param {() => void} action
   */
  #onClick(selector, action) {
    need(selector, this.#dialog).addEventListener("click", action);
  }
}

/**
 * @param {Call} call
 * @returns {import("../types.js").User} the caller's leg is the first
 */
export function callerOf(call) {
  return call.legs[0].user;
}
