/** The sentences of roadmaps of calls. */
import { _ } from "../i18n.js";

export const roadmaps = {
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
  deleteTitle: _("Delete this roadmap?"),
  deleteText: _("It is gone for everybody who was in the call. A new one can be made from the call."),
  deleteAction: _("Delete"),
};
