/** The sentences about exports of one's data. */
import { _ } from "../i18n.js";

export const dataExports = {
  note: (/** @type {string} */ size, /** @type {string} */ when, /** @type {string} */ until) =>
    _("%(size)s, made %(when)s, kept until %(until)s", { size, when, until }),
  started: _("The export is being made"),
  deleteTitle: _("Delete this export?"),
  deleteText: _("The file is deleted from the server. A new one can be made at any time."),
  deleteAction: _("Delete"),
};
