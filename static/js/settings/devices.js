/**
 * The devices on which this person is signed in.
 *
 * @typedef {import("../api.js").Api} Api
 */
import { _ } from "../i18n.js";
import { sentenceFor } from "../strings.js";
import { announce } from "../ui/announcer.js";
import { confirm } from "../ui/confirm.js";
import { need, setText } from "../ui/dom.js";
import { moment } from "../ui/format.js";
import { toast } from "../ui/toasts.js";
import { showError } from "./saving.js";

/** @param {Api} api */
export function deviceSettings(api) {
  const list = need("#device-list");
  for (const item of items(list)) new DeviceRow(item, api, () => gone(list, item));
  need("#sign-out-others").addEventListener("click", () => signOutOthers(api, list));
  const now = new Date();
  for (const time of list.querySelectorAll("time")) {
    setText(time, moment(new Date(time.dateTime), now, document.documentElement.lang));
  }
}

class DeviceRow {
  #item;
  #api;
  #gone;
  #id;
  #label;
  /** @type {HTMLFormElement} */
  #form;
  /** @type {HTMLInputElement} */
  #input;

  /**
   * @param {HTMLElement} item
   * @param {Api} api
   * @param {() => void} gone it was signed out
   */
  constructor(item, api, gone) {
    this.#item = item;
    this.#api = api;
    this.#gone = gone;
    this.#id = item.dataset.device ?? "";
    this.#label = need("[data-label]", item);
    this.#form = need("[data-rename-form]", item);
    this.#input = need("input", this.#form);
    need("[data-silence]", item).addEventListener("click", () => this.#silence());
    need("[data-rename]", item).addEventListener("click", () => this.#rename(true));
    need("[data-cancel]", item).addEventListener("click", () => this.#rename(false));
    item.querySelector("[data-sign-out]")?.addEventListener("click", () => this.#signOut());
    this.#form.addEventListener("submit", (event) => this.#save(event));
    this.#form.addEventListener("keydown", ({ key }) => key === "Escape" && this.#rename(false));
  }

  get #name() {
    return this.#label.textContent ?? "";
  }

  async #silence() {
    const button = need("[data-silence]", this.#item);
    const wanted = button.getAttribute("aria-pressed") !== "true";
    try {
      const { silenced } = await this.#api.changeDevice(this.#id, { silenced: wanted });
      button.setAttribute("aria-pressed", String(silenced));
      need("[data-silenced-words]", this.#item).hidden = !silenced;
      announce(silenced ? _("%(name)s is silenced", { name: this.#name }) : _("%(name)s rings again", { name: this.#name }));
    } catch (error) {
      toast(sentenceFor(error), "error");
    }
  }

  /** @param {boolean} open */
  #rename(open) {
    for (const part of this.#item.querySelectorAll("[data-shown]")) /** @type {HTMLElement} */ (part).hidden = open;
    this.#form.hidden = !open;
    showError(this.#input, need("[data-error]", this.#form), "");
    if (!open) return need("[data-rename]", this.#item).focus();
    this.#input.value = this.#name;
    this.#input.select();
    this.#input.focus();
  }

  /** @param {Event} event */
  async #save(event) {
    event.preventDefault();
    const error = need("[data-error]", this.#form);
    if (!this.#input.value.trim()) return showError(this.#input, error, _("Please give a name."));
    try {
      const { label } = await this.#api.changeDevice(this.#id, { label: this.#input.value });
      setText(this.#label, label);
      need("[data-silence]", this.#item).setAttribute("aria-label", _("Silence %(name)s", { name: label }));
      need("[data-rename]", this.#item).setAttribute("aria-label", _("Rename %(name)s", { name: label }));
      this.#item.querySelector("[data-sign-out]")?.setAttribute("aria-label", _("Sign out %(name)s", { name: label }));
      this.#rename(false);
      announce(_("Saved"));
    } catch (problem) {
      const refused = /** @type {any} */ (problem).errors?.label;
      if (refused) showError(this.#input, error, _("This name cannot be used."));
      else toast(sentenceFor(problem), "error");
    }
  }

  async #signOut() {
    const sure = await confirm({
      title: _("Sign out %(name)s?", { name: this.#name }),
      text: _("It stops ringing at once. A call that goes on there ends."),
      action: _("Sign out"),
    });
    if (!sure) return;
    try {
      await this.#api.signOutDevice(this.#id);
    } catch (error) {
      if (/** @type {any} */ (error).status !== 404) return toast(sentenceFor(error), "error");
    }
    this.#gone();
    announce(_("%(name)s is signed out", { name: this.#name }));
  }
}

/** @param {HTMLElement} list */
function items(list) {
  return /** @type {HTMLElement[]} */ ([...list.children]);
}

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} item
 */
function gone(list, item) {
  const next = /** @type {HTMLElement | null} */ (item.nextElementSibling ?? item.previousElementSibling);
  item.remove();
  need("#others-foot").hidden = items(list).length < 2;
  next?.querySelector("button")?.focus();
}

/**
 * @param {Api} api
 * @param {HTMLElement} list
 */
async function signOutOthers(api, list) {
  const sure = await confirm({
    title: _("Sign out all other devices?"),
    text: _("Only this one stays signed in. Calls that go on elsewhere end."),
    action: _("Sign out all others"),
  });
  if (!sure) return;
  try {
    await api.signOutOtherDevices();
  } catch (error) {
    return toast(sentenceFor(error), "error");
  }
  for (const item of items(list)) if (item.querySelector("[data-sign-out]")) gone(list, item);
  toast(_("All other devices are signed out."));
}
