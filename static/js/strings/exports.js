/** The sentences about exports of one's data. */
import { _ } from "../i18n.js";

export const dataExports = {
  file: (/** @type {string} */ day) => `ringback-${day}.zip`,
  note: (/** @type {string} */ size, /** @type {string} */ when, /** @type {string} */ until) =>
    _("%(size)s, made %(when)s, kept until %(until)s", { size, when, until }),
  started: _("The export is being made"),
};
