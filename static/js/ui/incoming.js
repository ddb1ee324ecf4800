/**
 * The dialog in which calls ring, on every signed-in page. It takes the whole attention, but for somebody who is in a call
 * already: then it stands at the edge, and the call goes on. Of several calls the first is on show, the others are listed.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../types.js").User} User
 * @typedef {import("../realtime/inbox.js").Ringing} Ringing
 * @typedef {import("../client.js").Client} Client
 * @typedef {import("./ringer.js").Ringer} Ringer
 *
 * @typedef {object} IncomingOptions
 * @property {Client} client
 * @property {Ringer} ringer
 * @property {string} ownId
 * @property {string} [callHere] the call of this page, which rings in the page itself
 * @property {() => boolean} [busy] whether this page is in a call
 * @property {() => Promise<void>} [beforeAnswer] ends the call of this page
 */
import { _ } from "../i18n.js";
import { incoming as strings, STOPPED } from "../strings.js";
import { ringsSoftly } from "../strings/ringing.js";
import { announce } from "./announcer.js";
import { drawAvatar } from "./avatar.js";
import { copyOf, need, setText } from "./dom.js";
import { toast } from "./toasts.js";

export class IncomingDialog {
  #inbox;
  #api;
  #ringer;
  #ownId;
  #callHere;
  #busy;
  #beforeAnswer;
  /** @type {HTMLDialogElement} */
  #dialog = need("#incoming");
  /** The first is on show. @type {Call[]} */
  #ringing = [];
  /** The call in which this person is, on this device or another. @type {Call | null} */
  #current = null;
  /** What is answered, declined or ignored at this moment. @type {Call | null} */
  #deciding = null;

