/**
 * All that is held about the person, as a file: asked for here, made by a task, and fetched here while it is kept.
 *
 * @typedef {import("../types.js").DataExport} DataExport
 */
import { sentenceFor } from "../strings.js";
import { dataExports as say } from "../strings/exports.js";
import { copyOf, need, setText } from "../ui/dom.js";
import { dayName, fileSize, moment } from "../ui/format.js";
import { toast } from "../ui/toasts.js";

/** @param {import("../api.js").Api} api */
export function exportSettings(api) {
  const list = need("#export-list");
  const start = need("#export-start");
  /** @type {HTMLAnchorElement} */
  const task = need("#export-task");

  /** @param {DataExport} item */
  function drawn({ export_id, size_bytes, created_at, expires_at }) {
    const row = copyOf("export-template");
    const locale = document.documentElement.lang;
    const now = new Date();
    for (const name of ["[data-link]", "[data-fetch]"]) {
      /** @type {HTMLAnchorElement} */ (need(name, row)).href = api.exportUrl(export_id);
    }
    setText(need("[data-link]", row), say.file(created_at.slice(0, 10)));
    const until = dayName(new Date(expires_at), now, locale);
    setText(need("[data-note]", row), say.note(fileSize(size_bytes, locale), moment(new Date(created_at), now, locale), until));
    need("[data-delete]", row).addEventListener("click", async () => {
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
    const { items } = await api.exports();
    list.replaceChildren(...items.map(drawn));
  }

  start.addEventListener("click", async () => {
    start.setAttribute("aria-busy", "true");
    try {
      const { task_id } = await api.startExport();
      setText(need("#export-status"), say.started);
      task.href = `/tasks/${task_id}`;
      task.hidden = false;
    } catch (error) {
      if (/** @type {{code?: string}} */ (error).code !== "bad_state") return toast(sentenceFor(error), "error");
      setText(need("#export-status"), say.started); // by an earlier click, on another device perhaps
      task.href = "/tasks";
      task.hidden = false;
    } finally {
      start.removeAttribute("aria-busy");
    }
  });

  load().catch((error) => toast(sentenceFor(error), "error"));
}
