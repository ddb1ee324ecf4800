/**
 * Everybody whom this person has to do with, and how: who is a contact, who has asked, who is a favourite or blocked, and
 * who is there now. Draws nothing.
 *
 * @typedef {import("../types.js").User} User
 * @typedef {import("../types.js").Presence} Presence
 * @typedef {import("../types.js").Relation} Relation
 * @typedef {import("../types.js").Found} Found
 * @typedef {import("../client.js").Client} Client
 *
 * @typedef {object} PeopleEvents
 * @property {null} change something about somebody has changed
 */
import { Emitter } from "../realtime/emitter.js";

/** Who can take a call now comes first. @type {Presence[]} */
const ORDER = ["online", "away", "in_call", "do_not_disturb", "offline"];

/** @extends {Emitter<PeopleEvents>} */
export class People extends Emitter {
  #api;
  #inbox;
  #ownId;
  /** @type {Map<string, Relation>} */
  #known = new Map();
  #changes = 0;
  /** Who has changed here, and as which of all changes. @type {Map<string, number>} */
  #changedAt = new Map();

  /**
   * @param {Client} client
   * @param {string} ownId
   * @param {Relation[]} known
   */
  constructor({ api, inbox, link }, ownId, known) {
    super();
    this.#api = api;
    this.#inbox = inbox;
    this.#ownId = ownId;
    for (const relation of known) this.#known.set(relation.user.id, relation);
    inbox.on("presence", ({ userId, state }) => this.#here(userId, state));
    link.on("frame", (frame) => {
      if (frame.type === "contact") this.#took(frame.contact);
    });
  }

  /** @returns {Relation[]} by presence, then by name */
  all() {
    return [...this.#known.values()].sort(byPresence);
  }

  /** @param {string} userId */
  get(userId) {
    return this.#known.get(userId);
  }

  /** @returns {number} how many relations have become others since this page is there */
  get changes() {
    return this.#changes;
  }

  /**
   * What the server says of everybody with whom there is something; of others it says nothing.
   *
   * @param {Relation[]} relations
   * @param {number} asOf `changes` when it was asked: whoever has become another since then stays so
   */
  learn(relations, asOf) {
    const isOld = (/** @type {string} */ id) => (this.#changedAt.get(id) ?? 0) > asOf;
    const named = new Set(relations.map(({ user }) => user.id));
    for (const [id, relation] of this.#known) {
      if (!named.has(id) && !isOld(id)) this.#known.set(id, { ...relation, state: "none", favourite: false, blocked: false });
    }
    const hasNew = relations.some(({ user }) => !this.#known.has(user.id));
    for (const relation of relations) {
      if (!isOld(relation.user.id)) this.#known.set(relation.user.id, relation);
    }
    if (hasNew) this.watch();
    this.emit("change", null);
  }

  /** From now on the presence of everybody here is told. */
  watch() {
    const ids = [...this.#known.keys()];
    if (ids.length > 0) this.#inbox.watch(ids).catch(() => {}); // the next snapshot tries again
  }

  /**
   * @param {string} query
   * @param {AbortSignal} signal
   * @returns {Promise<Relation[]>} whom the server finds, in its order; they are known from now on
   */
  async find(query, signal) {
    const { items } = await this.#api.users(query, signal);
    const found = items.filter(({ id }) => id !== this.#ownId).map(relationOf);
    for (const relation of found) this.#known.set(relation.user.id, relation);
    this.watch();
    return found;
  }

  /** @param {Relation} relation */
  async ask({ user }) {
    this.#took(await this.#api.addContact(user.username));
  }

  /** @param {Relation} relation */
  async accept({ user }) {
    this.#took(await this.#api.acceptContact(user.id));
  }

  /** @param {Relation} relation */
  async decline(relation) {
    await this.#api.declineContact(relation.user.id);
    this.#took({ ...relation, state: "none" });
  }

  /**
   * Withdraws a request, or ends that the two are contacts.
   *
   * @param {Relation} relation
   */
  async remove(relation) {
    await this.#api.removeContact(relation.user.id);
    this.#took({ ...relation, state: "none" });
  }

  /**
   * @param {Relation} relation
   * @param {boolean} wanted
   */
  async setFavourite({ user }, wanted) {
    this.#took(await this.#api.setFavourite(user.id, wanted));
  }

  /**
   * @param {Relation} relation
   * @param {boolean} wanted
   */
  async setBlocked({ user }, wanted) {
    this.#took(await this.#api.setBlocked(user.id, wanted));
  }

  /** @param {Relation} relation */
  #took(relation) {
    const isNew = !this.#known.has(relation.user.id);
    this.#known.set(relation.user.id, relation);
    this.#changes += 1;
    this.#changedAt.set(relation.user.id, this.#changes);
    if (isNew) this.watch();
    this.emit("change", null);
  }

  /**
   * @param {string} userId
   * @param {Presence} state
   */
  #here(userId, state) {
    const relation = this.#known.get(userId);
    if (!relation || relation.presence === state) return;
    this.#known.set(userId, { ...relation, presence: state });
    this.emit("change", null);
  }
}

/**
 * @param {Relation} one
 * @param {Relation} other
 */
function byPresence(one, other) {
  return (
    ORDER.indexOf(one.presence) - ORDER.indexOf(other.presence) ||
    one.user.display_name.localeCompare(other.user.display_name, document.documentElement.lang)
  );
}

/** @param {Found} found @returns {Relation} */
function relationOf({ id, username, display_name, presence, contact, favourite, blocked }) {
  return { user: { id, username, display_name }, presence, state: contact, favourite, blocked };
}
