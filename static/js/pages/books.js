/**
 * The shelf: the books that one can read and ask, and sending more of them.
 *
 * @typedef {import("../types.js").Book} Book
 */
import { readBoot } from "../boot.js";
import { books as strings, COVER, FORMAT, whyNotSent } from "../strings/books.js";
import { sentenceFor } from "../strings.js";
import { announce } from "../ui/announcer.js";
import { confirm } from "../ui/confirm.js";
import { copyOf, need, setText } from "../ui/dom.js";
import { fileSize, tint } from "../ui/format.js";
import { startShell } from "../ui/shell.js";
import { toast } from "../ui/toasts.js";

/** A book whose import has ended without a word to us is settled by the server within this. */
const LOOK_AGAIN_MS = 15_000;

const boot = /** @type {import("../types.js").Boot & {books: Book[], max_bytes: number}} */ (readBoot());
const { client, start } = startShell(boot);
const { api } = client;
const locale = document.documentElement.lang;
const page = need("#main");
const shelf = need("#shelf");
const sendings = need("#sendings");
const file = /** @type {HTMLInputElement} */ (need("#book-file"));

/** As they stand on the page. @type {Map<string, {book: Book, row: HTMLElement}>} */
const shown = new Map();
/** How far each import is, by its task. @type {Map<string, number>} */
const progress = new Map();
/** Imports that were stopped: their books go, and are not shown until they are gone. @type {Set<string>} */
const stopped = new Set();
/** @type {any} */
let lookingAgain = null;

// ---- the shelf

/** @param {Book[]} books in the order of the shelf */
function show(books) {
  const before = new Map(shown);
  shown.clear();
  const kept = books.filter(({ state, task_id: task }) => state !== "importing" || task === null || !stopped.has(task));
  const rows = kept.map((book) => {
    const row = before.get(book.book_id)?.row ?? rowOf(book);
    draw(row, book);
    shown.set(book.book_id, { book, row });
    return row;
  });
  for (const [id, { row }] of before) {
    if (shown.has(id)) continue;
    const hadFocus = row.contains(document.activeElement);
    row.remove();
    if (hadFocus) need("#title").focus();
  }
  for (const [at, row] of rows.entries()) if (shelf.children[at] !== row) shelf.insertBefore(row, shelf.children[at] ?? null);
  clearTimeout(lookingAgain);
  if (kept.some(({ state }) => state === "importing")) lookingAgain = setTimeout(lookAgain, LOOK_AGAIN_MS);
}

/** Not every end is told: of a book that is being read in one asks now and then. */
function lookAgain() {
  refresh().catch(() => {
    lookingAgain = setTimeout(lookAgain, LOOK_AGAIN_MS);
  });
}

/** @param {Book} book */
function rowOf({ book_id: id }) {
  const row = copyOf("book-template");
  row.dataset.bookId = id;
  need("[data-ask]", row).addEventListener("click", () => ask(id));
  need("[data-delete]", row).addEventListener("click", () => remove(id));
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {Book} book
 */
function draw(row, book) {
  const { title, author, format, state, chapter_count, size_bytes, built_in, error, task_id } = book;
  row.dataset.state = state;
  need(".book-cover", row).className = `book-cover ${tint(title)}`;
  setText(need("[data-cover]", row), title);
  setText(need("[data-format]", row), COVER[format] ?? format);
  setText(need("[data-title]", row), title);
  setText(need("[data-author]", row), author ?? "");
  const parts = [FORMAT[format] ?? format, fileSize(size_bytes, locale)];
  if (state === "ready") parts.push(strings.chapters(chapter_count));
  setText(need("[data-note]", row), parts.join(" · "));
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (row.querySelectorAll("[data-open]"))) link.href = `/books/${book.book_id}`;
  const part = task_id === null ? undefined : progress.get(task_id);
  const bar = /** @type {HTMLProgressElement} */ (need("progress", row));
  need("[data-progress]", row).hidden = state !== "importing";
  if (part === undefined) bar.removeAttribute("value");
  else bar.value = part;
  const words = part === undefined ? strings.importing : strings.reading(Math.round(part * 100));
  bar.setAttribute("aria-label", words);
  setText(need("[data-progress-words]", row), words);
  need("[data-error]", row).hidden = state !== "failed";
  setText(need("[data-error]", row), state === "failed" ? (error?.message ?? strings.failed) : "");
  const asking = need("[data-ask]", row);
  asking.hidden = state !== "ready";
  asking.setAttribute("aria-label", strings.askName(title));
  const deleting = need("[data-delete]", row);
  deleting.hidden = built_in;
  deleting.setAttribute("aria-label", strings.deleteName(title));
}

