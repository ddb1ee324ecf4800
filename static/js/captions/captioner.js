/**
 * One's own voice as text: the microphone goes to a worklet, frame by frame to a worker, and comes back as captions.
 * Nothing but the text leaves this machine. No DOM.
 *
 * @typedef {"off" | "loading" | "on" | "failed"} CaptionerState
 * @typedef {{segment: string, text: string, final: boolean}} Caption the same `segment` grows until it is final
 *
 * @typedef {object} CaptionerEvents
 * @property {CaptionerState} state
 * @property {Caption} caption
 */
import { Emitter } from "../realtime/emitter.js";
import { SAMPLE_RATE } from "./segmenter.js";

/** How long the last thing that was said may take to be recognised; then it is given up. */
const LAST_WORDS_MS = 10_000;

/** @extends {Emitter<CaptionerEvents>} */
export class Captioner extends Emitter {
  /** @type {CaptionerState} */
  #state = "off";
  /** Of one switching on; what comes of an older one is dropped. @type {Listening | null} */
  #listening = null;
  /** @type {MediaStreamTrack | null} */
  #track = null;

  /** @returns {CaptionerState} */
  get state() {
    return this.#state;
  }

  /**
   * @param {MediaStreamTrack | null} track of the microphone; null if there is none now
   */
  listenTo(track) {
    if (track === this.#track) return;
    this.#track = track;
    this.#listening?.connect(track);
  }

  /** Loads the model, the first time some 50 MB, and begins. What goes wrong is the state `failed`; it never rejects. */
  async start() {
    if (this.#listening) return;
    this.#become("loading");
    /** @type {Listening | null} */
    let listening = null;
    try {
      listening = this.#listening = new Listening();
      listening.onCaption = (caption) => this.emit("caption", caption);
      await listening.ready();
      if (this.#listening !== listening) return;
      listening.connect(this.#track);
      this.#become("on");
    } catch (error) {
      if (this.#listening !== listening) return; // switched off meanwhile
      console.warn("no captions", error);
      this.stop();
      this.#become("failed");
    }
  }

  /** Nothing more is listened to. What had been said just before still comes as a caption, if it comes soon. */
  stop() {
    this.#listening?.end();
    this.#listening = null;
    this.#become("off");
  }

  /** @param {CaptionerState} state */
  #become(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.emit("state", state);
  }
}

class Listening {
  // At this rate the browser converts what comes from the microphone, and well.
  #context = new AudioContext({ sampleRate: SAMPLE_RATE });
  #worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  #name = crypto.randomUUID().slice(0, 8);
  /** @type {AudioWorkletNode | null} */
  #node = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** @type {(caption: Caption) => void} */
  onCaption = () => {};

  /** @returns {Promise<void>} rejects where this browser cannot do it, or the files are not there */
  async ready() {
    const loaded = new Promise((resolve, reject) => {
      this.#worker.onerror = ({ message }) => reject(new Error(message || "the worker did not start"));
      this.#worker.onmessage = ({ data }) => {
        if (data.ready) resolve(data);
        else if (data.failed) reject(new Error(data.failed));
        else if (data.ended) this.#release();
        else this.onCaption({ ...data, segment: `${this.#name}-${data.segment}` });
      };
    });
    await Promise.all([this.#context.audioWorklet.addModule(new URL("./worklet.js", import.meta.url).href), loaded]);
    const { port1, port2 } = new MessageChannel();
    this.#node = new AudioWorkletNode(this.#context, "frames", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this.#node.port.postMessage(port1, [port1]);
    this.#worker.postMessage(port2, [port2]);
    await this.#context.resume();
  }

  /** @param {MediaStreamTrack | null} track */
  connect(track) {
    this.#source?.disconnect();
    this.#source = null;
    if (!track || !this.#node) return;
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#node);
  }

  end() {
    this.#source?.disconnect();
    this.#context.close();
    if (!this.#node) return this.#release(); // nothing was heard yet
    this.#worker.postMessage(null);
    setTimeout(() => this.#release(), LAST_WORDS_MS);
  }

  #release() {
    this.onCaption = () => {};
    this.#worker.terminate();
  }
}
