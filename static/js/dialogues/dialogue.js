/**
 * One dialogue: its line to the server, what was written, what waits to be sent, and the reply that is being written.
 * Nothing here touches the DOM.
 *
 * @typedef {import("../types.js").Dialogue} DialogueShown
 * @typedef {import("../types.js").DialogueMessage} DialogueMessage
 * @typedef {import("../realtime/socket.js").RingbackSocket} RingbackSocket
 * @typedef {import("../realtime/socket.js").LinkState} LinkState
 *
 * @typedef {{clientId: string, text: string, failed: string | null, messageId: string | null}} Waiting what the server
 *   has not told as its own yet; `failed`: a code, or null
 *
 * @typedef {object} DialogueEvents
 * @property {{fresh: DialogueMessage[], first: boolean}} change something looks different; `first`: all of it is new here
 * @property {{reply: DialogueMessage}} ended a reply has come to its end while one was here
 * @property {{state: LinkState}} link
 * @property {{name: string}} closed for good
 */
import { Emitter } from "../realtime/emitter.js";
import { isOpen, Thread } from "./thread.js";

/** Nobody has refused it: it goes out again by itself when the line is back. */
const OWED = new Set(["timeout", "closed"]);

/** @extends {Emitter<DialogueEvents>} */
export class Dialogue extends Emitter {
  #socket;
  #load;
  #unsent;
  #thread = new Thread();
  /** @type {Waiting[]} */
  #waiting = [];
  /** @type {DialogueShown | null} */
  #shown = null;
  #drawn = false;
  /** Where still older ones begin; null: there are none. @type {string | null} */
  #before = null;
  /** @type {Promise<void> | null} */
  #mending = null;

