/**
 * Which tasks of a person were not over when this browser heard of them last, and how they stood: kept from page to page,
 * so that the next page tells what has become of them meanwhile, once. Only what a page has shown counts as told: in a
 * window behind another nobody sees a notice.
 *
 * @typedef {import("../types.js").Task} Task
 */
import { isOver } from "./story.js";

export class OpenTasks {
  #key;

  /** @param {string} ownId whose tasks: the next person in this browser has others */
  constructor(ownId) {
    this.#key = `ringback-tasks-open:${ownId}`;
  }

  /** @returns {boolean} whether there are any */
  get some() {
    return localStorage.getItem(this.#key) !== null;
  }

  /** @param {Task} task that is not over, and may have been known before */
  add(task) {
    const known = this.#read();
    known[task.task_id] ??= standing(task);
    this.#write(known);
  }

  /** @param {Task} task as the person is told of it now, if they see this page */
  keep(task) {
    if (document.visibilityState !== "visible") return;
    const known = this.#read();
    if (isOver(task)) delete known[task.task_id];
    else known[task.task_id] = standing(task);
    this.#write(known);
  }

  /**
   * @param {Task} task
   * @returns {boolean | undefined} whether it has come to stand otherwise; undefined if it is not among these
   */
  isNews(task) {
    const before = this.#read()[task.task_id];
    return before === undefined ? undefined : before !== standing(task);
  }

  /** @param {Task[]} tasks whatever is not among them was too long ago */
  keepOnly(tasks) {
    const ids = new Set(tasks.map(({ task_id }) => task_id));
    this.#write(Object.fromEntries(Object.entries(this.#read()).filter(([taskId]) => ids.has(taskId))));
  }

  /** @returns {Record<string, string>} */
  #read() {
    return JSON.parse(localStorage.getItem(this.#key) ?? "{}");
  }

  /** @param {Record<string, string>} known */
  #write(known) {
    if (Object.keys(known).length > 0) localStorage.setItem(this.#key, JSON.stringify(known));
    else localStorage.removeItem(this.#key);
  }
}

/** @param {Task} task */
function standing({ state, review }) {
  return `${state} ${review?.round ?? ""}`;
}
