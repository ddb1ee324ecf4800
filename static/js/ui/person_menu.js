/**
 * What one can do with one of the people besides calling: the menu behind their three dots.
 *
 * @typedef {import("../people/people.js").People} People
 * @typedef {import("../types.js").Relation} Relation
 */
import { _ } from "../i18n.js";
import { sentenceFor } from "../strings.js";
import { confirm } from "./confirm.js";
import { drawAvatar } from "./avatar.js";
import { need, setText } from "./dom.js";
import { openMenu, walkMenu } from "./menus.js";
import { toast } from "./toasts.js";

/** @type {Record<import("../types.js").ContactState, () => string>} */
const CONTACT_WORDS = {
  none: () => _("Add to contacts"),
  sent: () => _("Withdraw the request"),
  received: () => _("Accept the request"),
  contacts: () => _("Remove from contacts"),
};

export class PersonMenu {
  #people;
  #menu = need("#person-menu");
  /** @type {string} */
  #userId = "";

  /** @param {People} people */
  constructor(people) {
    this.#people = people;
    walkMenu(this.#menu);
    document.addEventListener("click", (event) => {
      const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-menu]"));
      const item = /** @type {HTMLElement | null} */ (button?.closest("[data-user-id]"));
      if (button && item) this.#open(button, item.dataset.userId ?? "");
    });
    this.#onClick("[data-favourite]", (relation) => this.#favourite(relation));
    this.#onClick("[data-contact]", (relation) => this.#contact(relation));
    this.#onClick("[data-block]", (relation) => this.#block(relation));
    for (const call of this.#menu.querySelectorAll("[data-call]")) {
      call.addEventListener("click", () => this.#menu.hidePopover());
    }
  }

  /**
   * @param {HTMLElement} button
   * @param {string} userId
   */
  #open(button, userId) {
    const relation = this.#people.get(userId);
    if (!relation) return;
    this.#userId = userId;
    this.#draw(relation);
    openMenu(this.#menu, button);
  }

  /** @param {Relation} relation */
  #draw({ user, state, favourite, blocked }) {
    this.#menu.dataset.username = user.username;
    this.#menu.dataset.displayName = user.display_name;
    drawAvatar(need(".avatar", this.#menu), user);
    setText(need("[data-name]", this.#menu), user.display_name);
    setText(need("[data-handle]", this.#menu), `@${user.username}`);
    this.#write("[data-favourite]", favourite ? _("Remove from favourites") : _("Add to favourites"));
    this.#write("[data-contact]", CONTACT_WORDS[state]());
    this.#write("[data-block]", blocked ? _("Unblock") : _("Block"));
    need("[data-contact]", this.#menu).hidden = blocked;
    need("[data-favourite]", this.#menu).hidden = blocked;
  }

  /**
   * @param {string} selector
   * @param {string} words
   */
  #write(selector, words) {
    setText(need("[data-label]", need(selector, this.#menu)), words);
  }

  /** @param {Relation} relation */
  async #favourite(relation) {
    await this.#people.setFavourite(relation, !relation.favourite);
  }

  /** @param {Relation} relation */
  async #contact(relation) {
    const name = relation.user.display_name;
    if (relation.state === "received") return this.#people.accept(relation);
    if (relation.state === "none") {
      await this.#people.ask(relation);
      return toast(_("%(name)s has been asked.", { name }));
    }
    await this.#people.remove(relation);
    if (relation.state === "sent") return toast(_("The request was withdrawn."));
    // Whoever is a contact has agreed to it once: to have them back, they are asked again.
    toast(_("%(name)s is no contact any more.", { name }), "info", {
      label: _("Ask again"),
      run: () => this.#try(() => this.#people.ask(relation)),
    });
  }

  /** @param {Relation} relation */
  async #block(relation) {
    const { display_name: name } = relation.user;
    if (!relation.blocked && !(await confirm(blockQuestion(name)))) return;
    await this.#people.setBlocked(relation, !relation.blocked);
    if (relation.blocked) return toast(_("%(name)s can call you again.", { name }));
    toast(_("%(name)s is blocked.", { name }));
  }

  /**
   * @param {string} selector
   * @param {(relation: Relation) => Promise<unknown>} act
   */
  #onClick(selector, act) {
    need(selector, this.#menu).addEventListener("click", () => {
      this.#menu.hidePopover();
      const relation = this.#people.get(this.#userId);
      if (relation) this.#try(() => act(relation));
    });
  }

  /** @param {() => Promise<unknown>} act */
  async #try(act) {
    try {
      await act();
    } catch (error) {
      toast(sentenceFor(error), "error");
    }
  }
}

/** @param {string} name */
function blockQuestion(name) {
  return {
    title: _("Block %(name)s?", { name }),
    text: _(
      "%(name)s will not be told. To them you look offline, their calls ring until nobody answers, and you are no contacts any more.",
      { name },
    ),
    action: _("Block"),
  };
}
