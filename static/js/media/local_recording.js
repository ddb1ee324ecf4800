/**
 * A recording that is being made here: the recorder, and the storage that its pieces go into, one after the other.
 *
 * @typedef {import("./call_recorder.js").Piece} Piece
 * @typedef {import("./call_recorder.js").Source} Source
 * @typedef {import("./recording_store.js").RecordingStore} RecordingStore
 * @typedef {import("./recording_store.js").StoredRecording} StoredRecording
 * @typedef {"full" | "interrupted"} CutShort nothing more can be stored; the browser records no more
 */
import { CallRecorder } from "./call_recorder.js";

export class LocalRecording {
  #store;
  #recorder;
  #onCutShort;
  /** @type {StoredRecording} */
  #stored;
  /** @type {Promise<void>} */
  #written = Promise.resolve();
  #full = false;

  /**
   * @param {object} options
   * @param {RecordingStore} options.store
   * @param {string} options.recordingId
   * @param {string} options.callId
   * @param {string} options.userId
   * @param {"audio" | "video"} options.media
   * @param {(why: CutShort) => void} options.onCutShort what was stored stays
   * @throws where this browser cannot record after all
   */
  constructor({ store, recordingId, callId, userId, media, onCutShort }) {
    this.#store = store;
    this.#onCutShort = onCutShort;
    this.#recorder = new CallRecorder(media, (piece) => this.#write(piece), () => onCutShort("interrupted"));
    const { type } = this.#recorder;
    this.#stored = { recordingId, callId, userId, type, startedAtMs: Date.now(), durationMs: 0, sizeBytes: 0, pieces: 0 };
  }

  get recordingId() {
    return this.#stored.recordingId;
  }

  /** @returns {number} how long it has recorded, pauses left out */
  get elapsedMs() {
    return this.#recorder.elapsedMs;
  }

  /** @param {Source[]} sources who is recorded; nobody: it pauses */
  take(sources) {
    this.#recorder.take(sources);
    if (sources.length > 0) this.#recorder.resume();
    else this.#recorder.pause();
  }

  /** @returns {Promise<void>} when everything is stored */
  async stop() {
    this.#recorder.take([]);
    await this.#recorder.stop();
    await this.#written;
  }

  /** @param {Piece} piece */
  #write({ blob, durationMs }) {
    this.#written = this.#written.then(async () => {
      if (this.#full) return;
      const { sizeBytes, pieces } = this.#stored;
      const stored = { ...this.#stored, durationMs, sizeBytes: sizeBytes + blob.size, pieces: pieces + 1 };
      try {
        await this.#store.append(stored, blob);
        this.#stored = stored;
      } catch (error) {
        console.debug("a piece of the recording could not be stored", error);
        this.#full = true; // a gap in the middle would make the rest unreadable
        this.#onCutShort("full");
      }
    });
  }
}
