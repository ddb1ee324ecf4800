/**
 * What happened to a task, newest first and by day. It only ever grows: what stands there stays where it is.
 *
 * @typedef {import("../types.js").TaskEvent} TaskEvent
 */
import { eventSentence, stageName, tasks as strings } from "../strings/tasks.js";
import { copyOf, need, setText } from "../ui/dom.js";
import { clockTime, dayName } from "../ui/format.js";

/** So much of a long story is on show at first. */
const SHOWN = 20;

export class StoryView {
  #list = need("#story");
  #earlier = need("#earlier");
  #locale = document.documentElement.lang;
  #kind;
  /** @type {TaskEvent[]} */
  #events = [];
  /** The number of the newest event that is drawn, and of the oldest that is to be. */
  #newest = 0;
  #from = 0;

  /** @param {string} kind of the task */
  constructor(kind) {
    this.#kind = kind;
    this.#earlier.addEventListener("click", () => this.#showAll());
  }

  /** @param {TaskEvent[]} events all that are known, from the first to the last */
  draw(events) {
    const isFirst = this.#newest === 0;
    if (!isFirst && events.length === this.#events.length) return; // what stands there is not touched
    const grown = events.at(-1)?.number === this.#newest + 1 || isFirst;
    this.#events = events;
    if (isFirst) this.#from = events.at(-SHOWN)?.number ?? 0;
    if (isFirst || !grown || events.length < 2) this.#drawAll();
    else this.#add(/** @type {TaskEvent} */ (events.at(-1)), true);
    this.#newest = events.at(-1)?.number ?? 0;
    this.#tidy();
  }

  #drawAll() {
    this.#list.replaceChildren();
    for (const event of this.#events) {
      if (event.number >= this.#from) this.#add(event, false);
    }
  }

  /**
   * @param {TaskEvent} event newer than all that are drawn
   * @param {boolean} fresh
   */
  #add(event, fresh) {
    const day = dayName(new Date(event.timestamp), new Date(), this.#locale);
    const item = this.#itemOf(event);
    if (fresh) item.dataset.new = "yes";
    if (this.#list.firstElementChild?.textContent === day) {
      this.#list.firstElementChild.after(item);
      return;
    }
    const head = copyOf("event-day-template");
    setText(head, day);
    this.#list.prepend(head, item);
  }

  /** @param {TaskEvent} event */
  #itemOf(event) {
    const item = copyOf("event-template");
    const { number, type, timestamp, stage, data } = event;
    const isNewStage = stage && stage !== this.#events.find((other) => other.number === number - 1)?.stage;
    Object.assign(item.dataset, { number: String(number), type });
    /** @type {HTMLTimeElement} */
    const time = need("time", item);
    time.dateTime = timestamp;
    setText(time, clockTime(new Date(timestamp), this.#locale));
    setText(need("[data-sentence]", item), eventSentence(event));
    setText(need("[data-stage]", item), isNewStage ? stageName(this.#kind, stage) : "");
    const comment = type === "reviewed" ? String(data?.comment ?? "") : "";
    const quote = need("[data-comment]", item);
    quote.hidden = comment === "";
    setText(quote, comment);
    return item;
  }

  #showAll() {
    const { number } = this.#events.findLast((event) => event.number < this.#from) ?? { number: 0 };
    this.#from = 0;
    this.#drawAll();
    this.#tidy();
    const next = /** @type {HTMLElement} */ (this.#list.querySelector(`[data-number="${number}"]`));
    next.tabIndex = -1;
    next.focus();
  }

  #tidy() {
    const more = this.#events.filter(({ number }) => number < this.#from).length;
    this.#earlier.hidden = more === 0;
    setText(this.#earlier, strings.moreEvents(more));
  }
}
