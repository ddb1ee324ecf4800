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
import { OpenTasks } from "./known_open.js";
import { isOver } from "./story.js";

/** Several tasks may change at once; one look is enough for them. */
const PAUSE_MS = 250;
/** As many as the server gives at once, and more than anybody has waiting. */
const MOST = 100;
/** Of what has happened while the line was away, the newest is told. */
const MISSED_MOST = 10;
/** What has happened longer ago to a task of which this page has not heard is no news any more. */
const MISSED_AGO_MS = 600_000;

export class TaskNews {
  #api;
  #here;
  #open;
  #windows = new BroadcastChannel("ringback-task-notices");
  /** How each task stood when it was heard of last. @type {Map<string, Task>} */
  #heard = new Map();
  /** The notices that are on show, by task. @type {Map<string, {state: string, dismiss: () => void}>} */
  #shown = new Map();
  /** When the line was last known to tell everything; null before it does. Server time. @type {string | null} */
  #since = null;
  #count;

  /**
   * @param {object} options
   * @param {RingbackSocket} options.link the user's socket
   * @param {Api} options.api
   * @param {string} options.ownId
   * @param {string} [options.here] the task of this page: it shows there what becomes of it
   * @param {Task[]} [options.rendered] what this page came with
   */
  constructor({ link, api, ownId, here, rendered = [] }) {
    this.#api = api;
    this.#here = here;
    this.#open = new OpenTasks(ownId);
    this.#count = coalesced(async (overtaken) => {
      const { items } = await api.tasks({ state: "waiting_review", limit: MOST });
      if (!overtaken()) showUnread("tasks", items.length);
    }, PAUSE_MS);
    link.on("snapshot", ({ timestamp }) => this.#begin(timestamp));
    link.on("frame", (frame) => {
      if (frame.type === "task") this.#hear(frame.task);
    });
    onReturn(link, async () => this.#count());
    this.#windows.addEventListener("message", ({ data }) => this.#dismiss(data));
    document.addEventListener("visibilitychange", () => {
      for (const task of this.#heard.values()) this.#open.keep(task);
    });
    for (const task of rendered) if (!isOver(task)) this.#open.add(task);
  }

  /**
   * While a page gives way to the next, nobody listens: what has become of the tasks that were under way is asked for.
   *
   * @param {string} timestamp
   */
  #begin(timestamp) {
    const longAgo = new Date(Date.parse(timestamp) - MISSED_AGO_MS).toISOString();
    const since = this.#since === null ? timestamp : this.#since > longAgo ? this.#since : longAgo;
    const wasHere = this.#since !== null;
    this.#since = timestamp;
    if (wasHere || this.#open.some) this.#catchUp(since).catch(() => {}); // the next page tries again
  }

  /** @param {Task} task */
  #hear(task) {
    const before = this.#heard.get(task.task_id);
    if (before && before.number >= task.number) return;
    this.#heard.set(task.task_id, task);
    this.#open.keep(task);
    const [was, is] = [before?.state === "waiting_review", task.state === "waiting_review"];
    if (!before || was !== is) this.#count();
    if (this.#shown.has(task.task_id) && this.#shown.get(task.task_id)?.state !== task.state) this.#dismiss(task.task_id);
    const sameRound = before?.state === task.state && before.review?.round === task.review?.round;
    if (!sameRound) this.#tell(task);
  }

  /**
   * What has ended, or came to wait for the person, while nobody listened: of the tasks that were known not to be over,
   * and of those with which something has happened since.
   *
   * @param {string} since
   */
  async #catchUp(since) {
    const { items } = await this.#api.tasks({ limit: MISSED_MOST });
    for (const task of items.reverse()) {
      if (this.#open.isNews(task) ?? task.updated_at > since) this.#hear(task);
    }
    this.#open.keepOnly(items);
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
