/**
 * The menu of the signed-in person: whether they want to be disturbed.
 *
 * @typedef {import("../client.js").Client} Client
 */
import { _ } from "../i18n.js";
import { sentenceFor } from "../strings.js";
import { announce } from "./announcer.js";
import { need } from "./dom.js";
import { toast } from "./toasts.js";

export class AccountMenu {
  #api;
  /** @type {HTMLInputElement} */
  #switch = need("#do-not-disturb");
  #button = need(".account");

  /** @param {Client} client */
  constructor({ api }) {
    this.#api = api;
    this.#switch.addEventListener("change", () => this.#change(this.#switch.checked));
  }

  /** @param {boolean} wanted */
  async #change(wanted) {
    this.#switch.disabled = true;
    try {
      await this.#api.changeProfile({ do_not_disturb: wanted });
      this.#button.dataset.presence = wanted ? "do_not_disturb" : "online";
      announce(wanted ? _("Do not disturb is on: no call rings") : _("Do not disturb is off: calls ring again"));
    } catch (error) {
      this.#switch.checked = !wanted;
      toast(sentenceFor(error), "error");
    } finally {
      this.#switch.disabled = false;
      this.#switch.focus();
    }
  }
}
