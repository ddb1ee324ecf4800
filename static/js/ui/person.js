/**
 * One of the people, drawn: a row of a list, or a favourite with a large picture. Elements are kept as long as they are
 * on the page, so that what somebody points at stays what it is.
 *
 * @typedef {import("../types.js").Relation} Relation
 */
import { _ } from "../i18n.js";
import { presenceWords } from "../people/presence.js";
import { drawAvatar } from "./avatar.js";
import { setText } from "./dom.js";

/**
 * @param {HTMLElement} element a copy of one of the templates of a person
 * @param {Relation} relation
 * @param {string} [query] what of the name is marked
 */
export function drawPerson(element, relation, query = "") {
  const { user, presence } = relation;
  element.dataset.userId = user.id;
  element.dataset.username = user.username;
  element.dataset.displayName = user.display_name;
  element.dataset.presence = relation.blocked ? "offline" : presence;
  drawAvatar(/** @type {HTMLElement} */ (element.querySelector(".avatar")), user);
  write(element, "[data-name]", user.display_name, query);
  write(element, "[data-handle]", `@${user.username}`, query);
  write(element, "[data-presence-words]", noteOf(relation));
  const name = user.username;
  label(element, ".favourite-call", _("Video call to %(name)s", { name })); // no word and no picture on it says which
  label(element, ".row-actions [data-call=video]", _("Call %(name)s", { name }));
  label(element, "[data-call=audio]", _("Audio call to %(name)s", { name }));
  label(element, "[data-menu]", _("More for %(name)s", { name }));
  label(element, "[data-accept]", _("Accept the request of %(name)s", { name }));
  label(element, "[data-refuse]", _("Refuse the request of %(name)s", { name }));
}

/** @param {Relation} relation */
function noteOf({ state, presence, blocked }) {
  if (blocked) return _("Blocked");
  return state === "sent" ? _("Request sent") : presenceWords(presence);
}

/**
 * @param {HTMLElement} element
 * @param {string} selector
 * @param {string} text
 * @param {string} [query]
 */
function write(element, selector, text, query = "") {
  const target = element.querySelector(selector);
  if (!target) return;
  const at = query ? matchIn(text, query) : -1;
  if (at < 0) return setText(target, text);
  const mark = document.createElement("mark");
  mark.textContent = text.slice(at, at + query.length);
  target.replaceChildren(text.slice(0, at), mark, text.slice(at + query.length));
}

/**
 * Where the server found it: at the beginning of a word, or anywhere among characters that are words themselves.
 *
 * @param {string} text
 * @param {string} query
 * @returns {number} -1 if it is not there
 */
function matchIn(text, query) {
  const [haystack, needle] = [text.toLowerCase(), query.toLowerCase()];
  if (haystack.length !== text.length) return -1; // a letter that grows when it becomes small: its places differ
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1]) || /\p{Script=Han}/u.test(needle[0])) return at;
  }
  return -1;
}

/**
 * @param {HTMLElement} element
 * @param {string} selector
 * @param {string} words
 */
function label(element, selector, words) {
  element.querySelector(selector)?.setAttribute("aria-label", words);
}
