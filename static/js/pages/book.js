/**
 * A book to read: the page brings the chapter, this what one does with it.
 *
 * @typedef {import("../types.js").Book} Book
 */
import { readBoot } from "../boot.js";
import { sentenceFor } from "../strings.js";
import { need } from "../ui/dom.js";
import { startShell } from "../ui/shell.js";
import { toast } from "../ui/toasts.js";

/** A book whose import has ended without a word to us is settled by the server within this. */
const LOOK_AGAIN_MS = 15_000;

const boot = /** @type {import("../types.js").Boot & {book: Book}} */ (readBoot());
const { client, start } = startShell(boot);
const { book_id: bookId, state, task_id: taskId } = boot.book;

async function ask() {
  const button = need("#ask");
  button.setAttribute("aria-busy", "true");
  try {
    const { session_id: sessionId } = await client.api.startDialogue(bookId);
    location.assign(`/dialogues/${sessionId}`);
  } catch (error) {
    button.removeAttribute("aria-busy");
    toast(sentenceFor(error), "error");
  }
}

/** It opens when it is read, and whoever waits for one that is gone is led back to the shelf. */
async function look() {
  try {
    const book = await client.api.book(bookId);
    if (book.state !== "importing") location.reload();
  } catch (error) {
    if (/** @type {{status?: number}} */ (error).status === 404) leave(); // else the next look
  }
}

function leave() {
  location.replace("/books");
}

const asking = /** @type {HTMLButtonElement | null} */ (document.querySelector("#ask"));
asking?.addEventListener("click", ask);
if (asking) asking.disabled = false;

// Beside the text where there is room for both.
const contents = /** @type {HTMLDetailsElement | null} */ (document.querySelector("#contents"));
const wide = matchMedia("(min-width: 1100px)");
const unfold = () => {
  if (contents) contents.open = wide.matches;
};
wide.addEventListener("change", unfold);
unfold();
const current = /** @type {HTMLElement | null} */ (contents?.querySelector("[aria-current]") ?? null);
if (contents && current) contents.scrollTop = current.offsetTop - contents.clientHeight / 2;

if (state === "importing") {
  client.link.on("frame", (frame) => {
    if (frame.type !== "task" || frame.task.task_id !== taskId) return;
    /** @type {HTMLProgressElement} */ (need("#import")).value = frame.task.progress;
    if (frame.task.state === "cancelled") leave();
    else if (["completed", "failed"].includes(frame.task.state)) look();
  });
  client.link.on("snapshot", look);
  setInterval(look, LOOK_AGAIN_MS); // not every end is told
}
start();
