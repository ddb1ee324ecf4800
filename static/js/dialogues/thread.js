/**
 * What was written in a dialogue, in its order. Messages come more than once: in a snapshot, in a page of older ones, as
 * they change; the pieces of a reply come in their order or not at all. Pure.
 *
 * @typedef {import("../types.js").DialogueMessage} DialogueMessage
 */

/** What comes before it is over; everything else is its end. @type {Record<string, number>} */
const ORDER = { waiting: 0, streaming: 1 };
const OVER = 2;

/** @param {DialogueMessage} message @returns {boolean} whether a reply is on its way, or waits for its turn */
export function isOpen({ state }) {
  return state in ORDER;
}

export class Thread {
  /** @type {Map<string, DialogueMessage>} */
  #known = new Map();
  /** @type {DialogueMessage[] | null} */
  #sorted = null;

  /** @returns {readonly DialogueMessage[]} the oldest first */
  get messages() {
    this.#sorted ??= [...this.#known.values()].sort((one, other) => one.number - other.number);
    return this.#sorted;
  }

  /** @returns {DialogueMessage | null} the reply that is being written now, or the one whose turn it is next */
  get open() {
    const open = this.messages.filter(isOpen);
    return open.find(({ state }) => state === "streaming") ?? open[0] ?? null;
  }

  /** @param {string} messageId @returns {DialogueMessage | undefined} */
  get(messageId) {
    return this.#known.get(messageId);
  }

  /**
   * @param {DialogueMessage[]} messages as somebody told them
   * @returns {DialogueMessage[]} those of which something is new
   */
  take(messages) {
    const fresh = messages.filter((message) => !isStale(message, this.#known.get(message.message_id)));
    for (const message of fresh) this.#put(message);
    return fresh;
  }

  /**
   * The next piece of a reply.
   *
   * @param {{message_id: string, part: number, text: string}} piece
   * @returns {"taken" | "known" | "gap"} `gap`: something before it is missing
   */
  grow({ message_id: id, part, text }) {
    const reply = this.#known.get(id);
    if (!reply) return "gap";
    if (!isOpen(reply) || part <= reply.parts) return "known";
    if (part > reply.parts + 1) return "gap";
    this.#put({ ...reply, state: "streaming", text: reply.text + text, parts: part });
    return "taken";
  }

  /** @param {DialogueMessage} message */
  #put(message) {
    this.#known.set(message.message_id, message);
    this.#sorted = null;
  }
}

/**
 * A page that was asked for before a reply went on must not take back what has come since.
 *
 * @param {DialogueMessage} message
 * @param {DialogueMessage | undefined} known
 */
function isStale(message, known) {
  if (!known) return false;
  const [age, knownAge] = [message, known].map(({ state }) => ORDER[state] ?? OVER);
  if (age !== knownAge) return age < knownAge;
  return message.parts <= known.parts;
}
