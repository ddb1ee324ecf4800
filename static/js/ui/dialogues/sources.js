/**
 * What a reply is taken from, beside it where there is room, else as a sheet over it.
 *
 * @typedef {import("../../types.js").DialogueMessage} DialogueMessage
 */
import { dialogue as strings, placeOf, titleOf } from "../../strings/dialogues.js";
import { copyOf, need, setText } from "../dom.js";

export class Sources {
  #panel;
  #list;
  #beside;
  #elsewhere;
  /** The reply whose sources they are. @type {string | null} */
  #of = null;
  /** Somebody closed it: it does not come by itself any more. */
  #unwanted = false;
  /** Somebody opened it: it stays where it becomes a sheet. */
  #wanted = false;
  /** @type {HTMLElement | null} */
  #opener = null;

  /**
   * @param {HTMLElement} root of the dialogue
   * @param {boolean} elsewhere whether they open in a window of their own
   */
  constructor(root, elsewhere) {
    this.#panel = need("[data-sources]", root);
    this.#list = need("[data-source-list]", root);
    this.#beside = need("[data-main]", root);
    this.#elsewhere = elsewhere;
    need("[data-close-sources]", root).addEventListener("click", () => {
      this.#unwanted = !this.#isSheet();
      this.#close();
    });
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#panel.hidden || !this.#isSheet()) return;
      event.stopPropagation(); // what is around it stays open
      this.#close();
    });
    need("[data-veil]", root).addEventListener("click", () => this.#close());
    // From a side to a sheet, as when a telephone is turned.
    new ResizeObserver(() => {
      if (!this.#wanted && this.#isSheet()) this.#panel.hidden = true;
      this.#cover();
    }).observe(root);
  }

  /**
   * Shows them if there is room for them, and nobody has said that they are in the way.
   *
   * @param {DialogueMessage} reply
   */
  offer(reply) {
    if (this.#unwanted || this.#wanted || this.#of === reply.message_id) return;
    this.#panel.hidden = false;
    if (this.#isSheet()) this.#panel.hidden = true;
    else this.#fill(reply);
  }

  /**
   * @param {DialogueMessage} reply
   * @param {number | null} n the one that was asked for
   * @param {HTMLElement} opener
   */
  open(reply, n, opener) {
    this.#unwanted = false;
    this.#wanted = true;
    this.#opener = opener;
    this.#panel.hidden = false;
    if (this.#of !== reply.message_id) this.#fill(reply);
    this.#cover();
    for (const item of /** @type {HTMLElement[]} */ ([...this.#list.children])) {
      item.dataset.chosen = item.dataset.n === String(n) ? "yes" : "no";
    }
    const chosen = n === null ? null : /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-n="${n}"]`));
    if (chosen) chosen.scrollIntoView({ block: "nearest" });
    need("[data-sources-title]", this.#panel).focus();
  }

  #close() {
    const hadFocus = this.#panel.contains(document.activeElement);
    this.#panel.hidden = true;
    this.#wanted = false;
    this.#cover();
    if (hadFocus) this.#opener?.focus();
  }

  /** @param {DialogueMessage} reply */
  #fill({ message_id: id, sources }) {
    this.#of = id;
    this.#list.replaceChildren(
      ...sources.map((source) => {
        const { n, book_id, book_title, quote, url } = source;
        const book = titleOf(book_id, book_title);
        const item = copyOf("dialogue-source-template");
        item.dataset.n = String(n);
        setText(need("[data-number]", item), String(n));
        setText(need("[data-chapter]", item), placeOf(source));
        setText(need("[data-book]", item), book);
        setText(need("[data-quote]", item), quote);
        const link = /** @type {HTMLAnchorElement} */ (need("a", item));
        link.href = ownPath(url);
        if (this.#elsewhere) link.target = "_blank";
        link.setAttribute("aria-label", strings.readAt(placeOf(source)));
        return item;
      }),
    );
    this.#list.scrollTop = 0;
  }

  /** Nobody tabs into what lies under a sheet. */
  #cover() {
    this.#beside.inert = !this.#panel.hidden && this.#isSheet();
  }

  #isSheet() {
    return getComputedStyle(this.#panel).position === "absolute";
  }
}

/** @param {string} url as the server has it @returns {string} a path on this server, whatever it was */
function ownPath(url) {
  const address = new URL(url, location.origin);
  return address.origin === location.origin ? address.pathname + address.search + address.hash : "/books";
}
