/**
 * A list of people that changes while one looks at it. Whatever is under the pointer or has the focus stays in its place:
 * a new order waits until nobody could hit the wrong person.
 *
 * @typedef {import("../types.js").Relation} Relation
 */
import { copyOf, need } from "./dom.js";
import { drawPerson } from "./person.js";

export class PersonList {
  #section;
  #list;
  #templateId;
  /** @type {Map<string, HTMLElement>} */
  #items = new Map();
  /** @type {Relation[]} */
  #wanted = [];

  /**
   * @param {HTMLElement} section hidden while the list is empty
   * @param {string} templateId
   */
  constructor(section, templateId) {
    this.#section = section;
    this.#list = need("[data-list]", section);
    this.#templateId = templateId;
    for (const item of /** @type {NodeListOf<HTMLElement>} */ (section.querySelectorAll("[data-user-id]"))) {
      this.#items.set(item.dataset.userId ?? "", item);
    }
    this.#list.addEventListener("pointerleave", () => this.#settle());
    this.#list.addEventListener("focusout", () => setTimeout(() => this.#settle()));
  }

  /**
   * @param {Relation[]} people in the order in which they shall stand
   * @param {string} [query] what of their names is marked
   */
  draw(people, query = "") {
    this.#wanted = people;
    const staying = new Set(people.map(({ user }) => user.id));
    for (const [id, item] of this.#items) {
      if (staying.has(id)) continue;
      item.remove();
      this.#items.delete(id);
    }
    for (const relation of people) drawPerson(this.#itemOf(relation.user.id), relation, query);
    if (!this.#list.matches(":hover, :focus-within")) this.#settle();
    this.#section.hidden = people.length === 0;
  }

  /** @param {string} id */
  #itemOf(id) {
    let item = this.#items.get(id);
    if (!item) {
      item = copyOf(this.#templateId);
      this.#items.set(id, item);
      this.#list.append(item);
    }
    return item;
  }

  #settle() {
    if (this.#list.matches(":hover, :focus-within")) return;
    const inOrder = this.#wanted.map(({ user }) => /** @type {HTMLElement} */ (this.#items.get(user.id)));
    if (inOrder.some((item, index) => this.#list.children[index] !== item)) this.#list.replaceChildren(...inOrder);
  }
}
