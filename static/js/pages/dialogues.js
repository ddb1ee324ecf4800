/**
 * Asking something, and what was asked before.
 *
 * @typedef {import("../types.js").Dialogue} Dialogue
 */
import { readBoot } from "../boot.js";
import { previewOf } from "../dialogues/preview.js";
import { dialogue as strings, titleOf } from "../strings/dialogues.js";
import { sentenceFor } from "../strings.js";
import { confirm } from "../ui/confirm.js";
import { leaveQuestion } from "../ui/dialogues/question.js";
import { copyOf, need, setText } from "../ui/dom.js";
import { moment } from "../ui/format.js";
import { startShell } from "../ui/shell.js";
import { toast } from "../ui/toasts.js";
import { isComposing } from "../ui/typing.js";

const boot = /** @type {import("../types.js").Boot & {dialogues: Dialogue[], next: string | null, handbook_id: string}} */ (
  readBoot()
);
const { client, start } = startShell(boot);
const { api } = client;
const list = need("#list");
const more = need("#more");
const form = need("#asking");
const question = /** @type {HTMLTextAreaElement} */ (need("#question"));
const book = /** @type {HTMLSelectElement} */ (need("#book"));
const send = /** @type {HTMLButtonElement} */ (need("[data-send]", form));
let next = boot.next;

// ---- asking

/**
 * @param {string} text
 * @param {string} bookId
 */
async function ask(text, bookId) {
  if (!text.trim() || !bookId || send.getAttribute("aria-busy") === "true") return;
  send.setAttribute("aria-busy", "true");
  try {
    const { session_id: sessionId } = await api.startDialogue(bookId);
    leaveQuestion(sessionId, text.trim());
    question.value = "";
    location.assign(`/dialogues/${sessionId}`);
  } catch (error) {
    toast(sentenceFor(error), "error");
  } finally {
    send.removeAttribute("aria-busy");
  }
}

function look() {
  send.disabled = question.value.trim() === "" || book.value === "";
  need("#examples").hidden = book.value !== boot.handbook_id;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(question.value, book.value);
});
question.addEventListener("input", look);
question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
  event.preventDefault();
  ask(question.value, book.value);
});
book.addEventListener("change", look);
for (const example of need("#examples").querySelectorAll("button")) {
  example.addEventListener("click", () => ask(example.textContent ?? "", boot.handbook_id));
  example.disabled = false;
}

// ---- what was asked before

/** One that was begun and never written in is nothing that was asked. @param {Dialogue[]} dialogues */
function rowsOf(dialogues) {
  return dialogues.filter(({ last_message: last }) => last).map(rowOf);
}

/** @param {Dialogue} dialogue */
function rowOf({ session_id: id, title, book: about, updated_at: at, last_message: last }) {
  const row = copyOf("dialogue-template");
  /** @type {HTMLAnchorElement} */ (need("[data-link]", row)).href = `/dialogues/${id}`;
  const named = title === about.title ? strings.fresh : title;
  setText(need("[data-title]", row), named);
  setText(need("[data-last]", row), last?.role === "assistant" ? previewOf(last.text) : "");
  setText(need("[data-book]", row), titleOf(about.book_id, about.title));
  const when = /** @type {HTMLTimeElement} */ (need("[data-when]", row));
  when.dateTime = at;
  setText(when, moment(new Date(at), new Date(), document.documentElement.lang));
  const deleting = need("[data-delete]", row);
  deleting.setAttribute("aria-label", strings.deleteName(named));
  deleting.addEventListener("click", () => remove(id, named, row));
  return row;
}

/**
 * @param {string} id
 * @param {string} title
 * @param {HTMLElement} row
 */
async function remove(id, title, row) {
  const sure = await confirm({ title: strings.deleteTitle, text: strings.deleteText(title), action: strings.deleteAction });
  if (!sure) return;
  try {
    await api.deleteDialogue(id);
  } catch (error) {
    if (/** @type {{status?: number}} */ (error).status !== 404) return toast(sentenceFor(error), "error");
  }
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  tidy();
  toast(strings.deleted);
  need(neighbour ? "[data-link]" : "#title", neighbour ?? document).focus();
}

function tidy() {
  need("#before").hidden = list.childElementCount === 0 && next === null;
  more.hidden = next === null;
}

async function refresh() {
  const page = await api.dialogues();
  next = page.next;
  list.replaceChildren(...rowsOf(page.items));
  tidy();
}

async function showOlder() {
  const button = need("button", more);
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    const page = await api.dialogues(next);
    next = page.next;
    const rows = rowsOf(page.items);
    list.append(...rows);
    tidy();
    if (rows[0]) need("[data-link]", rows[0]).focus();
    else if (next === null) need("#title").focus();
  } catch {
    toast(strings.notLoaded, "error");
  } finally {
    button.removeAttribute("aria-busy");
  }
}

need("button", more).addEventListener("click", showOlder);
// A browser that goes back may show the page as it was left.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) refresh().catch(() => {});
});

list.append(...rowsOf(boot.dialogues));
tidy();
look();
start();
