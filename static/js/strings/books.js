/** The sentences of books: the shelf, sending one, reading it in. */
import { _, ngettext } from "../i18n.js";
import { sentenceFor } from "../strings.js";

/** @type {Record<string, string>} */
export const FORMAT = {
  markdown: "Markdown",
  text: _("Text"),
  epub: "EPUB",
  pdf: "PDF",
};

/** On a cover, where there is little room. @type {Record<string, string>} */
export const COVER = { markdown: "MD", text: "TXT", epub: "EPUB", pdf: "PDF" };

export const books = {
  chapters: (/** @type {number} */ count) => ngettext("%(count)s chapter", "%(count)s chapters", count),
  sending: (/** @type {number} */ percent) => _("Sending, %(percent)s %", { percent }),
  sent: _("Sent"),
  begun: (/** @type {string} */ name) => _("“%(name)s” is being sent.", { name }),
  delivered: (/** @type {string} */ name) => _("“%(name)s” is sent.", { name }),
  importing: _("Reading it in…"),
  reading: (/** @type {number} */ percent) => _("Reading it in, %(percent)s %", { percent }),
  ready: (/** @type {string} */ title) => _("“%(title)s” is on your shelf. You can ask it now.", { title }),
  failed: _("It could not be read."),
  tooLarge: (/** @type {string} */ size) => _("A book may have at most %(size)s.", { size }),
  empty: _("This file is empty."),
  askName: (/** @type {string} */ title) => _("Ask “%(title)s”", { title }),
  deleteName: (/** @type {string} */ title) => _("Delete “%(title)s”", { title }),
  deleteTitle: _("Delete this book?"),
  deleteText: (/** @type {string} */ title) =>
    _("“%(title)s” is taken off your shelf. Dialogues about it stay, and can be read.", { title }),
  deleteAction: _("Delete"),
  deleted: (/** @type {string} */ title) => _("“%(title)s” is deleted.", { title }),
};

/** Why a book was not taken, where there is more to say than for other requests. @type {Record<string, string>} */
const NOT_SENT = {
  network: _("The server could not be reached, or the connection broke. Please try again."),
  too_large: _("The file is larger than this server takes."),
  unsupported_media_type: _("This is no book that Ringback can read. It reads Markdown, plain text, EPUB and PDF."),
  bad_state: _("Your shelf is full. Delete a book to make room."),
};

/** @param {unknown} error @returns {string} */
export function whyNotSent(error) {
  return NOT_SENT[/** @type {{code?: string}} */ (error)?.code ?? ""] ?? sentenceFor(error);
}
