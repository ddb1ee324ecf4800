/**
 * Tasks in what every page has around its matter: the number of those that wait for the person, and a notice when one
 * ends or wants a review, wherever the person is. A notice that was seen in one window goes in the others.
 *
 * @typedef {import("../types.js").Task} Task
 * @typedef {import("../api.js").Api} Api
 * @typedef {import("../realtime/socket.js").RingbackSocket} RingbackSocket
 */
import { NOTICE, tasks as strings } from "../strings/tasks.js";
import { coalesced } from "../ui/coalescing.js";
import { notice } from "../ui/toasts.js";
import { onReturn, showUnread } from "../ui/unread.js";
import { isOver } from "./story.js";

/** Several tasks may change at once; one look is enough for them. */
const PAUSE_MS = 250;
/** As many as the server gives at once, and more than anybody has waiting. */
const MOST = 100;
/** Of what has happened while the line was away, the newest is told. */
const MISSED_MOST = 10;
/** Kept in the browser from page to page: up to when is told, and whether there was a task that is not over. */
const TOLD_KEY = "ringback-tasks-told";
const OPEN_KEY = "ringback-tasks-open";

export class TaskNews {
  #api;
  #here;
  #windows = new BroadcastChannel("ringback-task-notices");
  /** How each task stood when it was heard of last. @type {Map<string, Task>} */
  #heard = new Map();
  /** The notices that are on show, by task. @type {Map<string, {state: string, dismiss: () => void}>} */
  #shown = new Map();
  /** What happens from here on is news. Server time. @type {string} */
  #since = localStorage.getItem(TOLD_KEY) ?? "";
  #count;

  /**
   * @param {object} options
   * @param {RingbackSocket} options.link the user's socket
   * @param {Api} options.api
   * @param {string} [options.here] the task of this page: it shows there what becomes of it
   * @param {Task[]} [options.rendered] what this page came with
   */
  constructor({ link, api, here, rendered = [] }) {
    this.#api = api;
    this.#here = here;
    this.#count = coalesced(async (overtaken) => {
      const { items } = await api.tasks({ state: "waiting_review", limit: MOST });
      if (!overtaken()) showUnread("tasks", items.length);
    }, PAUSE_MS);
    link.on("snapshot", ({ timestamp }) => this.#begin(timestamp));
    link.on("frame", (frame) => {
      if (frame.type === "task") this.#hear(frame.task);
    });
    onReturn(link, () => this.#catchUp());
    this.#windows.addEventListener("message", ({ data }) => this.#dismiss(data));
    if (!rendered.every(isOver)) localStorage.setItem(OPEN_KEY, "yes");
  }

  /**
   * While a page gives way to the next, nobody listens: if a task was under way, what has become of it is asked for.
   *
   * @param {string} timestamp
   */
  #begin(timestamp) {
    this.#since ||= timestamp;
    if (localStorage.getItem(OPEN_KEY)) this.#catchUp().catch(() => {}); // the next page tries again
  }

  /** @param {Task} task */
  #hear(task) {
    const before = this.#heard.get(task.task_id);
    if (before && before.number >= task.number) return;
    this.#heard.set(task.task_id, task);
    if (task.updated_at > this.#since) this.#since = task.updated_at;
    localStorage.setItem(TOLD_KEY, this.#since);
    if (!isOver(task)) localStorage.setItem(OPEN_KEY, "yes");
    const [was, is] = [before?.state === "waiting_review", task.state === "waiting_review"];
    if (!before || was !== is) this.#count();
    if (this.#shown.has(task.task_id) && this.#shown.get(task.task_id)?.state !== task.state) this.#dismiss(task.task_id);
    const sameRound = before?.state === task.state && before.review?.round === task.review?.round;
    if (!sameRound) this.#tell(task);
  }

  /** What has ended, or came to wait for the person, while the line was away. */
  async #catchUp() {
    const since = this.#since;
    this.#count();
    const { items } = await this.#api.tasks({ limit: MISSED_MOST });
    for (const task of items.reverse()) {
      if (task.updated_at > since) this.#hear(task);
    }
    if (items.every(isOver)) localStorage.removeItem(OPEN_KEY);
  }

  /** @param {Task} task */
  #tell(task) {
    const sentence = NOTICE[task.state]?.(task.title);
    if (!sentence || task.task_id === this.#here) return;
    const waits = task.state === "waiting_review";
    const run = () => location.assign(`/tasks/${task.task_id}${waits ? "#review" : ""}`);
    const dismiss = notice(sentence, task.state === "failed" ? "error" : "info", {
      label: waits ? strings.review : strings.show,
      run,
      stays: !isOver(task),
      onDismiss: () => this.#windows.postMessage(task.task_id),
    });
    this.#shown.set(task.task_id, { state: task.state, dismiss });
  }

  /** @param {string} taskId */
  #dismiss(taskId) {
    this.#shown.get(taskId)?.dismiss();
    this.#shown.delete(taskId);
  }
}
