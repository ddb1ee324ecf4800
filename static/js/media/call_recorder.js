/**
 * Records a call as it is heard and seen here: every voice mixed into one sound and, where wanted, the pictures in one.
 * What was recorded is given away piece by piece; nothing of it stays in memory.
 *
 * @typedef {object} Source somebody who is recorded
 * @property {string} key stays the same as long as it is the same person
 * @property {string} name
 * @property {MediaStreamTrack | null} audio
 * @property {MediaStreamTrack | null} video
 * @property {MediaStreamTrack | null} screen
 *
 * @typedef {object} Piece
 * @property {Blob} blob
 * @property {number} durationMs of all that was recorded until its end
 */
import { Mosaic } from "./mosaic.js";
import { recordingType } from "./recorder.js";

/** VP8 first: it is made by the processor, beside a call. */
const VIDEO_TYPES = ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"];
/** An hour is some 30 MB of sound; with pictures 430 MB. */
const AUDIO_BITS_PER_S = 64_000;
const VIDEO_BITS_PER_S = 900_000;
/** What is lost at most when the page goes. */
const PIECE_MS = 2_000;

/**
 * @param {"audio" | "video"} media
 * @returns {string | undefined} the type to record in; undefined where the browser cannot record
 */
export function callRecordingType(media) {
  if (media === "audio") return recordingType();
  return globalThis.MediaRecorder && VIDEO_TYPES.find((type) => MediaRecorder.isTypeSupported(type));
}

export class CallRecorder {
  #context = new AudioContext();
  #mix = this.#context.createMediaStreamDestination();
  /** Sound without a gap, also while nobody's is there: a recording is as long as its sound. */
  #silence = new ConstantSourceNode(this.#context, { offset: 0 });
  /** @type {Map<string, {track: MediaStreamTrack, node: MediaStreamAudioSourceNode}>} */
  #voices = new Map();
  /** @type {Mosaic | null} */
  #mosaic;
  #recorder;
  #onBroken;
  #begun = false;
  /** Whether its end was asked for, or told: it is told once. */
  #over = false;
  #recordedMs = 0;
  /** @type {number | null} */
  #sinceMs = null;
  /** @type {Promise<void>} */
  #stopped;

  /**
   * @param {"audio" | "video"} media
   * @param {(piece: Piece) => void} onPiece every two seconds
   * @param {() => void} [onBroken] the browser records no more, though nobody has stopped it; what came before stays whole
   * @throws what MediaRecorder throws where it cannot record
   */
  constructor(media, onPiece, onBroken = () => {}) {
    this.#onBroken = onBroken;
    this.#silence.connect(this.#mix);
    this.#silence.start();
    this.#context.resume().catch((error) => console.debug("the mix waits for a click", error));
    this.#mosaic = media === "video" ? new Mosaic() : null;
    try {
      this.#recorder = this.#makeRecorder(media);
    } catch (error) {
      this.#release();
      throw error;
    }
    this.#recorder.ondataavailable = ({ data }) => {
      if (data.size > 0) onPiece({ blob: data, durationMs: Math.round(this.elapsedMs) });
    };
    this.#recorder.onerror = (event) => this.#break(event);
    this.#stopped = new Promise((resolve) => {
      this.#recorder.onstop = (event) => {
        resolve();
        this.#break(event);
      };
    });
  }

  /** @returns {string} "video/webm", without codecs */
  get type() {
    return this.#recorder.mimeType.split(";")[0];
  }

  /** @returns {number} how long it has recorded, pauses left out */
  get elapsedMs() {
    return this.#recordedMs + (this.#sinceMs === null ? 0 : performance.now() - this.#sinceMs);
  }

  /** @param {Source[]} sources who is heard and seen in it from now on, and nobody else; the first ones begin it */
  take(sources) {
    this.#hear(sources);
    this.#mosaic?.show(
      sources.flatMap(({ key, name, video, screen }) => [
        ...(screen ? [{ key: `${key}/screen`, name, track: screen, screen: true }] : []),
        { key, name, track: video, screen: false },
      ]),
    );
    if (this.#begun || this.#over) return;
    try {
      this.#recorder.start(PIECE_MS);
    } catch (error) {
      return this.#break(error);
    }
    this.#begun = true;
    this.#sinceMs = performance.now();
  }

  pause() {
    if (this.#recorder.state !== "recording") return;
    this.#count();
    this.#recorder.pause();
  }

  resume() {
    if (this.#recorder.state !== "paused") return;
    this.#sinceMs = performance.now();
    this.#recorder.resume();
  }

  /** @returns {Promise<void>} when the last piece was given away */
  async stop() {
    this.#over = true;
    if (this.#recorder.state !== "inactive") {
      this.#count();
      this.#recorder.stop();
    }
    if (this.#begun) await this.#stopped; // what never began tells no end
    await this.#release();
  }

  /** @param {"audio" | "video"} media */
  #makeRecorder(media) {
    const tracks = [...this.#mix.stream.getAudioTracks(), ...(this.#mosaic ? [this.#mosaic.track] : [])];
    return new MediaRecorder(new MediaStream(tracks), {
      mimeType: callRecordingType(media),
      audioBitsPerSecond: AUDIO_BITS_PER_S,
      ...(this.#mosaic ? { videoBitsPerSecond: VIDEO_BITS_PER_S } : {}),
    });
  }

  /** @param {unknown} why */
  #break(why) {
    if (this.#over) return;
    this.#over = true;
    console.warn("the browser has ended the recording", why);
    this.#count();
    this.#onBroken();
  }

  async #release() {
    this.#mosaic?.close();
    if (this.#context.state !== "closed") await this.#context.close();
  }

  #count() {
    this.#recordedMs = this.elapsedMs;
    this.#sinceMs = null;
  }

  /** @param {Source[]} sources */
  #hear(sources) {
    const wanted = new Map(sources.map(({ key, audio }) => [key, audio]));
    for (const [key, { track, node }] of [...this.#voices]) {
      if (wanted.get(key) === track) continue;
      node.disconnect();
      this.#voices.delete(key);
    }
    for (const [key, track] of wanted) {
      if (!track || track.readyState === "ended" || this.#voices.has(key)) continue;
      const node = this.#context.createMediaStreamSource(new MediaStream([track]));
      node.connect(this.#mix);
      this.#voices.set(key, { track, node });
    }
  }
}
