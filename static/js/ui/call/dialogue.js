/**
 * The tab in which one asks a book while one talks. What it needs is fetched when it is opened, and a dialogue that was
 * opened beside this call is there again after a reload.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../dialogues/dialogue.js").Dialogue} Dialogue
 */
import { dialogue as strings, titleOf } from "../../strings/dialogues.js";
import { sentenceFor } from "../../strings.js";
import { copyOf, need, setText } from "../dom.js";
import { toast } from "../toasts.js";

/** Of those that were asked before. */
const OFFERED = 6;
/** Elsewhere a keyboard would cover what one came to read. */
const TYPES = matchMedia("(pointer: fine)");

/** @param {CallContext} context */
export function startDialogue({ boot, shell, panel }) {
  const { client } = shell;
  const { api } = client;
  const body = need("#panel-dialogue");
  const choice = need("[data-choice]", body);
  const beside = need("[data-beside]", body);
  const kept = `ringback-dialogue-${boot.call.call_id}`;
  /** @type {{dialogue: Dialogue, focus: () => void} | null} */
  let open = null;
  /** Whoever presses twice means once. */
  let busy = false;

  async function choose() {
    open?.dialogue.stop();
    open = null;
    sessionStorage.removeItem(kept);
    beside.hidden = true;
    choice.hidden = false;
    const [books, dialogues] = await Promise.all([api.books(), api.dialogues()]);
    const ready = books.items.filter(({ state }) => state === "ready");
    const before = dialogues.items.filter(({ last_message }) => last_message).slice(0, OFFERED);
    need("[data-books]", body).replaceChildren(
      ...ready.map(({ book_id, title }) => offer(title, () => begin(book_id))),
    );
    need("[data-dialogues]", body).replaceChildren(
      ...before.map(({ session_id, title }) => offer(title, () => show(session_id), strings.goOn(title))),
    );
    need("[data-before]", body).hidden = before.length === 0;
  }

  /**
   * @param {string} name
   * @param {() => Promise<void>} run
   * @param {string} [label]
   */
  function offer(name, run, label = name) {
    const item = copyOf("dialogue-choice-template");
    const button = need("button", item);
    setText(need("[data-name]", item), name);
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => tried(run, button));
    return item;
  }

  /** @param {string} bookId */
  async function begin(bookId) {
    const { session_id: sessionId } = await api.startDialogue(bookId);
    await show(sessionId);
  }

  /** @param {string} sessionId */
  async function show(sessionId) {
    const { DialogueView } = await import("../dialogues/view.js");
    open?.dialogue.stop();
    const hadFocus = choice.contains(document.activeElement);
    const root = copyOf("dialogue-view-template");
    need("[data-place]", body).replaceChildren(root);
    choice.hidden = true;
    beside.hidden = false;
    /** @type {HTMLAnchorElement} */ (need("[data-out]", body)).href = `/dialogues/${sessionId}`;
    const dialogue = client.dialogue(sessionId);
    const view = new DialogueView(root, dialogue, { elsewhere: true });
    dialogue.on("change", () => {
      const { book_id: bookId, title } = dialogue.shown?.book ?? { book_id: "", title: "" };
      setText(need("[data-title]", body), titleOf(bookId, title));
    });
    dialogue.on("closed", () => sessionStorage.removeItem(kept));
    sessionStorage.setItem(kept, sessionId);
    open = { dialogue, focus: () => view.focus() };
    dialogue.start();
    if (!hadFocus) return; // it is elsewhere by now, or on the tab, where the arrow keys go on
    if (TYPES.matches) view.focus();
    else need("[data-back]", body).focus();
  }

  /**
   * @param {() => Promise<void>} deed
   * @param {HTMLElement | null} [button] what was pressed
   */
  async function tried(deed, button = null) {
    if (busy) return;
    busy = true;
    button?.setAttribute("aria-busy", "true");
    try {
      await deed();
    } catch (error) {
      toast(sentenceFor(error), "error");
    } finally {
      busy = false;
      button?.removeAttribute("aria-busy");
    }
  }

  panel.on("shown", (name) => {
    if (name !== "dialogue") return;
    const before = sessionStorage.getItem(kept);
    if (!open) tried(() => (before ? show(before) : choose()));
  });
  panel.on("opened", (name) => {
    if (name === "dialogue" && TYPES.matches) open?.focus();
  });
  need("[data-back]", body).addEventListener("click", () => tried(choose));
}
