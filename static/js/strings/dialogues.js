/** The sentences of dialogues: asking a book, its replies, and what they are taken from. */
import { _, ngettext } from "../i18n.js";
import { sentenceFor } from "../strings.js";

/** As in server/books/model.py. */
const HANDBOOK_ID = "01900000-0000-7000-8000-68616e64626b";

/**
 * What a book is called. With a dialogue stands what it was called then; the handbook has a name in each language.
 *
 * @param {string} bookId
 * @param {string} title
 */
export function titleOf(bookId, title) {
  return bookId === HANDBOOK_ID ? _("Ringback handbook") : title;
}

/**
 * Where a passage stands: in a long chapter its heading says more than the chapter.
 *
 * @param {import("../types.js").DialogueSource} source
 * @returns {string}
 */
export function placeOf({ chapter_title: chapter, heading, book_id: bookId, book_title: title }) {
  const places = [chapter, heading].filter((place, at, all) => place && all.indexOf(place) === at);
  return places.join(" · ") || titleOf(bookId, title);
}

export const dialogue = {
  you: _("You"),
  reply: _("Reply"),
  waiting: _("Waits for its turn…"),
  looking: _("Looking in the book…"),
  copied: _("The reply is copied."),
  notCopied: _("The reply could not be copied."),
  sources: (/** @type {number} */ count) => ngettext("%(count)s source", "%(count)s sources", count),
  source: (/** @type {number} */ n, /** @type {string} */ title) => _("Source %(n)s: %(title)s", { n, title }),
  readAt: (/** @type {string} */ title) => _("Read on in “%(title)s”", { title }),
  replied: (/** @type {string} */ text) => _("Reply: %(text)s", { text }),
  notSent: _("Not sent."),
  deleteName: (/** @type {string} */ title) => _("Delete the dialogue “%(title)s”", { title }),
  deleteTitle: _("Delete this dialogue?"),
  deleteText: (/** @type {string} */ title) => _("“%(title)s” and everything written in it will be gone, on all your devices.", { title }),
  deleteAction: _("Delete"),
  deleted: _("The dialogue is deleted."),
  goOn: (/** @type {string} */ title) => _("Go on with “%(title)s”", { title }),
  notLoaded: _("The dialogues could not be loaded. Please try again."),
  fresh: _("New dialogue"),
};

/** How a reply ended that is not whole. @type {Record<string, string>} */
const ENDED = {
  interrupted: _("Interrupted. What had come until then is here."),
  cancelled: _("Stopped."),
  failed: _("There is no reply."),
};

const UNREACHABLE = _("The assistant could not be reached. Please try again in a while.");

/** Why there is none, where there is more to say. @type {Record<string, string>} */
const FAILED = {
  book_gone: _("The book is not there any more."),
  book_not_ready: _("The book cannot be asked yet."),
  book_not_searchable: _("The server could not prepare this book for searching; it may be too large for this server."),
  too_slow: _("The reply took too long. Please try again."),
  provider_busy: _("The assistant is asked too much right now. Please try again in a while."),
  provider_timeout: UNREACHABLE,
  provider_unreachable: UNREACHABLE,
  provider_refused: _("The assistant did not accept the question."),
  provider_withheld: _("The assistant does not answer this question."),
};

/**
 * @param {Pick<import("../types.js").DialogueMessage, "state" | "error">} reply that has ended
 * @returns {string} empty for a whole one
 */
export function endingOf({ state, error }) {
  if (state === "failed" && error) return FAILED[error.code] ?? ENDED.failed;
  return ENDED[state] ?? "";
}

/** Why a message was not taken, where there is more to say. @type {Record<string, string>} */
const REFUSED = {
  too_large: _("This message is too long."),
  not_found: _("This dialogue does not exist."),
  ended: _("This dialogue was deleted."),
  timeout: _("It is sent as soon as the server can be reached."),
};

/** @param {string} code @returns {string} */
export function whyRefused(code) {
  return REFUSED[code] ?? sentenceFor({ code });
}

/** What has become of a dialogue that cannot go on here. @type {Record<string, string>} */
export const GONE = {
  ended: _("This dialogue was deleted."),
  not_found: _("This dialogue does not exist."),
};
