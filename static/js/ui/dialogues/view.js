/**
 * A dialogue as one reads and writes it: on a page of its own, or beside a call. The markup is `templates/_dialogue.html`.
 *
 * @typedef {import("../../dialogues/dialogue.js").Dialogue} Dialogue
 * @typedef {import("../../dialogues/dialogue.js").Waiting} Waiting
 * @typedef {import("../../types.js").DialogueMessage} DialogueMessage
 */
import { isOpen } from "../../dialogues/thread.js";
import { dialogue as strings, endingOf, GONE, placeOf, whyRefused } from "../../strings/dialogues.js";
import { CLOSED, sentenceFor } from "../../strings.js";
import { announce } from "../announcer.js";
import { copyOf, need, setText } from "../dom.js";
import { timeOfDay } from "../format.js";
import { linked } from "../links.js";
import { GrowingMarkdown } from "../markdown.js";
import { toast } from "../toasts.js";
import { Composer } from "./composer.js";
import { ScrollKeeper } from "./scrolling.js";
import { Sources } from "./sources.js";

/** Most interruptions are over before anybody could read about them. */
const PATIENCE_MS = 2_000;
/** Of a reply that is read out by itself. */
const TOLD_CHARACTERS = 400;

export class DialogueView {
  #root;
  #dialogue;
  #list;
  #scroll;
  #sources;
  #composer;
  /** By the id of the message, or of what waits. @type {Map<string, Turn>} */
  #turns = new Map();
  /** @type {any} */
  #awayTimer = null;
  #drawing = false;

