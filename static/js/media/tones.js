/**
 * The two sounds of a telephone, made by WebAudio: what rings here, and what the caller hears while it rings there.
 * A browser lets a page sound only after a gesture; until then there is silence and no error.
 *
 * @typedef {{atS: number, lengthS: number, frequencyHz: number, gain: number}} Note
 * @typedef {{periodMs: number, notes: Note[], wave: OscillatorType}} Pattern
 */

/** Two soft rising figures, then a pause: to be noticed in the next room without a fright in this one. @type {Pattern} */
const RINGTONE = {
  periodMs: 3_000,
  wave: "triangle",
  notes: [
    { atS: 0, lengthS: 0.5, frequencyHz: 523.25, gain: 0.22 },
    { atS: 0.16, lengthS: 0.5, frequencyHz: 659.25, gain: 0.22 },
    { atS: 0.32, lengthS: 0.9, frequencyHz: 783.99, gain: 0.24 },
    { atS: 0.9, lengthS: 0.5, frequencyHz: 659.25, gain: 0.2 },
    { atS: 1.06, lengthS: 1.1, frequencyHz: 783.99, gain: 0.22 },
  ],
};

/** One short quiet tone (440 Hz, ITU-T E.180): a second call while one is going on must not drown it. @type {Pattern} */
const CALL_WAITING = {
  periodMs: 4_000,
  wave: "sine",
  notes: [{ atS: 0, lengthS: 0.3, frequencyHz: 440, gain: 0.06 }],
};

/** 425 Hz, one second in five: the ringback tone of most of the world (ITU-T E.180). @type {Pattern} */
const RINGBACK = {
  periodMs: 5_000,
  wave: "sine",
  notes: [{ atS: 0, lengthS: 1, frequencyHz: 425, gain: 0.1 }],
};

const PATTERNS = { ringtone: RINGTONE, callWaiting: CALL_WAITING, ringback: RINGBACK };
/** Attack and release of a note: without them the edges click. */
const EDGE_S = 0.02;

export class Tones {
  /** @type {AudioContext | null} */
  #context = null;
  #createContext;
  /** @type {any} */
  #timer = null;
  /** @type {keyof typeof PATTERNS | null} */
  #playing = null;
  /** Of the notes that sound now, to silence them at once. @type {GainNode | null} */
  #output = null;

  /** @param {() => AudioContext} [createContext] */
  constructor(createContext = () => new AudioContext()) {
    this.#createContext = createContext;
  }

  /**
   * To be called in a gesture: from then on tones can be heard.
   *
   * @returns {Promise<boolean>} whether they can; some browsers answer only when a later gesture has let them
   */
  async unlock() {
    const context = this.#open();
    await context?.resume().catch(() => {});
    return context?.state === "running";
  }

  /**
   * Begins a tone and repeats it until `stop`; another one replaces it.
   *
   * @param {keyof typeof PATTERNS} name
   */
  play(name) {
    if (this.#playing === name) return;
    this.stop();
    this.#playing = name;
    this.unlock();
    const round = () => this.#sound(PATTERNS[name]);
    round();
    this.#timer = setInterval(round, PATTERNS[name].periodMs);
  }

  /** Silence, at once. */
  stop() {
    clearInterval(this.#timer);
    this.#playing = null;
    this.#output?.disconnect();
    this.#output = null;
  }

  #open() {
    try {
      this.#context ??= this.#createContext();
    } catch {
      return null; // no sound device at all: title and dialog still say that it rings
    }
    return this.#context;
  }

  /** @param {Pattern} pattern */
  #sound({ notes, wave }) {
    const context = this.#context;
    if (!context || context.state === "closed") return;
    if (context.state !== "running") {
      // Notes put into a sleeping context would all sound together when it wakes.
      context.onstatechange = () => {
        context.onstatechange = null;
        if (this.#playing && context.state === "running") this.#sound(PATTERNS[this.#playing]);
      };
      return;
    }
    this.#output ??= this.#createOutput(context);
    for (const note of notes) this.#note(context, this.#output, wave, note);
  }

  /** @param {AudioContext} context */
  #createOutput(context) {
    const output = context.createGain();
    output.connect(context.destination);
    return output;
  }

  /**
   * @param {AudioContext} context
   * @param {GainNode} output
   * @param {OscillatorType} wave
   * @param {Note} note
   */
  #note(context, output, wave, { atS, lengthS, frequencyHz, gain }) {
    const startS = context.currentTime + atS;
    const endS = startS + lengthS;
    const oscillator = new OscillatorNode(context, { type: wave, frequency: frequencyHz });
    const envelope = new GainNode(context, { gain: 0 });
    envelope.gain.setValueAtTime(0, startS);
    envelope.gain.linearRampToValueAtTime(gain, startS + EDGE_S);
    envelope.gain.setValueAtTime(gain, endS - EDGE_S * 2);
    envelope.gain.linearRampToValueAtTime(0, endS);
    oscillator.connect(envelope).connect(output);
    oscillator.start(startS);
    oscillator.stop(endS);
  }
}
