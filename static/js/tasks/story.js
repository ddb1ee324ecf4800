/**
 * One task as its socket tells it: how it stands, and each of its events once, however often and in whatever order they
 * come. It knows neither sockets nor the DOM.
 *
 * @typedef {import("../types.js").Task} Task
 * @typedef {import("../types.js").TaskEvent} TaskEvent
 *
 * @typedef {object} StoryEvents
 * @property {{fresh: TaskEvent[]}} change how it stands has changed, or its story has grown by `fresh`
 */
import { Emitter } from "../realtime/emitter.js";

const FINAL = new Set(["completed", "failed", "cancelled"]);

/** @param {Pick<Task, "state">} task */
export function isOver({ state }) {
  return FINAL.has(state);
}

/** @extends {Emitter<StoryEvents>} */
export class TaskStory extends Emitter {
  #task;
  /** @type {Map<number, TaskEvent>} */
  #events = new Map();

  /**
   * @param {Task} task
   * @param {TaskEvent[]} [events]
   */
  constructor(task, events = []) {
    super();
    this.#task = task;
    this.#keep(events);
  }

  get task() {
    return this.#task;
  }

  /** @returns {TaskEvent[]} from the first to the last that is known */
  get events() {
    return [...this.#events.values()].sort((one, other) => one.number - other.number);
  }

  /** @returns {boolean} whether every event up to the newest is known */
  get whole() {
    return this.#events.size === this.#task.number;
  }

  /**
   * The task as it stands somewhere: older than what is known here it says nothing.
   *
   * @param {Task} task
   * @param {TaskEvent[]} [events]
   */
  hear(task, events = []) {
    const fresh = this.#keep(events);
    const newer = task.number >= this.#task.number;
    if (newer) this.#task = this.#filled(task);
    if (newer || fresh.length > 0) this.emit("change", { fresh });
  }

  /**
   * An event by itself. How the task stands then follows from it, but for what only the task has: `stages`, say.
   *
   * @param {TaskEvent} event
   */
  take(event) {
    const fresh = this.#keep([event]);
    if (fresh.length === 0) return;
    this.#task = event.number > this.#task.number ? after(this.#task, event) : this.#filled(this.#task);
    this.emit("change", { fresh });
  }

  /**
   * Notices tell a task in brief: what they leave out is known from before, or stands in its events.
   *
   * @param {Task} task
   * @returns {Task}
   */
  #filled(task) {
    const { review, result } = task;
    const known = this.#task.review?.round === review?.round ? this.#task.review : null;
    const asked = this.events.findLast(({ type, data }) => type === "review_requested" && data?.round === review?.round);
    const done = this.events.findLast(({ type }) => type === "completed");
    return {
      ...task,
      review: review && { ...known, ...asked?.data, ...review },
      result: result && { ...this.#task.result, ...done?.data, ...result },
    };
  }

  /**
   * @param {TaskEvent[]} events
   * @returns {TaskEvent[]} those that were not known
   */
  #keep(events) {
    const fresh = events.filter(({ number }) => !this.#events.has(number));
    for (const event of fresh) this.#events.set(event.number, event);
    return fresh;
  }
}

/**
 * @param {Task} task
 * @param {TaskEvent} event the next of it
 * @returns {Task} as the server makes it of the same event
 */
function after(task, { number, type, timestamp, state, progress, stage, message, code, values, data }) {
  return {
    ...task,
    ...{ number, state, progress, stage, message, code, values, updated_at: timestamp },
    stalled: type === "stalled" || (task.stalled && type === "cancel_requested"),
    started_at: task.started_at ?? (state === "running" ? timestamp : null),
    ended_at: FINAL.has(state) ? timestamp : null,
    cancel_requested: type === "cancel_requested" || task.cancel_requested,
    review: type === "review_requested" ? /** @type {any} */ (data) : state === "waiting_review" ? task.review : null,
    result: type === "completed" ? data : task.result,
    error: type === "failed" ? { code: code ?? "failed", message: message ?? "" } : task.error,
  };
}
