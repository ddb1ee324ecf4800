/**
 * The captions that are to be seen now: of each speaker the newest, until some time after it was said. Pure.
 *
 * @typedef {{leg_id: string, segment: string, text: string, final: boolean}} CaptionFrame
 * @typedef {CaptionFrame & {untilMs: number}} Shown
 */

/** As long as it takes to read a long one after it was said. */
const STAYS_MS = 6_000;
/** A speaker who is lost in the middle of a word finishes nothing. */
const UNFINISHED_MS = 15_000;
/** More cover the call. */
const MAX_SHOWN = 3;

export class CaptionBoard {
  /** By leg, in the order in which they began to speak. @type {Map<string, Shown>} */
  #shown = new Map();

  /**
   * @param {CaptionFrame} frame
   * @param {number} nowMs
   */
  add({ leg_id, segment, text, final }, nowMs) {
    const before = this.#shown.get(leg_id);
    // What is late of an older segment takes back nothing of the one that is being said.
    if (text === "" && before?.segment !== segment) return;
    if (before?.segment !== segment) this.#shown.delete(leg_id);
    if (text === "") this.#shown.delete(leg_id);
    else this.#shown.set(leg_id, { leg_id, segment, text, final, untilMs: nowMs + (final ? STAYS_MS : UNFINISHED_MS) });
  }

  /**
   * @param {number} nowMs
   * @returns {Shown[]} the newest last
   */
  shown(nowMs) {
    for (const [legId, { untilMs }] of this.#shown) if (untilMs <= nowMs) this.#shown.delete(legId);
    return [...this.#shown.values()].slice(-MAX_SHOWN);
  }
}