  /** @param {IncomingOptions} options */
  constructor({ client, ringer, ownId, callHere, busy = () => false, beforeAnswer = async () => {} }) {
    this.#inbox = client.inbox;
    this.#api = client.api;
    this.#ringer = ringer;
    this.#ownId = ownId;
    this.#callHere = callHere;
    this.#busy = busy;
    this.#beforeAnswer = beforeAnswer;
    this.#inbox.on("incoming", ({ call }) => this.#add(call));
    this.#inbox.on("stopped", ({ call, reason }) => this.#remove(call, reason));
    this.#inbox.on("call", (call) => this.#changed(call));
    document.addEventListener("keydown", (event) => this.#escape(event));
    this.#dialog.addEventListener("close", () => this.#comeBack());
    this.#onClick("[data-answer]", (button) => this.#answer(this.#ringing[0], button, true));
    this.#onClick("[data-answer-audio]", (button) => this.#answer(this.#ringing[0], button, false));
    this.#onClick("[data-decline]", (button) => this.#decline(this.#ringing[0], button));
    this.#onClick("[data-ignore]", (button) => this.#ignore(this.#ringing[0], button));
  }

  /** @param {Call} call */
  #add(call) {
    if (call.call_id === this.#callHere) return;
    this.#ringing.push(call);
    this.#inbox.ringing(call.call_id).catch(() => {}); // it stopped ringing meanwhile: that is told separately
    if (this.#ringing.length === 1) this.#show();
    else this.#listOthers();
  }

  /**
   * @param {Call} call
   * @param {string} reason
   */
  #remove(call, reason) {
    const at = this.#ringing.findIndex(({ call_id }) => call_id === call.call_id);
    if (at < 0) return;
    this.#ringing.splice(at, 1);
    const sentence = STOPPED[reason]?.(callerOf(call, this.#ownId).display_name);
    if (sentence) toast(sentence);
    if (at > 0) return this.#listOthers();
    this.#ringer.stop();
    this.#dialog.close();
    if (this.#ringing.length > 0) this.#show();
  }

  /** @param {Call} call one of mine */
  #changed(call) {
    const leg = call.legs.find(({ user }) => user.id === this.#ownId);
    const wasWaiting = this.#waiting;
    if (leg && ["joined", "reconnecting"].includes(leg.state) && call.state !== "ended") this.#current = call;
    else if (this.#current?.call_id === call.call_id) this.#current = null;
    if (this.#ringing.length > 0 && this.#dialog.open && this.#waiting !== wasWaiting) {
      this.#dialog.close();
      this.#show();
    }
  }

  /** @returns {boolean} whether what rings does so for somebody who is in a call */
  get #waiting() {
    return this.#busy() || this.#current !== null;
  }

  #show() {
    const [call] = this.#ringing;
    const caller = callerOf(call, this.#ownId);
    const waiting = this.#waiting;
    const video = call.media === "video";
    this.#dialog.dataset.waiting = waiting ? "yes" : "no";
    this.#dialog.setAttribute("aria-label", strings.title(caller.username));
    drawAvatar(need("[data-caller] .avatar", this.#dialog), caller);
    setText(need("[data-name]", this.#dialog), caller.display_name);
    setText(need("[data-kind]", this.#dialog), video ? strings.video : strings.audio);
    setText(need("[data-note]", this.#dialog), waiting ? this.#waitingWords() : "");
    need("[data-answer]", this.#dialog).dataset.media = call.media;
    setText(need("[data-answer] [data-label]", this.#dialog), waiting ? _("Hang up and answer") : _("Answer"));
    need("[data-answer-audio]", this.#dialog).hidden = !video || waiting;
    this.#offerPreview(call, waiting);
    this.#listOthers();
    this.#tellProblem("");
    this.#enable(this.#deciding !== call);
    this.#open(waiting, caller);
    const softly = waiting || ringsSoftly(call, this.#ownId);
    this.#ringer.start(call.call_id, strings.title(caller.display_name), softly ? "callWaiting" : "ringtone");
  }

  /**
   * @param {boolean} waiting
   * @param {User} caller
   */
  #open(waiting, caller) {
    if (waiting) this.#stepIn(caller);
    else this.#takeOver();
  }

  /**
   * The call's own page rings, too, and shows how one comes across; who is in a call stays there.
   *
   * @param {Call} call
   * @param {boolean} waiting
   */
  #offerPreview({ call_id }, waiting) {
    /** @type {HTMLAnchorElement} */
    const link = need("[data-preview]", this.#dialog);
    link.href = `/call/${call_id}#preview`;
    link.hidden = waiting;
  }

  /** As long as it rings there must be something to answer with, whatever has closed the dialog. */
  #comeBack() {
    if (this.#ringing.length > 0 && !this.#dialog.open) this.#open(this.#waiting, callerOf(this.#ringing[0], this.#ownId));
  }

  #takeOver() {
    this.#dialog.showModal();
    this.#dialog.focus(); // not on a button: who is typing must not answer by accident
  }

  /** @param {User} caller */
  #stepIn(caller) {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    this.#dialog.show();
    // Whatever one is doing in the call goes on; and no button of this has the focus by itself.
    (before && before !== document.body ? before : this.#dialog).focus();
    announce(strings.title(caller.display_name));
  }

  #waitingWords() {
    if (!this.#current) return strings.endsCurrent;
    const other = this.#current.legs.find(({ user }) => user.id !== this.#ownId);
    return other ? _("You are in a call with %(name)s.", { name: other.user.display_name }) : strings.endsCurrent;
  }

  #listOthers() {
    const list = need("[data-others]", this.#dialog);
    list.replaceChildren(...this.#ringing.slice(1).map((call) => this.#otherItem(call)));
    list.hidden = this.#ringing.length < 2;
  }

  /** @param {Call} call */
  #otherItem(call) {
    const item = copyOf("incoming-other-template");
    const caller = callerOf(call, this.#ownId);
    drawAvatar(need(".avatar", item), caller);
    setText(need("[data-name]", item), caller.display_name);
    setText(need("[data-kind]", item), call.media === "video" ? strings.video : strings.audio);
    const [decline, answer] = [need("[data-decline]", item), need("[data-answer]", item)];
    decline.setAttribute("aria-label", _("Decline %(name)s", { name: caller.username }));
    answer.setAttribute("aria-label", _("Answer %(name)s", { name: caller.username }));
    decline.addEventListener("click", () => this.#decline(call, decline));
    answer.addEventListener("click", () => this.#answer(call, answer, true));
    return item;
  }

  /**
   * @param {Call} call
   * @param {HTMLElement} button
   * @param {boolean} camera whether one is seen, in a call with video
   */
  async #answer(call, button, camera) {
    await this.#act(call, button, strings.failed, async ({ call_id, media }) => {
      this.#ringer.silence();
      await this.#endCurrent();
      await this.#inbox.answer(call_id);
      location.assign(`/call/${call_id}${camera || media === "audio" ? "" : "#audio"}`);
    });
  }

  async #endCurrent() {
    if (this.#busy()) await this.#beforeAnswer();
    else if (this.#current) await this.#api.hangup(this.#current.call_id);
  }

  /**
   * @param {Call} call
   * @param {HTMLElement} button
   */
  async #decline(call, button) {
    await this.#act(call, button, strings.declineFailed, async ({ call_id }) => {
      this.#ringer.silence(call_id);
      await this.#inbox.decline(call_id);
    });
  }

  /**
   * @param {Call} call
   * @param {HTMLElement} button
   */
  async #ignore(call, button) {
    // It is gone from here at once: if the server does not hear of it, there is nothing to tell.
    await this.#act(call, button, "", async ({ call_id }) => {
      this.#ringer.silence(call_id);
      await this.#inbox.ignore(call_id);
    });
  }

  /**
   * @param {Call | undefined} call
   * @param {HTMLElement} button that was pressed: it shows that something goes on
   * @param {string} failed what to say if nothing came of it
   * @param {(call: Call) => Promise<unknown>} act
   */
  async #act(call, button, failed, act) {
    if (!call || this.#deciding === call) return;
    this.#deciding = call;
    this.#tellProblem("");
    button.setAttribute("aria-busy", "true");
    this.#enable(false);
    try {
      await act(call);
    } catch (error) {
      if (this.#ringing.includes(call)) this.#tellProblem(failed);
    } finally {
      if (this.#deciding === call) {
        this.#deciding = null;
        this.#enable(true);
      }
    }
  }

  /** @param {string} sentence in the dialog: what is outside a modal one can neither be seen well nor heard */
  #tellProblem(sentence) {
    setText(need("[data-problem]", this.#dialog), sentence);
  }

  /**
   * Escape silences; it neither answers nor declines. By the key, because browsers let a page refuse a dialog's `cancel`
   * only now and then.
   *
   * @param {KeyboardEvent} event
   */
  #escape(event) {
    if (event.key !== "Escape" || !this.#dialog.matches(":modal")) return;
    event.preventDefault();
    this.#ringer.silence();
    announce(strings.silenced);
  }

  /** @param {boolean} enabled the one that was pressed keeps the focus */
  #enable(enabled) {
    for (const button of this.#dialog.querySelectorAll("button")) {
      if (enabled) button.removeAttribute("aria-busy");
      button.disabled = !enabled && button.getAttribute("aria-busy") !== "true";
    }
  }

  /**
   * @param {string} selector
   * @param {(button: HTMLElement) => void} action
   */
  #onClick(selector, action) {
    const button = need(selector, this.#dialog);
    button.addEventListener("click", () => action(button));
  }
}

/**
 * @param {Call} call
 * @param {string} ownId
 * @returns {User} who calls that person: perhaps somebody in a call that goes on
 */
export function callerOf(call, ownId) {
  const inviterId = call.legs.find(({ user }) => user.id === ownId)?.invited_by;
  return (call.legs.find(({ user }) => user.id === inviterId) ?? call.legs[0]).user;
}
