/** The sentences of captions and of the transcript. */
import { _ } from "../i18n.js";

export const captions = {
  on: _("Caption what I say (English)"),
  off: _("Stop captioning what I say"),
  loading: _("Your captions are getting ready. The first time, some 50 MB are loaded."),
  nowOn: _("Everybody reads what you say, and it stays with the call. Your voice itself is not sent anywhere for it."),
  nowOff: _("Your captions are off"),
  failed: _("Captions do not work in this browser. They do in newer versions of Chrome, Edge and Safari."),
  shortcut: _("Caption what you say"),
  copied: _("The transcript was copied."),
  notCopied: _("The transcript could not be copied."),
  notLoaded: _("The transcript could not be loaded. Please try again."),
};
