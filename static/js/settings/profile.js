/**
 * What others call this person, and the password.
 *
 * @typedef {import("../api.js").Api} Api
 */
import { _ } from "../i18n.js";
import { sentenceFor } from "../strings.js";
import { drawAvatar } from "../ui/avatar.js";
import { need } from "../ui/dom.js";
import { toast } from "../ui/toasts.js";
import { showError, showSaved } from "./saving.js";

/** @param {Api} api */
export function profileSettings(api) {
  displayName(api);
  password(api);
}

/** @param {Api} api */
function displayName(api) {
  const form = need("#display-name-form");
  /** @type {HTMLInputElement} */
  const input = need("#display-name");
  const error = need("#display-name-error");
  let stored = input.defaultValue;

  async function save() {
    const wanted = input.value.trim();
    if (wanted === stored) return showError(input, error, "");
    try {
      const profile = await api.changeProfile({ display_name: wanted });
      stored = input.value = profile.display_name;
      showError(input, error, "");
      drawAvatar(need("#profile .avatar"), profile);
      drawAvatar(need(".account .avatar"), profile);
      for (const name of document.querySelectorAll("[data-own-name], .account-name, .account-menu .menu-title")) {
        name.textContent = stored;
      }
      showSaved(form);
    } catch (problem) {
      const refused = /** @type {any} */ (problem).errors?.display_name;
      if (refused) showError(input, error, wanted ? _("This name cannot be used.") : _("Please give a name."));
      else toast(sentenceFor(problem), "error");
    }
  }

  input.addEventListener("change", save);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
}

/** @param {Api} api */
function password(api) {
  const form = /** @type {HTMLFormElement} */ (need("#password-form"));
  /** @type {HTMLInputElement} */
  const current = need("#current-password");
  /** @type {HTMLInputElement} */
  const wanted = need("#new-password");
  const [currentError, wantedError] = [need("#current-password-error"), need("#new-password-error")];
  const button = need("button", form);

  /** @param {any} problem */
  function refused(problem) {
    if (problem.code === "invalid_credentials") showError(current, currentError, _("That is not your current password."));
    else if (problem.errors?.new_password) showError(wanted, wantedError, _("This password is too short or too long."));
    else toast(sentenceFor(problem), "error");
    if (form.querySelector("[aria-invalid]") instanceof HTMLElement) need("[aria-invalid]", form).focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    showError(current, currentError, current.value ? "" : _("Please give your current password."));
    const isShort = wanted.value.length < wanted.minLength;
    showError(wanted, wantedError, isShort ? _("Please choose a longer one.") : "");
    if (!current.value || isShort) return need("[aria-invalid]", form).focus();
    button.setAttribute("aria-busy", "true");
    try {
      await api.changePassword(current.value, wanted.value);
      form.reset();
      /** @type {HTMLDetailsElement} */ (form.parentElement).open = false;
      toast(_("Your password has been changed. Your other devices were signed out."));
    } catch (problem) {
      refused(problem);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}