  /**
   * @param {object} parts
   * @param {Pick<RingbackSocket, "on" | "start" | "stop" | "request" | "state">} parts.socket
   * @param {(before: string | null) => Promise<{messages: DialogueMessage[], next: string | null}>} parts.load pages of
   *   HTTP, the newest first
   * @param {import("./unsent.js").Keeping} parts.unsent where that waits which the server does not have
   */
  constructor({ socket, load, unsent }) {
    super();
    this.#socket = socket;
    this.#load = load;
    this.#unsent = unsent;
    this.#waiting = unsent.read().map((one) => ({ ...one, failed: "closed", messageId: null }));
    socket.on("snapshot", ({ snapshot }) => this.#begin(snapshot));
    socket.on("resumed", () => this.#deliverOwed());
    socket.on("frame", (frame) => this.#hear(frame));
    socket.on("state", ({ state }) => this.emit("link", { state }));
    socket.on("closed", ({ name }) => this.emit("closed", { name }));
  }

  get messages() {
    return this.#thread.messages;
  }

  get waiting() {
    return this.#waiting;
  }

  /** @returns {DialogueShown | null} null before the first snapshot */
  get shown() {
    return this.#shown;
  }

  /** @returns {DialogueMessage | null} the reply that is being written now */
  get reply() {
    return this.#thread.open;
  }

  get hasOlder() {
    return this.#before !== null;
  }

  get linkState() {
    return this.#socket.state;
  }

  start() {
    this.#socket.start();
  }

  stop() {
    this.#socket.stop();
  }

  /** @param {string} text */
  async write(text) {
    const one = { clientId: crypto.randomUUID(), text, failed: null, messageId: null };
    this.#wait([...this.#waiting, one]);
    await this.deliver(one);
  }

  /** @param {Waiting} one sent again, it is the same message */
  async deliver(one) {
    one.failed = null;
    this.#changed();
    try {
      const ack = await this.#socket.request("message", { text: one.text, client_id: one.clientId });
      one.messageId = ack.message_id;
      this.#settle();
    } catch (error) {
      one.failed = /** @type {{code?: string}} */ (error).code ?? "error";
    }
    this.#changed();
  }

  /** @param {Waiting} one that is not to be sent any more */
  discard(one) {
    this.#wait(this.#waiting.filter((each) => each !== one));
    this.#changed();
  }

  /** @param {string} messageId of a reply that is not wanted any more @returns {Promise<unknown>} */
  cancel(messageId) {
    return this.#socket.request("cancel", { message_id: messageId });
  }

  /** @param {string} messageId of a reply @returns {Promise<unknown>} */
  askAgain(messageId) {
    return this.#socket.request("ask_again", { message_id: messageId });
  }

  async loadOlder() {
    const page = await this.#load(this.#before);
    this.#before = page.next;
    this.#take(page.messages);
  }

  /** @param {{dialogue: DialogueShown, messages: DialogueMessage[]}} snapshot */
  #begin({ dialogue, messages }) {
    this.#shown = dialogue;
    const first = !this.#drawn;
    this.#drawn = true;
    const [oldest] = messages;
    const newest = this.messages.at(-1);
    // More came meanwhile than a snapshot holds: what is between is loaded like what is older.
    const gap = !first && oldest && newest && oldest.number > newest.number + 1;
    if (oldest && (first || gap)) this.#before = oldest.number > 1 ? String(oldest.number) : null;
    if (gap) this.#thread = new Thread();
    this.#deliverOwed();
    this.#take(messages, first);
  }

  /** @param {import("../types.js").Frame} frame */
  #hear(frame) {
    switch (frame.type) {
      case "message":
        return this.#take([frame.message]);
      case "reply_delta": {
        const outcome = this.#thread.grow(/** @type {any} */ (frame));
        const grown = this.#thread.get(frame.message_id);
        if (outcome === "gap") this.#mend();
        else if (outcome === "taken" && grown) this.#changed([grown]);
        return;
      }
      case "reply":
      case "reply_failed": {
        const known = this.#thread.get(frame.message.message_id);
        this.#take([frame.message]);
        if (!known || isOpen(known)) this.emit("ended", { reply: frame.message });
      }
    }
  }

  /**
   * @param {DialogueMessage[]} messages
   * @param {boolean} [first]
   */
  #take(messages, first = false) {
    const newest = this.messages.at(-1)?.number ?? 0;
    const known = new Set(this.messages.map(({ message_id }) => message_id));
    const fresh = this.#thread.take(messages);
    const mine = fresh.filter(({ role, message_id }) => role === "person" && !known.has(message_id));
    // Ours comes back as the server's own, perhaps before it has said that it took it.
    for (const { message_id: id, text, number } of first ? [] : mine) {
      // What is older than all that was here says the same by chance.
      const may = (/** @type {Waiting} */ one) => number > newest && one.text === text;
      const at = this.#waiting.findIndex((one) => (one.messageId ? one.messageId === id : may(one)));
      if (at >= 0) this.#wait(this.#waiting.toSpliced(at, 1));
    }
    if (fresh.length > 0 || first) this.#changed(fresh, first);
  }

  /** Takes away what waits no more. */
  #settle() {
    this.#wait(this.#waiting.filter(({ messageId }) => !messageId || !this.#thread.get(messageId)));
  }

  /** @param {Waiting[]} waiting */
  #wait(waiting) {
    this.#waiting = waiting;
    this.#unsent.write(waiting.filter(({ messageId }) => !messageId).map(({ clientId, text }) => ({ clientId, text })));
  }

  /** What had no answer is sent again: if it came through, it is the same message. */
  #deliverOwed() {
    for (const one of this.#waiting) if (one.failed && OWED.has(one.failed)) this.deliver(one);
  }

  /** Something is missing: what is stored is whole. */
  #mend() {
    this.#mending ??= this.#load(null)
      .then(({ messages }) => this.#take(messages))
      .catch(() => {}) // the next piece notices again, and so does the whole reply
      .finally(() => {
        this.#mending = null;
      });
  }

  /**
   * @param {DialogueMessage[]} [fresh]
   * @param {boolean} [first]
   */
  #changed(fresh = [], first = false) {
    this.emit("change", { fresh, first });
  }
}