/** What was missed, and what is new. */
async function refresh() {
  const before = new Map([...shown].map(([id, { book }]) => [id, book.state]));
  const { items } = await api.books();
  show(items);
  for (const { book_id: id, title, state, error } of items) {
    if (before.get(id) !== "importing" || state === "importing") continue;
    if (state === "ready") announce(strings.ready(title));
    else announce(error?.message ?? strings.failed);
  }
}

/** @param {string} id */
async function ask(id) {
  const entry = shown.get(id);
  if (!entry) return;
  const button = need("[data-ask]", entry.row);
  button.setAttribute("aria-busy", "true");
  try {
    const { session_id: sessionId } = await api.startDialogue(id);
    location.assign(`/dialogues/${sessionId}`);
  } catch (error) {
    button.removeAttribute("aria-busy");
    toast(sentenceFor(error), "error");
  }
}

/** @param {string} id */
async function remove(id) {
  const entry = shown.get(id);
  if (!entry) return;
  const { title } = entry.book;
  const sure = await confirm({ title: strings.deleteTitle, text: strings.deleteText(title), action: strings.deleteAction });
  if (!sure) return;
  try {
    await api.deleteBook(id);
    await refresh();
    toast(strings.deleted(title));
    need("#title").focus();
  } catch (error) {
    toast(sentenceFor(error), "error");
  }
}

// ---- sending

/** One after the other: a slow line carries one in half the time of two. @type {Promise<void>} */
let queue = Promise.resolve();
/** How many are not there yet. */
let underWay = 0;

/** @param {Iterable<File>} files */
function send(files) {
  for (const each of files) {
    const row = copyOf("sending-template");
    setText(need("[data-name]", row), each.name);
    sendings.append(row);
    const stop = new AbortController();
    need("[data-cancel]", row).addEventListener("click", () => {
      stop.abort();
      row.remove();
    });
    const why = refused(each);
    if (why) fail(row, why);
    else {
      underWay += 1;
      queue = queue
        .then(() => deliver(each, row, stop.signal))
        .finally(() => {
          underWay -= 1;
        });
    }
  }
}

/** @param {File} each @returns {string | null} what is known without asking the server */
function refused({ size }) {
  if (size === 0) return strings.empty;
  return size > boot.max_bytes ? strings.tooLarge(fileSize(largestMb() * 1_000_000, locale)) : null;
}

/** @returns {number} the same number as the page has in its note */
function largestMb() {
  return Math.floor(boot.max_bytes / 1024 ** 2);
}

/**
 * @param {File} each
 * @param {HTMLElement} row
 * @param {AbortSignal} signal
 */
async function deliver(each, row, signal) {
  if (signal.aborted) return;
  const bar = /** @type {HTMLProgressElement} */ (need("progress", row));
  const words = need("[data-words]", row);
  announce(strings.begun(each.name));
  try {
    await api.sendBook(
      each,
      (part) => {
        bar.value = part;
        setText(words, part < 1 ? strings.sending(Math.floor(part * 100)) : strings.sent);
      },
      signal,
    );
  } catch (error) {
    if (!signal.aborted) fail(row, whyNotSent(error));
    return;
  }
  // It is there, also if the shelf cannot be asked about it now.
  announce(strings.delivered(each.name));
  await refresh().catch(() => {
    lookingAgain = setTimeout(lookAgain, LOOK_AGAIN_MS);
  });
  row.remove();
}

/**
 * @param {HTMLElement} row
 * @param {string} why
 */
function fail(row, why) {
  row.dataset.failed = "yes";
  setText(need("[data-words]", row), why);
  announce(why);
}

// ---- what happens

file.addEventListener("change", () => {
  send([...(file.files ?? [])]);
  file.value = ""; // the same one can be chosen again
});

/** @param {DragEvent} event */
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;
document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  page.dataset.dropping = "yes";
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) page.dataset.dropping = "no";
});
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  page.dataset.dropping = "no";
  send(event.dataTransfer?.files ?? []);
});

client.link.on("frame", (frame) => {
  if (frame.type !== "task" || frame.task.kind !== "book_import") return;
  const { task_id: id, progress: part, state } = frame.task;
  progress.set(id, part);
  if (state === "cancelled") {
    stopped.add(id);
    show([...shown.values()].map(({ book }) => book));
  }
  const entry = [...shown.values()].find(({ book }) => book.task_id === id);
  if (!entry || ["completed", "failed", "cancelled"].includes(state)) refresh().catch(() => {}); // the next frame, or a reload
  else draw(entry.row, entry.book);
});
client.link.on("snapshot", () => refresh().catch(() => {})); // what came while the line was away

window.addEventListener("beforeunload", (event) => {
  if (underWay > 0) event.preventDefault(); // what is on its way would break off
});

show(boot.books);
start();
