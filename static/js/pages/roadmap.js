/**
 * The page of a roadmap: read, tick steps, edit. Somebody else may do the same meanwhile: what one has written is never
 * lost, and never put over theirs without being asked.
 *
 * @typedef {import("../types.js").Roadmap} Roadmap
 */
import { readBoot } from "../boot.js";
import { drawPaper } from "../roadmaps/paper.js";
import { StepChanged, Ticks } from "../roadmaps/ticks.js";
import { sentenceFor } from "../strings.js";
import { roadmaps as say } from "../strings/roadmaps.js";
import { confirm } from "../ui/confirm.js";
import { need, setText } from "../ui/dom.js";
import { moment } from "../ui/format.js";
import { startShell } from "../ui/shell.js";
import { toast } from "../ui/toasts.js";

const boot = readBoot();
const { client, start } = startShell(boot);
const api = client.api;
const ticks = new Ticks(api, /** @type {Roadmap} */ (boot.roadmap));
/** What is being edited as it was then: only in its place is anything put without a question. */
let base = ticks.roadmap;

const page = need("#main");
/** @type {HTMLTextAreaElement} */
const text = need("#text");
const problem = need("#problem");

function draw() {
  const { roadmap } = ticks;
  const { done, all } = drawPaper(need("#document"), ticks.shown, tick);
  const progress = need("#progress");
  progress.hidden = all === 0;
  need(".roadmap-bar > span", progress).style.width = `${all ? (100 * done) / all : 0}%`;
  setText(need("[data-words]", progress), say.done(done, all));
  const when = moment(new Date(roadmap.changed_at), new Date(), document.documentElement.lang);
  setText(need("#changed"), say.changed(roadmap.changed_by.display_name, when));
  document.title = `${roadmap.title} · Ringback`;
}

/** @param {"reading" | "editing"} mode */
function show(mode) {
  page.dataset.mode = mode;
  for (const part of page.querySelectorAll("[data-when]")) {
    /** @type {HTMLElement} */ (part).hidden = /** @type {HTMLElement} */ (part).dataset.when !== mode;
  }
  complain(null);
}

/** @param {string | null} sentence @param {boolean} [choice] whether theirs or one's own is a question */
function complain(sentence, choice = false) {
  problem.hidden = sentence === null;
  setText(need("[data-text]", problem), sentence ?? "");
  need("[data-choice]", problem).hidden = !choice;
}

/** @param {number} line @param {boolean} ticked */
async function tick(line, ticked) {
  try {
    await ticks.tick(line, ticked);
  } catch (error) {
    toast(whyNot(error), "error");
  }
  const boxes = () => [...need("#document").querySelectorAll("input")];
  const focused = boxes().findIndex((box) => box === document.activeElement);
  draw();
  boxes()[focused]?.focus();
}

/** @param {unknown} error of a tick */
function whyNot(error) {
  const isTheirs = error instanceof StepChanged || /** @type {{code?: string}} */ (error).code === "conflict";
  return isTheirs ? say.newerTicked(ticks.roadmap.changed_by.display_name) : sentenceFor(error);
}

/** @param {number} rev of what it is put in the place of */
async function save(rev) {
  if (!text.value.trim()) return complain(say.empty);
  const button = need("#save");
  button.setAttribute("aria-busy", "true");
  try {
    ticks.roadmap = await api.editRoadmap(base.roadmap_id, text.value, rev);
    draw();
    show("reading");
    need("#edit").focus();
    toast(say.saved);
  } catch (error) {
    await saySaveFailed(error);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** @param {unknown} error */
async function saySaveFailed(error) {
  const { code } = /** @type {{code?: string}} */ (error);
  if (code === "not_found") return complain(say.gone);
  if (code !== "conflict") return complain(sentenceFor(error));
  try {
    ticks.roadmap = await api.roadmap(base.roadmap_id);
    complain(say.newer(ticks.roadmap.changed_by.display_name), true);
  } catch (error) {
    complain(sentenceFor(error));
  }
}

/** From here on one edits what the server has. */
function begin() {
  base = ticks.roadmap;
  text.value = base.document;
}

need("#edit").addEventListener("click", async () => {
  await ticks.settled;
  begin();
  show("editing");
  text.focus();
  text.setSelectionRange(0, 0);
  text.scrollTop = 0;
});

need("#editor").addEventListener("submit", (event) => {
  event.preventDefault();
  save(base.rev);
});

text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save(base.rev);
});

need("#keep-mine").addEventListener("click", () => save(ticks.roadmap.rev));

need("#take-theirs").addEventListener("click", async () => {
  const { display_name } = ticks.roadmap.changed_by;
  const question = { title: say.discardTitle, text: say.takeTheirsText(display_name), action: say.discardAction };
  if (!(await confirm(question))) return;
  begin();
  complain(null);
  text.focus();
});

need("#cancel").addEventListener("click", async () => {
  const question = { title: say.discardTitle, text: say.discardText, action: say.discardAction };
  if (text.value !== base.document && !(await confirm(question))) return;
  draw();
  show("reading");
  need("#edit").focus();
});

need("#copy").addEventListener("click", () => {
  navigator.clipboard.writeText(ticks.shown).then(
    () => toast(say.copied),
    () => toast(say.notCopied, "error"),
  );
});

document.querySelector("#delete")?.addEventListener("click", async () => {
  const question = { title: say.deleteTitle, text: say.deleteText, action: say.deleteAction };
  if (!(await confirm(question))) return;
  try {
    await api.deleteRoadmap(base.roadmap_id);
    location.assign(`/call/${base.call_id}`);
  } catch (error) {
    toast(sentenceFor(error), "error");
  }
});

window.addEventListener("beforeunload", (event) => {
  if (page.dataset.mode === "editing" && text.value !== base.document) event.preventDefault();
});

draw();
start();
