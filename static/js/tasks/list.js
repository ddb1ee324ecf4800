/**
 * Tasks in groups: those that wait for the person, those that go on, those that are over; each in its place by what was
 * heard of it last. A list need not have all of the groups.
 *
 * @typedef {import("../types.js").Task} Task
 */
import { STATE, taskSentence, tasks as strings } from "../strings/tasks.js";
import { copyOf, need, setText } from "../ui/dom.js";
import { moment } from "../ui/format.js";
import { lead, resultLink } from "./result.js";
import { isOver } from "./story.js";

/** @typedef {"waiting" | "open" | "over"} Group */

export class TaskList {
  #root;
  #locale = document.documentElement.lang;
  /** @type {Map<string, {task: Task, row: HTMLElement}>} */
  #known = new Map();

  /** @param {HTMLElement} root with an element `data-group` for each group that is shown here */
  constructor(root) {
    this.#root = root;
  }

  get size() {
    return this.#known.size;
  }

  /** @param {string} taskId @returns {Task | undefined} as it was heard of last */
  get(taskId) {
    return this.#known.get(taskId)?.task;
  }

  /** @param {Task} task ignored if something newer of it was shown */
  show(task) {
    const known = this.#known.get(task.task_id);
    if (known && known.task.number > task.number) return;
    const row = known?.row ?? copyOf("task-template");
    const moves = !known || groupOf(known.task) !== groupOf(task);
    this.#known.set(task.task_id, { task, row });
    this.#fill(row, task);
    if (moves) this.#place(row, task);
  }

  /** @param {string} taskId of a row that gets the focus */
  focus(taskId) {
    need("[data-link]", this.#known.get(taskId)?.row).focus();
  }

  /**
   * @param {HTMLElement} row
   * @param {Task} task
   */
  #fill(row, task) {
    const { task_id, kind, state, stalled, title, progress } = task;
    need(".task-icon", row).dataset.kind = kind;
    Object.assign(row.dataset, { taskId: task_id, state, stalled: stalled ? "yes" : "no" });
    /** @type {HTMLAnchorElement} */ (need("[data-link]", row)).href = `/tasks/${task_id}`;
    setText(need("[data-title]", row), title);
    setText(need("[data-sentence]", row), taskSentence(task));
    /** @type {HTMLProgressElement} */ (need("[data-bar]", row)).value = progress;
    setText(need("[data-state-words]", row), state === "running" ? percent(progress, this.#locale) : STATE[state]);
    this.#fillTime(need("[data-when]", row), task);
    fillWay(need("[data-go]", row), row, task);
  }

  /**
   * @param {HTMLTimeElement} element
   * @param {Task} task
   */
  #fillTime(element, { created_at, ended_at }) {
    element.dateTime = ended_at ?? created_at;
    setText(element, moment(new Date(element.dateTime), new Date(), this.#locale));
  }

  /**
   * @param {HTMLElement} row
   * @param {Task} task
   */
  #place(row, task) {
    const focused = /** @type {HTMLElement | null} */ (row.contains(document.activeElement) ? document.activeElement : null);
    const rows = this.#root.querySelector(`[data-group="${groupOf(task)}"] .task-rows`);
    if (!rows) {
      row.remove();
      this.#known.delete(task.task_id);
      return this.#tidy();
    }
    const after = [...rows.children].find((other) => other !== row && this.#orderOf(other) < orderOf(task));
    rows.insertBefore(row, after ?? null);
    focused?.focus();
    this.#tidy();
  }

  /** @param {Element} row */
  #orderOf(row) {
    const task = this.get(/** @type {HTMLElement} */ (row).dataset.taskId ?? "");
    return task ? orderOf(task) : "";
  }

  #tidy() {
    for (const group of /** @type {NodeListOf<HTMLElement>} */ (this.#root.querySelectorAll("[data-group]"))) {
      group.hidden = need(".task-rows", group).childElementCount === 0;
    }
  }
}

/** @param {Task} task @returns {Group} */
function groupOf(task) {
  if (task.state === "waiting_review") return "waiting";
  return isOver(task) ? "over" : "open";
}

/** @param {Task} task @returns {string} the larger, the further up: what has ended or begun last */
function orderOf({ ended_at, created_at }) {
  return ended_at ?? created_at;
}

/**
 * @param {number} part from 0 to 1
 * @param {string} locale
 */
export function percent(part, locale) {
  return new Intl.NumberFormat(locale, { style: "percent" }).format(Math.floor(part * 100) / 100);
}

/**
 * The button of a row: to the review, or to what came of it.
 *
 * @param {HTMLAnchorElement} anchor
 * @param {HTMLElement} row
 * @param {Task} task
 */
function fillWay(anchor, row, task) {
  const link = resultLink(task);
  const waits = task.state === "waiting_review";
  row.dataset.go = waits || link ? "yes" : "no";
  if (link) lead(anchor, link);
  else if (waits) anchor.href = `/tasks/${task.task_id}#review`;
  const words = waits ? strings.review : (link?.label ?? "");
  setText(anchor, words);
  if (words) anchor.setAttribute("aria-label", strings.of(words, task.title));
  else anchor.removeAttribute("aria-label");
}
