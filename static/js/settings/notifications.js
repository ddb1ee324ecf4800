/**
 * Whether this browser rings while Ringback is closed; in honest words where it cannot.
 *
 * @typedef {import("../api.js").Api} Api
 * @typedef {import("../push/subscription.js").PushState} PushState
 */
import { _ } from "../i18n.js";
import { NoPushService, PushSubscriber } from "../push/subscription.js";
import { sentenceFor } from "../strings.js";
import { need, setText } from "../ui/dom.js";
import { toast } from "../ui/toasts.js";
import { showSaved } from "./saving.js";

/** @type {Partial<Record<PushState | "no_service", {title: string, text: string}>>} */
const PROBLEMS = {
  blocked: {
    title: _("This browser blocks notifications from Ringback"),
    text: _("Allow them for this page: by the symbol beside the address, or in the settings of the browser. Then load this page again."),
  },
  unsupported: {
    title: _("This browser cannot do that"),
    text: _("It has no notifications for closed pages. Calls ring here as long as Ringback is open."),
  },
  insecure: {
    title: _("This page is not secure"),
    text: _("Browsers allow notifications only on pages whose address begins with https. Open Ringback that way."),
  },
  home_screen: {
    title: _("First add Ringback to your home screen"),
    text: _("On iPhone and iPad that is where it rings from: tap Share, then “Add to Home Screen”, open Ringback there and switch this on."),
  },
  switched_off: {
    title: _("Switched off on this server"),
    text: _("Whoever runs it does not send notifications. Calls ring as long as Ringback is open."),
  },
  no_service: {
    title: _("The browser’s push service did not answer"),
    text: _("Without it nothing can ring here while Ringback is closed. Some browsers are built without one; otherwise try again later."),
  },
};

/** @param {Api} api */
export function notificationSettings(api) {
  const subscriber = new PushSubscriber(api);
  /** @type {HTMLInputElement} */
  const toggle = need("#push");
  const setting = /** @type {HTMLElement} */ (toggle.closest(".setting"));
  const problem = need("#push-problem");
  const test = /** @type {HTMLButtonElement} */ (need("#push-test"));
  const result = need("#push-test-result");

  /** @param {PushState | "no_service"} state */
  function draw(state) {
    const words = PROBLEMS[state];
    toggle.checked = state === "on";
    toggle.disabled = words !== undefined && state !== "no_service";
    test.disabled = state !== "on";
    problem.hidden = words === undefined;
    if (!words) return;
    setText(need("[data-title]", problem), words.title);
    setText(need("[data-text]", problem), words.text);
  }

  toggle.addEventListener("change", async () => {
    const wanted = toggle.checked;
    toggle.disabled = true;
    setText(result, "");
    try {
      const state = wanted ? await subscriber.switchOn() : await subscriber.switchOff();
      draw(state);
      if ((state === "on") === wanted) showSaved(setting);
    } catch (error) {
      if (!(error instanceof NoPushService)) toast(sentenceFor(error), "error");
      draw(error instanceof NoPushService ? "no_service" : wanted ? "off" : "on");
    }
    toggle.focus();
  });

  test.addEventListener("click", async () => {
    test.setAttribute("aria-busy", "true");
    try {
      await api.testPush();
      setText(result, _("Sent. It should show in a moment."));
    } catch (error) {
      const { code } = /** @type {{code?: string}} */ (error);
      setText(result, code === "push_failed" ? _("The push service did not take it.") : sentenceFor(error));
    } finally {
      test.removeAttribute("aria-busy");
    }
  });

  subscriber.state().then(draw, (error) => {
    toggle.disabled = false;
    toast(sentenceFor(error), "error");
  });
}