  /**
   * @param {HTMLElement} root of the markup
   * @param {Dialogue} dialogue
   * @param {{elsewhere?: boolean}} [options] `elsewhere`: sources open in a window of their own
   */
  constructor(root, dialogue, { elsewhere = false } = {}) {
    this.#root = root;
    this.#dialogue = dialogue;
    this.#list = need("[data-messages]", root);
    this.#scroll = new ScrollKeeper(need("[data-scroll]", root), need("[data-to-end]", root));
    this.#sources = new Sources(root, elsewhere);
    this.#composer = new Composer(need("[data-form]", root), (text) => this.#write(text));
    dialogue.on("change", ({ first }) => (first ? this.#draw(first) : this.#drawSoon()));
    dialogue.on("ended", ({ reply }) => this.#ended(reply));
    dialogue.on("link", ({ state }) => this.#follow(state));
    dialogue.on("closed", ({ name }) => this.#closed(name));
    need("[data-older]", root).addEventListener("click", () => this.#loadOlder());
    need("[data-stop]", root).addEventListener("click", () => this.#stop());
    for (const example of root.querySelectorAll("[data-example]")) {
      example.addEventListener("click", () => this.#write(example.textContent ?? ""));
    }
    this.#composer.enabled = true;
  }

  focus() {
    this.#composer.focus();
  }

  /** A question that was put before the dialogue was there. @param {string} text */
  ask(text) {
    this.#write(text);
  }

  // ---- drawing

  /** Many small pieces, one picture. */
  #drawSoon() {
    if (this.#drawing) return;
    this.#drawing = true;
    // Not by frames alone: in a tab that nobody sees there are none, and one wants to find the reply when one comes back.
    setTimeout(() => {
      this.#drawing = false;
      this.#draw();
    }, document.visibilityState === "visible" ? 30 : 500);
  }

  /** @param {boolean} [first] */
  #draw(first = false) {
    const { messages, waiting, reply, hasOlder } = this.#dialogue;
    this.#scroll.around(() => {
      const rows = [
        ...messages.map((message) => this.#turnOf(message).draw(message, reply)),
        ...waiting.map((one) => this.#waitingOf(one).drawWaiting(one)),
      ];
      inPlace(this.#list, rows);
      this.#markLast(messages);
    }, first);
    need("[data-older]", this.#root).hidden = !hasOlder;
    need("[data-empty]", this.#root).hidden = rows(this.#list) > 0;
    need("[data-loading]", this.#root).hidden = true;
    need("[data-stop]", this.#root).hidden = reply === null;
    this.#root.dataset.replying = reply ? "yes" : "no";
    const withSources = messages.findLast(({ sources }) => sources.length > 0);
    if (withSources && !reply) this.#sources.offer(withSources);
  }

  /** Asking again is offered where nothing was asked since. @param {readonly DialogueMessage[]} messages */
  #markLast(messages) {
    const last = messages.at(-1);
    for (const { row, id } of this.#turns.values()) row.dataset.last = id === last?.message_id ? "yes" : "no";
  }

  /** @param {DialogueMessage} message */
  #turnOf(message) {
    const id = message.message_id;
    const known = this.#turns.get(id);
    if (known) return known;
    const turn = new Turn(id, message.role, {
      again: () => this.#again(id),
      sources: (n, opener) => this.#showSources(id, n, opener),
    });
    this.#turns.set(id, turn);
    return turn;
  }

  /** @param {Waiting} one */
  #waitingOf(one) {
    const known = this.#turns.get(one.clientId);
    if (known) return known;
    const turn = new Turn(one.clientId, "person", {
      again: () => this.#dialogue.deliver(one),
      discard: () => this.#discard(one),
      sources: () => {},
    });
    this.#turns.set(one.clientId, turn);
    return turn;
  }

  // ---- what one does

  /** @param {string} text */
  #write(text) {
    this.#scroll.toEnd();
    this.#dialogue.write(text);
  }

  /** @param {Waiting} one */
  #discard(one) {
    this.#composer.focus();
    this.#dialogue.discard(one);
  }

  /** @param {string} id of a reply */
  async #again(id) {
    try {
      this.#scroll.toEnd();
      await this.#dialogue.askAgain(id);
    } catch (error) {
      toast(sentenceFor(error), "error");
    }
  }

  async #stop() {
    const { reply } = this.#dialogue;
    if (!reply) return;
    this.#composer.focus();
    try {
      await this.#dialogue.cancel(reply.message_id);
    } catch (error) {
      // It was whole before anybody could stop it.
      if (/** @type {{code?: string}} */ (error).code !== "bad_state") toast(sentenceFor(error), "error");
    }
  }

  async #loadOlder() {
    const older = need("[data-older]", this.#root);
    older.setAttribute("aria-busy", "true");
    try {
      await this.#dialogue.loadOlder();
    } catch (error) {
      toast(sentenceFor(error), "error");
    } finally {
      older.removeAttribute("aria-busy");
    }
  }

  /**
   * @param {string} id
   * @param {number | null} n which of them
   * @param {HTMLElement} opener
   */
  #showSources(id, n, opener) {
    const message = this.#dialogue.messages.find(({ message_id }) => message_id === id);
    if (message) this.#sources.open(message, n, opener);
  }

  // ---- what happens

  /** @param {DialogueMessage} reply */
  #ended(reply) {
    this.#draw(); // its last pieces, or all of it, may still wait for their turn
    const shown = this.#turns.get(reply.message_id)?.plain ?? "";
    const told = shown.length > TOLD_CHARACTERS ? `${shown.slice(0, TOLD_CHARACTERS)}…` : shown;
    announce(reply.state === "complete" ? strings.replied(told) : endingOf(reply));
  }

  /** @param {import("../../realtime/socket.js").LinkState} state */
  #follow(state) {
    const note = need("[data-away]", this.#root);
    if (state === "open") {
      clearTimeout(this.#awayTimer);
      this.#awayTimer = null;
      note.hidden = true;
    } else if (state === "waiting") {
      this.#awayTimer ??= setTimeout(() => {
        note.hidden = false;
      }, PATIENCE_MS);
    }
  }

  /** @param {string} name */
  #closed(name) {
    clearTimeout(this.#awayTimer);
    need("[data-away]", this.#root).hidden = true;
    need("[data-loading]", this.#root).hidden = true;
    this.#composer.enabled = false;
    const gone = need("[data-gone]", this.#root);
    setText(need("[data-text]", gone), GONE[name] ?? CLOSED[name] ?? CLOSED.unknown);
    gone.hidden = false;
    announce(gone.textContent ?? "");
  }
}

/** One message, as a row of the list. */
class Turn {
  #markdown;
  #text;
  /** What was drawn last. @type {string | null} */
  #drawn = null;
  /** @type {DialogueMessage["sources"]} */
  #cited = [];
  #sources;

  /**
   * @param {string} id
   * @param {"person" | "assistant"} role
   * @param {{again: () => void, discard?: () => void, sources: (n: number | null, opener: HTMLElement) => void}} deeds
   */
  constructor(id, role, { again, discard, sources }) {
    this.id = id;
    this.row = copyOf("dialogue-turn-template");
    this.row.dataset.role = role;
    this.#text = need("[data-text]", this.row);
    this.#sources = sources;
    setText(need("[data-who]", this.row), role === "person" ? strings.you : strings.reply);
    this.#markdown = new GrowingMarkdown(this.#text, { headings: 3, cite: (n) => this.#citation(n) });
    for (const button of this.row.querySelectorAll("[data-again]")) button.addEventListener("click", again);
    if (discard) {
      const discarding = need("[data-discard]", this.row);
      discarding.addEventListener("click", discard);
      discarding.hidden = false;
    }
    need("[data-copy]", this.row).addEventListener("click", () => this.#copy());
    const opener = need("[data-sources-of]", this.row);
    opener.addEventListener("click", () => sources(null, opener));
  }

  /** @returns {string} the words without their marks */
  get plain() {
    return this.#text.innerText.trim();
  }

  /**
   * @param {DialogueMessage} message
   * @param {DialogueMessage | null} current the reply that is being written
   */
  draw(message, current) {
    const { role, text, state, sources, created_at } = message;
    const { row } = this;
    row.dataset.state = state;
    if (role === "person") this.#drawPlain(text);
    else this.#drawReply(text, sources);
    const words = state === "waiting" && message !== current ? strings.waiting : strings.looking;
    setText(need("[data-words]", row), words);
    need("[data-working]", row).hidden = !(isOpen(message) && text === "");
    const ending = isOpen(message) ? "" : endingOf(message);
    setText(need("[data-ending]", row), ending);
    need("[data-mark]", row).hidden = ending === "";
    need("[data-tools]", row).hidden = role === "person" || isOpen(message);
    need("[data-copy]", row).hidden = text === "";
    const opener = need("[data-sources-of]", row);
    opener.hidden = sources.length === 0;
    setText(need("[data-label]", opener), strings.sources(sources.length));
    const time = /** @type {HTMLTimeElement} */ (need("time", row));
    time.dateTime = created_at;
    setText(time, timeOfDay(new Date(created_at), document.documentElement.lang));
    return row;
  }

  /** @param {Waiting} one */
  drawWaiting({ text, failed }) {
    this.row.dataset.state = failed === null ? "sending" : "unsent";
    this.#drawPlain(text);
    setText(need("[data-ending]", this.row), failed === null ? "" : `${strings.notSent} ${whyRefused(failed)}`);
    need("[data-mark]", this.row).hidden = failed === null;
    need("[data-working]", this.row).hidden = true;
    need("[data-tools]", this.row).hidden = true;
    return this.row;
  }

  /** @param {string} text */
  #drawPlain(text) {
    if (this.#drawn === text) return;
    this.#drawn = text;
    this.#text.classList.remove("markdown");
    this.#text.replaceChildren(...linked(text));
  }

  /**
   * @param {string} text
   * @param {DialogueMessage["sources"]} sources
   */
  #drawReply(text, sources) {
    if (sources.length !== this.#cited.length) {
      this.#cited = sources;
      this.#drawn = null;
      this.#markdown.forget();
    }
    if (this.#drawn === text) return;
    this.#drawn = text;
    this.#markdown.show(text);
  }

  /** @param {number} n */
  #citation(n) {
    const source = this.#cited.find((each) => each.n === n);
    if (!source) return null;
    const mark = document.createElement("button");
    mark.type = "button";
    mark.className = "citation";
    mark.textContent = String(n);
    mark.setAttribute("aria-label", strings.source(n, placeOf(source)));
    mark.title = placeOf(source);
    mark.addEventListener("click", () => this.#sources(n, mark));
    return mark;
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#drawn ?? "");
      toast(strings.copied);
    } catch {
      toast(strings.notCopied, "error");
    }
  }
}

/** @param {HTMLElement} list */
function rows(list) {
  return list.childElementCount;
}

/**
 * What is there already is not touched: it would lose the focus and what is selected in it.
 *
 * @param {HTMLElement} list
 * @param {HTMLElement[]} wanted
 */
function inPlace(list, wanted) {
  const kept = new Set(wanted);
  for (const row of /** @type {HTMLElement[]} */ ([...list.children])) if (!kept.has(row)) row.remove();
  for (const [at, row] of wanted.entries()) {
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
  }
}
