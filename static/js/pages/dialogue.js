/**
 * The page of one dialogue.
 *
 * @typedef {import("../types.js").Dialogue} Dialogue
 */
import { readBoot } from "../boot.js";
import { isolated } from "../i18n.js";
import { dialogue as strings } from "../strings/dialogues.js";
import { sentenceFor } from "../strings.js";
import { confirm } from "../ui/confirm.js";
import { need, setText } from "../ui/dom.js";
import { takeQuestion } from "../ui/dialogues/question.js";
import { DialogueView } from "../ui/dialogues/view.js";
import { startShell } from "../ui/shell.js";
import { toast } from "../ui/toasts.js";

const boot = /** @type {import("../types.js").Boot & {dialogue: Dialogue}} */ (readBoot());
const { client, start } = startShell(boot);
const { session_id: sessionId, book } = boot.dialogue;
const dialogue = client.dialogue(sessionId);
const view = new DialogueView(need("[data-dialogue]"), dialogue);

/** It is called by what was asked first. */
function name() {
  const first = dialogue.messages[0];
  const asked = first?.number === 1 ? first.text : "";
  const title = dialogue.shown && dialogue.shown.title !== dialogue.shown.book.title ? dialogue.shown.title : asked;
  if (!title) return;
  setText(need("#title bdi"), title);
  document.title = `${isolated(title)} · Ringback`;
}

async function begin() {
  const button = need("#new");
  button.setAttribute("aria-busy", "true");
  try {
    const { session_id: id } = await client.api.startDialogue(book.book_id);
    location.assign(`/dialogues/${id}`);
  } catch (error) {
    button.removeAttribute("aria-busy");
    toast(sentenceFor(error), "error");
  }
}

async function remove() {
  const title = need("#title").textContent ?? "";
  const sure = await confirm({ title: strings.deleteTitle, text: strings.deleteText(title), action: strings.deleteAction });
  if (!sure) return;
  try {
    await client.api.deleteDialogue(sessionId);
    location.assign("/dialogues");
  } catch (error) {
    toast(sentenceFor(error), "error");
  }
}

dialogue.on("change", ({ first }) => {
  name();
  const question = first ? takeQuestion(sessionId) : null;
  if (question) view.ask(question);
});
for (const [selector, deed] of /** @type {[string, () => void][]} */ ([["#new", begin], ["#delete", remove]])) {
  const button = /** @type {HTMLButtonElement} */ (need(selector));
  button.addEventListener("click", deed);
  button.disabled = false;
}
dialogue.start();
start();
if (matchMedia("(pointer: fine)").matches) view.focus(); // on a telephone the keyboard would cover what one came to read
