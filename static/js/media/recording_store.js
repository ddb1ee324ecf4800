/**
 * Recordings in this browser's own storage (IndexedDB), piece by piece: there they outlive a page that is loaded anew,
 * and take no memory.
 *
 * @typedef {object} StoredRecording
 * @property {string} recordingId
 * @property {string} callId
 * @property {string} userId whose it is: several people may use one browser
 * @property {string} type "video/webm"
 * @property {number} startedAtMs
 * @property {number} durationMs
 * @property {number} sizeBytes
 * @property {number} pieces how many there are
 */

const NAME = "ringback-recordings";
const VERSION = 1;
/** What nobody came back for is removed then. */
const KEEP_MS = 7 * 86_400_000;

export class RecordingStore {
  #database;

  /** @param {IDBDatabase} database */
  constructor(database) {
    this.#database = database;
  }

  /** @returns {Promise<RecordingStore>} rejects where a browser stores nothing */
  static async open() {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      const recordings = request.result.createObjectStore("recordings", { keyPath: "recordingId" });
      recordings.createIndex("callId", "callId");
      request.result.createObjectStore("pieces");
    };
    const store = new RecordingStore(await done(request));
    await store.#removeOld(Date.now() - KEEP_MS);
    return store;
  }

  /**
   * @param {StoredRecording} recording as it is with that piece
   * @param {Blob} piece the next one
   */
  async append(recording, piece) {
    const transaction = this.#database.transaction(["recordings", "pieces"], "readwrite");
    transaction.objectStore("pieces").put(piece, [recording.recordingId, recording.pieces - 1]);
    transaction.objectStore("recordings").put(recording);
    await finished(transaction);
  }

  /**
   * @param {string} callId
   * @param {string} userId
   * @returns {Promise<StoredRecording[]>} oldest first
   */
  async ofCall(callId, userId) {
    const recordings = this.#database.transaction("recordings").objectStore("recordings");
    /** @type {StoredRecording[]} */
    const found = await done(recordings.index("callId").getAll(callId));
    return found.filter((recording) => recording.userId === userId).sort((a, b) => a.startedAtMs - b.startedAtMs);
  }

  /**
   * @param {StoredRecording} recording
   * @returns {Promise<Blob>} all of it; a browser keeps it where it is stored
   */
  async blob({ recordingId, type }) {
    const pieces = this.#database.transaction("pieces").objectStore("pieces");
    return new Blob(await done(pieces.getAll(piecesOf(recordingId))), { type });
  }

  /** @param {string} recordingId */
  async remove(recordingId) {
    const transaction = this.#database.transaction(["recordings", "pieces"], "readwrite");
    transaction.objectStore("pieces").delete(piecesOf(recordingId));
    transaction.objectStore("recordings").delete(recordingId);
    await finished(transaction);
  }

  close() {
    this.#database.close();
  }

  /** @param {number} beforeMs */
  async #removeOld(beforeMs) {
    /** @type {StoredRecording[]} */
    const all = await done(this.#database.transaction("recordings").objectStore("recordings").getAll());
    for (const { recordingId, startedAtMs } of all) if (startedAtMs < beforeMs) await this.remove(recordingId);
  }
}

/** @param {string} recordingId @returns {IDBKeyRange} */
function piecesOf(recordingId) {
  return IDBKeyRange.bound([recordingId, 0], [recordingId, Infinity]);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
function finished(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}
