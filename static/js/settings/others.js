/**
 * The language, and the people who were blocked.
 *
 * @typedef {import("../api.js").Api} Api
 */
import { _ } from "../i18n.js";
import { sentenceFor } from "../strings.js";
import { announce } from "../ui/announcer.js";
import { need } from "../ui/dom.js";
import { toast } from "../ui/toasts.js";

/** @param {Api} api */
export function languageSetting(api) {
  const setting = need("[data-setting=locale]");
  setting.addEventListener("change", async () => {
    const { value } = /** @type {HTMLInputElement} */ (need(":checked", setting));
    try {
      await api.changeProfile({ locale: value || null });
      location.reload(); // every sentence of the page comes from the server
    } catch (error) {
      toast(sentenceFor(error), "error");
    }
  });
}

/** @param {Api} api */
export function blockedPeople(api) {
  const list = need("#blocked-list");
  list.addEventListener("click", async ({ target }) => {
    const button = /** @type {Element} */ (target).closest("[data-unblock]");
    const item = /** @type {HTMLElement | null} */ (button?.closest("[data-user-id]"));
    if (!item) return;
    try {
      await api.setBlocked(item.dataset.userId ?? "", false);
    } catch (error) {
      return toast(sentenceFor(error), "error");
    }
    const next = /** @type {HTMLElement | null} */ (item.nextElementSibling ?? item.previousElementSibling);
    item.remove();
    need("#nobody-blocked").hidden = list.children.length > 0;
    next?.querySelector("button")?.focus();
    announce(_("Unblocked"));
  });
}
