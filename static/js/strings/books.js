/** The sentences of books: the shelf, and reading one in. */
import { _, ngettext } from "../i18n.js";

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
  importing: _("Reading it in…"),
  reading: (/** @type {number} */ percent) => _("Reading it in, %(percent)s %", { percent }),
  ready: (/** @type {string} */ title) => _("“%(title)s” is on your shelf. You can ask it now.", { title }),
  failed: _("It could not be read."),
  askName: (/** @type {string} */ title) => _("Ask “%(title)s”", { title }),
  deleteName: (/** @type {string} */ title) => _("Delete “%(title)s”", { title }),
  deleteTitle: _("Delete this book?"),
  deleteText: (/** @type {string} */ title) =>
    _("“%(title)s” is taken off your shelf. Dialogues about it stay, and can be read.", { title }),
  deleteAction: _("Delete"),
  deleted: (/** @type {string} */ title) => _("“%(title)s” is deleted.", { title }),
};
