/**
 * Calls by day, newest first: what the server has rendered and what came later, each at its place.
 *
 * @typedef {import("../types.js").HistoryItem} HistoryItem
 * @typedef {import("../types.js").User} User
 */
import { _ } from "../i18n.js";
import { drawAvatar } from "./avatar.js";
import { copyOf, need, setText } from "./dom.js";
import { dayName, moment, timeOfDay } from "./format.js";
import { peerOf } from "../strings/ringing.js";

const KIND_WORDS = {
  missed: () => _("Missed"),
  incoming: () => _("Incoming"),
  outgoing: () => _("Outgoing"),
};

export class HistoryList {
  #root;
  #myId;
  #locale = document.documentElement.lang;
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();

  /**
   * @param {HTMLElement} root with the rows that the server has rendered, in its days; here they get into the reader's
   * @param {string} myId
   */
  constructor(root, myId) {
    this.#root = root;
    this.#myId = myId;
    const rendered = this.rows();
    root.replaceChildren();
    for (const row of rendered) this.#insert(row);
  }

  get size() {
    return this.#rows.size;
  }

  /** @returns {string} the id of the newest call; empty if there is none */
  get newest() {
    return [...this.#rows.keys()].reduce((newest, id) => (id > newest ? id : newest), "");
  }

  /** @returns {HTMLElement[]} from top to bottom */
  rows() {
    return [...this.#root.querySelectorAll("[data-call-id]")].map((row) => /** @type {HTMLElement} */ (row));
  }

  /** @param {HistoryItem[]} items */
  show(items) {
    for (const item of items) {
      const row = this.#rows.get(item.call_id) ?? copyOf("call-template");
      this.#fill(row, item);
      if (!row.isConnected) this.#insert(row);
    }
    this.#nameDays();
  }

  /** @param {string} callId */
  remove(callId) {
    const row = this.#rows.get(callId);
    const day = row?.closest(".day");
    row?.remove();
    this.#rows.delete(callId);
    if (day && !day.querySelector("[data-call-id]")) day.remove();
  }

  clear() {
    this.#rows.clear();
    this.#root.replaceChildren();
  }

  /**
   * @param {HTMLElement} row
   * @param {HistoryItem} item
   */
  #fill(row, item) {
    const peer = peerOf(item, this.#myId).user;
    const kind = item.missed ? "missed" : item.direction;
    const { username, display_name: name } = peer;
    Object.assign(row.dataset, {
      callId: item.call_id,
      kind,
      media: item.media,
      over: item.state === "ended" ? "yes" : "no",
      username,
      displayName: name,
    });
    if (item.unread) row.dataset.new = "yes"; // and stays so while the page is open, though it has been seen by that
    drawAvatar(need(".avatar", row), peer);
    setText(need("[data-name]", row), name);
    link(/** @type {HTMLAnchorElement} */ (need("[data-link]", row)), item);
    setText(need("[data-kind-words]", row), KIND_WORDS[kind]());
    setText(need("[data-outcome]", row), item.outcome);
    setText(need("[data-details]", row), item.details);
    /** @type {HTMLTimeElement} */ (need("time", row)).dateTime = item.created_at;
    label(row, "[data-call=audio]", _("Audio call to %(name)s", { name }));
    label(row, "[data-call=video]", _("Video call to %(name)s", { name }));
    label(row, "[data-remove]", _("Remove the call with %(name)s", { name }));
    label(row, "[data-more]", _("More about the call with %(name)s", { name }));
  }

  /** @param {HTMLElement} row whose call id and time are known */
  #insert(row) {
    const { callId = "" } = row.dataset;
    const time = /** @type {HTMLTimeElement} */ (need("time", row));
    const when = new Date(time.dateTime);
    setText(time, timeOfDay(when, this.#locale));
    time.title = moment(when, new Date(), this.#locale);
    for (const button of row.querySelectorAll("button:disabled")) button.removeAttribute("disabled");
    const list = need("ol", this.#dayOf(when));
    list.insertBefore(row, firstAfter(list, (other) => (other.dataset.callId ?? "") < callId));
    this.#rows.set(callId, row);
  }

  /** @param {Date} when */
  #dayOf(when) {
    const key = dayKey(when);
    const known = /** @type {HTMLElement | null} */ (this.#root.querySelector(`[data-day="${key}"]`));
    if (known) return known;
    const day = copyOf("day-template");
    day.dataset.day = key;
    setText(need(".day-name", day), dayName(when, new Date(), this.#locale));
    this.#root.insertBefore(day, firstAfter(this.#root, (other) => (other.dataset.day ?? "") < key));
    return day;
  }

  /** A page may stay open over midnight. */
  #nameDays() {
    for (const day of /** @type {HTMLCollectionOf<HTMLElement>} */ (this.#root.children)) {
      const [year, month, date] = (day.dataset.day ?? "").split("-").map(Number);
      setText(need(".day-name", day), dayName(new Date(year, month - 1, date), new Date(), this.#locale));
    }
  }
}

/**
 * Where something new belongs in a list that is mostly added to at its end.
 *
 * @param {HTMLElement} list
 * @param {(element: HTMLElement) => boolean} isAfter
 * @returns {HTMLElement | null} the first that comes after it; null: the end
 */
function firstAfter(list, isAfter) {
  const last = /** @type {HTMLElement | null} */ (list.lastElementChild);
  if (!last || !isAfter(last)) return null;
  return /** @type {HTMLElement[]} */ ([...list.children]).find(isAfter) ?? null;
}

/** @param {Date} when @returns {string} its day where the reader is, as text that sorts */
function dayKey(when) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  return `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
}

/**
 * @param {HTMLElement} row
 * @param {string} selector
 * @param {string} words
 */
function label(row, selector, words) {
  need(selector, row).setAttribute("aria-label", words);
}

/**
 * To the page of a call that is over. One that goes on is not entered by a look at it.
 *
 * @param {HTMLAnchorElement} name
 * @param {HistoryItem} item
 */
function link(name, { call_id, state }) {
  if (state === "ended") {
    name.href = `/call/${call_id}`;
    name.title = _("About this call");
  } else {
    name.removeAttribute("href");
    name.removeAttribute("title");
  }
}
