/**
 * A roadmap whose boxes are ticked: one after the other, each on what the server has by then. What somebody else has
 * changed meanwhile is in the way only if it is that very line. No DOM.
 *
 * @typedef {import("../types.js").Roadmap} Roadmap
 * @typedef {Pick<import("../api.js").Api, "roadmap" | "editRoadmap">} Api
 */
import { besideBox, withBox } from "./boxes.js";

/** The step that was to be ticked is another one now, or there no more. */
export class StepChanged extends Error {
  name = "StepChanged";
}

export class Ticks {
  #api;
  /** @type {Promise<unknown>} */
  #turn = Promise.resolve();
  /** What the server has not answered yet, in order. @type {Set<{line: number, ticked: boolean, beside: string | null}>} */
  #waiting = new Set();
  /** As the server has it, as far as is known here. @type {Roadmap} */
  roadmap;

  /**
   * @param {Api} api
   * @param {Roadmap} roadmap
   */
  constructor(api, roadmap) {
    this.#api = api;
    this.roadmap = roadmap;
  }

  /** @returns {string} the document with all that was ticked here */
  get shown() {
    return [...this.#waiting].reduce((text, tick) => ticked(text, tick) ?? text, this.roadmap.document);
  }

  /** @returns {Promise<unknown>} when nothing waits for the server any more */
  get settled() {
    return this.#turn;
  }

  /**
   * @param {number} line of the document that is shown
   * @param {boolean} isTicked
   * @returns {Promise<void>} when it is stored. It rejects with `StepChanged`, or as the server refuses it; `roadmap` is
   *   then as new as could be had.
   */
  tick(line, isTicked) {
    const tick = { line, ticked: isTicked, beside: besideBox(this.shown, line) };
    this.#waiting.add(tick);
    const done = this.#turn.then(() => this.#store(tick)).finally(() => this.#waiting.delete(tick));
    this.#turn = done.catch(() => {});
    return done;
  }

  /** @param {{line: number, ticked: boolean, beside: string | null}} tick */
  async #store(tick) {
    try {
      await this.#send(tick);
    } catch (error) {
      if (/** @type {{code?: string}} */ (error).code !== "conflict") throw error;
      this.roadmap = await this.#api.roadmap(this.roadmap.roadmap_id);
      await this.#send(tick);
    }
  }

  /** @param {{line: number, ticked: boolean, beside: string | null}} tick */
  async #send(tick) {
    const { roadmap_id, document, rev } = this.roadmap;
    const text = ticked(document, tick);
    if (text === null) throw new StepChanged();
    this.roadmap = await this.#api.editRoadmap(roadmap_id, text, rev);
  }
}

/**
 * @param {string} text
 * @param {{line: number, ticked: boolean, beside: string | null}} tick
 * @returns {string | null} null where that step does not stand in its line
 */
function ticked(text, { line, ticked, beside }) {
  return beside !== null && besideBox(text, line) === beside ? withBox(text, line, ticked) : null;
}
