/** The sentences of roadmaps of calls. */
import { _ } from "../i18n.js";

/** What keeps the direction of a name to itself is no part of a title that is stored. */
const ISOLATING = /[\u2066-\u2069]/g;
/** As many characters as a title may have. */
const LONGEST_TITLE = 200;

export const roadmaps = {
  taskTitle: (/** @type {string} */ names) =>
    _("Roadmap of the call with %(names)s", { names }).replace(ISOLATING, "").slice(0, LONGEST_TITLE),
  done: (/** @type {number} */ done, /** @type {number} */ all) => _("%(done)s of %(all)s steps done", { done, all }),
  changed: (/** @type {string} */ name, /** @type {string} */ when) => _("Last changed by %(name)s, %(when)s.", { name, when }),
  tick: (/** @type {string} */ step) => _("Done: %(step)s", { step }),
  saved: _("Saved"),
  copied: _("Copied"),
  notCopied: _("It could not be copied"),
  newer: (/** @type {string} */ name) => _("%(name)s has changed the roadmap meanwhile. Yours is not saved yet.", { name }),
  newerTicked: (/** @type {string} */ name) => _("%(name)s has changed the roadmap meanwhile. It is shown now; try again.", { name }),
  empty: _("Write something first."),
  gone: _("The roadmap has been deleted."),
  discardTitle: _("Throw away what you have written?"),
  discardText: _("The roadmap stays as it was."),
  discardAction: _("Throw away"),
  takeTheirsText: (/** @type {string} */ name) => _("What %(name)s has saved is shown instead.", { name }),
  deleteTitle: _("Delete this roadmap?"),
  deleteText: _("It is gone for everybody who was in the call. A new one can be made from the call."),
  deleteAction: _("Delete"),
};
