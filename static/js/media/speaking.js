/**
 * Who speaks now, and whom to look at: from how loud each of the others is. Pure but for the reading of levels.
 *
 * @typedef {import("./peer.js").Peer} Peer
 */

/** About −34 dBov: a voice at a usual distance is louder, a quiet room is not. As in `RTCRtpContributingSource.audioLevel`. */
const LOUD = 0.02;
/** Between two words nobody has stopped speaking. */
const PAUSE_MS = 600;
/** A cough or a "yes" takes nobody's place. */
const SPEAKS_AFTER_MS = 800;

export class Speaking {
  /** When each was loud first, without a pause since, and last. @type {Map<string, {sinceMs: number, lastMs: number}>} */
  #loud = new Map();
  /** @type {string | null} */
  #active = null;

  /** @returns {string | null} the leg of whoever speaks, or spoke last */
  get active() {
    return this.#active;
  }

  /**
   * @param {Map<string, number>} levels from 0 to 1, of each of the others by leg
   * @param {number} nowMs
   * @returns {string[]} the legs of those who speak now
   */
  hear(levels, nowMs) {
    for (const [legId, level] of levels) this.#note(legId, level, nowMs);
    for (const [legId, { lastMs }] of this.#loud) {
      if (nowMs - lastMs > PAUSE_MS || !levels.has(legId)) this.#loud.delete(legId);
    }
    this.#choose(levels, nowMs);
    return [...this.#loud.keys()];
  }

  /** @param {string} legId @param {number} level @param {number} nowMs */
  #note(legId, level, nowMs) {
    if (level < LOUD) return;
    const before = this.#loud.get(legId);
    const goesOn = before && nowMs - before.lastMs <= PAUSE_MS;
    this.#loud.set(legId, { sinceMs: goesOn ? before.sinceMs : nowMs, lastMs: nowMs });
  }

  /**
   * Whoever is looked at stays so until they pause, and somebody else speaks.
   *
   * @param {Map<string, number>} levels
   * @param {number} nowMs
   */
  #choose(levels, nowMs) {
    if (this.#active !== null && !levels.has(this.#active)) this.#active = null;
    if (this.#active !== null && this.#loud.has(this.#active)) return;
    const speakers = [...this.#loud].filter(([, { sinceMs }]) => this.#active === null || nowMs - sinceMs >= SPEAKS_AFTER_MS);
    const [first] = speakers.sort(([, one], [, other]) => one.sinceMs - other.sinceMs);
    if (first) this.#active = first[0];
  }
}

/** Reads how loud each of the others is now. */
export class Levels {
  /** The newest packet that was heard of each: what has stopped coming is silence. @type {Map<string, number>} */
  #heard = new Map();

  /**
   * @param {ReadonlyMap<string, Peer>} peers by leg
   * @returns {Map<string, number>} from 0 to 1, by leg
   */
  read(peers) {
    return new Map([...peers].map(([legId, { connection }]) => [legId, this.#levelOf(legId, connection)]));
  }

  /**
   * @param {string} legId
   * @param {RTCPeerConnection} connection
   */
  #levelOf(legId, connection) {
    const receiver = connection.getReceivers().find(({ track }) => track.kind === "audio");
    const [source] = receiver?.getSynchronizationSources() ?? [];
    if (!source || this.#heard.get(legId) === source.rtpTimestamp) return 0;
    this.#heard.set(legId, source.rtpTimestamp);
    return source.audioLevel ?? 0;
  }
}
