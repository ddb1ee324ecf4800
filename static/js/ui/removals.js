/**
 * Calls that were removed and can still be brought back. The server hears of it when that time is over or the page is
 * left: whatever goes wrong before, nothing is lost.
 */
import { _ } from "../i18n.js";
import { announce } from "./announcer.js";
import { need, setText } from "./dom.js";
import { toast } from "./toasts.js";

/** Long enough to read what happened and to change one's mind. */
const UNDO_MS = 8_000;
/** What the page that comes next leaves out: it may have been asked for before the server has heard of the removal. */
const LEFT_BEHIND_KEY = "ringback-removed-calls";

export class Removals {
  #forget;
  #onGone;
  /** What can still be undone. @type {Map<string, {row: HTMLElement, timer: any}>} */
  #pending = new Map();
  /** What the server is told of now. @type {Set<string>} */
  #underWay = new Set();

  /**
   * @param {object} options
   * @param {(callId: string) => Promise<void>} options.forget tells the server
   * @param {(row: HTMLElement) => void} options.onGone the row is to go
   */
  constructor({ forget, onGone }) {
    this.#forget = forget;
    this.#onGone = onGone;
    window.addEventListener("pagehide", () => {
      if (this.#pending.size > 0) sessionStorage.setItem(LEFT_BEHIND_KEY, JSON.stringify([...this.#pending.keys()]));
      this.finish();
    });
  }

  /** @param {HTMLElement} row of a call; from now on it only says that it was removed */
  begin(row) {
    const { callId = "", displayName: name = "" } = row.dataset;
    const sentence = _("Call with %(name)s removed", { name });
    setText(need("[data-gone-text]", row), sentence);
    row.dataset.gone = "yes";
    announce(sentence);
    need("[data-undo]", row).focus();
    this.#pending.set(callId, { row, timer: setTimeout(() => this.#timeIsOver(callId), UNDO_MS) });
  }

  /** @param {HTMLElement} row */
  undo(row) {
    const { callId = "" } = row.dataset;
    clearTimeout(this.#pending.get(callId)?.timer);
    this.#pending.delete(callId);
    row.dataset.gone = "no";
    announce(_("The call is back"));
  }

  /** Nothing can be undone any more: the rows go out of sight. */
  finish() {
    for (const [callId, { row, timer }] of [...this.#pending]) {
      clearTimeout(timer);
      this.#tell(callId, row);
    }
  }

  /** @param {string} callId @returns {boolean} whether the call is to be gone, though the server may not yet know */
  has(callId) {
    return this.#pending.has(callId) || this.#underWay.has(callId);
  }

  /** @returns {Set<string>} the ids of the calls that the page before this one has removed */
  static leftBehind() {
    const ids = JSON.parse(sessionStorage.getItem(LEFT_BEHIND_KEY) ?? "[]");
    sessionStorage.removeItem(LEFT_BEHIND_KEY);
    return new Set(ids);
  }

  /** @param {string} callId */
  #timeIsOver(callId) {
    const pending = this.#pending.get(callId);
    if (!pending) return;
    // Not while somebody points at it, or stands on its button by keyboard.
    if (pending.row.matches(":hover, :has(:focus-visible)")) {
      pending.timer = setTimeout(() => this.#timeIsOver(callId), UNDO_MS);
    } else {
      this.#tell(callId, pending.row);
    }
  }

  /**
   * @param {string} callId
   * @param {HTMLElement} row
   */
  async #tell(callId, row) {
    this.#pending.delete(callId);
    this.#underWay.add(callId);
    try {
      await this.#forget(callId);
    } catch (error) {
      if (/** @type {{status?: number}} */ (error).status !== 404) {
        row.dataset.gone = "no";
        toast(_("The call could not be removed. Please try again."), "error");
        return;
      }
    } finally {
      this.#underWay.delete(callId);
    }
    this.#onGone(row);
  }
}
