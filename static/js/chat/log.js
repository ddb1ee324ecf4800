/**
 * What was written in a call, in its order. Messages come in more than once and not in order: their ids say both. Pure.
 *
 * @typedef {import("../types.js").User} User
 * @typedef {{message_id: string, user: User, text: string, sent_at: string, client_id: string | null}} ChatMessage
 */

export class ChatLog {
  /** @type {ChatMessage[]} */
  #messages = [];

  /** @returns {readonly ChatMessage[]} the oldest first */
  get messages() {
    return this.#messages;
  }

  /** @returns {string | undefined} where older ones begin */
  get oldest() {
    return this.#messages[0]?.message_id;
  }

  /**
   * @param {ChatMessage[]} messages
   * @returns {ChatMessage[]} those that were not known
   */
  add(messages) {
    const known = new Set(this.#messages.map(({ message_id }) => message_id));
    const fresh = messages.filter(({ message_id }) => !known.has(message_id));
    if (fresh.length > 0) this.#messages = [...this.#messages, ...fresh].sort(byId);
    return fresh;
  }
}

/** Ids grow with time. @param {ChatMessage} one @param {ChatMessage} other */
function byId(one, other) {
  return one.message_id < other.message_id ? -1 : 1;
}
