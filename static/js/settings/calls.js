/**
 * Which calls ring, and when.
 *
 * @typedef {import("../api.js").Api} Api
 * @typedef {import("../types.js").Profile} Profile
 */
import { _ } from "../i18n.js";
import { sentenceFor } from "../strings.js";
import { need } from "../ui/dom.js";
import { toast } from "../ui/toasts.js";
import { refusalOf, showError, showSaved } from "./saving.js";

/** @param {Api} api */
export function callSettings(api) {
  doNotDisturb(api);
  quietHours(api);
  choice(api, "call_waiting");
  choice(api, "callers");
}

/** @param {Api} api */
function doNotDisturb(api) {
  /** @type {HTMLInputElement} */
  const toggle = need("#setting-do-not-disturb");
  /** @type {HTMLInputElement} */
  const inMenu = need("#do-not-disturb");
  toggle.addEventListener("change", async () => {
    try {
      await api.changeProfile({ do_not_disturb: toggle.checked });
      inMenu.checked = toggle.checked;
      need(".account").dataset.presence = toggle.checked ? "do_not_disturb" : "online";
      showSaved(/** @type {HTMLElement} */ (toggle.closest(".setting")));
    } catch (problem) {
      toggle.checked = !toggle.checked;
      toast(sentenceFor(problem), "error");
    }
  });
  inMenu.addEventListener("change", () => {
    toggle.checked = inMenu.checked;
  });
}

/** @param {Api} api */
function quietHours(api) {
  const setting = need("#quiet-hours-setting");
  /** @type {HTMLInputElement} */
  const toggle = need("#quiet-hours");
  const times = need("#quiet-hours-times");
  /** @type {HTMLInputElement[]} */
  const [start, end] = [need("#quiet-start"), need("#quiet-end")];
  /** @type {HTMLSelectElement} */
  const zone = need("#quiet-zone");
  const error = need("#quiet-error");
  listZones(zone);

  async function save() {
    times.hidden = !toggle.checked;
    const whole = start.value !== "" && end.value !== "";
    showError(end, error, toggle.checked && !whole ? _("Please give both times.") : "");
    if (toggle.checked && whole && start.value === end.value) {
      showError(end, error, _("Please give two different times; for the whole day there is “Do not disturb”."));
    }
    if (!error.hidden) return;
    const hours = { start: start.value, end: end.value, time_zone: zone.value };
    try {
      await api.changeProfile({ quiet_hours: toggle.checked ? hours : null });
      showSaved(setting);
    } catch (problem) {
      showError(end, error, refusalOf(problem, "quiet_hours"));
    }
  }

  for (const input of [toggle, start, end, zone]) input.addEventListener("change", save);
}

/**
 * Every time zone that the browser knows, its own one chosen unless the person has chosen another.
 *
 * @param {HTMLSelectElement} zone
 */
function listZones(zone) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const chosen = zone.value || own;
  const names = new Set([chosen, own, "UTC", ...Intl.supportedValuesOf("timeZone")]);
  zone.replaceChildren(...[...names].sort().map((name) => new Option(name.replaceAll("_", " "), name)));
  zone.value = chosen;
}

/**
 * @param {Api} api
 * @param {"call_waiting" | "callers"} name
 */
function choice(api, name) {
  const setting = need(`[data-setting=${name}]`);
  let stored = chosen(setting);
  setting.addEventListener("change", async () => {
    const wanted = chosen(setting);
    try {
      await api.changeProfile(/** @type {Partial<Profile>} */ ({ [name]: wanted }));
      stored = wanted;
      showSaved(setting);
    } catch (problem) {
      /** @type {HTMLInputElement} */ (need(`[value=${stored}]`, setting)).checked = true;
      toast(sentenceFor(problem), "error");
    }
  });
}

/** @param {HTMLElement} setting */
function chosen(setting) {
  return /** @type {HTMLInputElement} */ (need(":checked", setting)).value;
}
