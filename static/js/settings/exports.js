/**
 * All that is held about the person, as a file: asked for here, made by a task, and fetched here while it is kept.
 *
 * @typedef {import("../types.js").DataExport} DataExport
 * @typedef {import("../types.js").Task} Task
 * @typedef {import("../api.js").Api} Api
 * @typedef {import("../realtime/socket.js").RingbackSocket} RingbackSocket
 */
import { sentenceFor } from "../strings.js";
import { dataExports as say } from "../strings/exports.js";
import { failureSentence, STATE } from "../strings/tasks.js";
import { isOver } from "../tasks/story.js";
import { confirm } from "../ui/confirm.js";
import { copyOf, need, setText } from "../ui/dom.js";
import { dayName, fileSize, moment } from "../ui/format.js";
import { toast } from "../ui/toasts.js";

const KIND = "history_export";

/** @param {{api: Api, link: RingbackSocket}} client */
export function exportSettings({ api, link }) {
  const list = need("#export-list");
  const start = need("#export-start");
  /** @type {HTMLAnchorElement} */
  const progress = need("#export-task");
  /** The newest task that makes one, as far as is known. @type {Task | null} */
  let task = null;
  let looks = 0;

  /** @param {DataExport} item */
  function drawn({ export_id, size_bytes, created_at, expires_at }) {
    const row = copyOf("export-template");
    const locale = document.documentElement.lang;
    const now = new Date();
    for (const name of ["[data-link]", "[data-fetch]"]) {
      /** @type {HTMLAnchorElement} */ (need(name, row)).href = api.exportUrl(export_id);
    }
    const until = dayName(new Date(expires_at), now, locale);
    setText(need("[data-note]", row), say.note(fileSize(size_bytes, locale), moment(new Date(created_at), now, locale), until));
    need("[data-delete]", row).addEventListener("click", async () => {
      if (!(await confirm({ title: say.deleteTitle, text: say.deleteText, action: say.deleteAction }))) return;
      try {
        await api.deleteExport(export_id);
        row.remove();
        start.focus();
      } catch (error) {
        toast(sentenceFor(error), "error");
      }
    });
    return row;
  }

  async function load() {
    const look = ++looks;
    const { items } = await api.exports();
    if (look === looks) list.replaceChildren(...items.map(drawn));
  }

  /** How the task stands first: whatever it has made by then is in the list. */
  async function refresh() {
    const { items } = await api.tasks();
    const newest = items.find(({ kind }) => kind === KIND);
    // One that was over before this page came to know of it is no news.
    if (newest && (task || !isOver(newest))) hear(newest);
    await load();
  }

  /** @param {Task} newer */
  function hear(newer) {
    const isOlder = task && (newer.task_id === task.task_id ? newer.number < task.number : newer.created_at < task.created_at);
    if (isOlder) return;
    const ends = isOver(newer) && !(task?.task_id === newer.task_id && isOver(task));
    task = newer;
    setText(need("#export-status"), standing(newer));
    progress.href = `/tasks/${newer.task_id}`;
    progress.hidden = isOver(newer);
    if (ends) load().catch((error) => toast(sentenceFor(error), "error"));
  }

  start.addEventListener("click", async () => {
    start.setAttribute("aria-busy", "true");
    try {
      hear(await api.startExport());
    } catch (error) {
      if (/** @type {{code?: string}} */ (error).code !== "bad_state") return toast(sentenceFor(error), "error");
      await refresh().catch(() => {}); // one is under way, by another device perhaps; the line tells of it, too
    } finally {
      start.removeAttribute("aria-busy");
    }
  });

  link.on("frame", (frame) => frame.type === "task" && frame.task.kind === KIND && hear(frame.task));
  link.on("snapshot", () => refresh().catch(() => {})); // what is told from now on is heard
  load().catch((error) => toast(sentenceFor(error), "error"));
}

/**
 * @param {Task} task
 * @returns {string} empty when the file is there to be fetched
 */
function standing({ state, error }) {
  if (state === "completed") return "";
  if (state === "cancelled") return STATE.cancelled;
  return state === "failed" ? failureSentence(error ?? { code: "", message: "" }) : say.started;
}
