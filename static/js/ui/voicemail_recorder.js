/**
 * Leaving a message on the page of a call that was not taken: record, listen, send; one step at a time.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../types.js").VoicemailTerms} VoicemailTerms
 * @typedef {import("../api.js").Api} Api
 * @typedef {"asking" | "recording" | "recorded" | "sending" | "unsent" | "sent" | "problem"} Step
 *   `unsent`: recorded, and sending it did not work; `problem`: the microphone could not be used
 */
import { Player } from "../media/player.js";
import { VoiceRecorder } from "../media/recorder.js";
import { leaving as strings, RECORDER_PROBLEM, whyNotSent } from "../strings/voicemail.js";
import { need, setText } from "./dom.js";
import { duration } from "./format.js";
import { Meter } from "./meter.js";
import { Waveform } from "./waveform.js";

/** States of a leg whose person did not take the call. */
const NOT_TAKEN = new Set(["missed", "unreachable", "busy", "do_not_disturb", "declined"]);
/** Shorter than this is a slip of the finger. */
const LEAST_MS = 500;

/** What gets the focus in each step. @type {Record<Step, string>} */
const FOCUS = {
  asking: "[data-discard]",
  recording: "[data-stop]",
  recorded: "[data-send]",
  sending: "[data-status]",
  unsent: "[data-send]",
  sent: "[data-done]",
  problem: "[data-again]",
};

export class VoicemailRecorder {
  #api;
  #call;
  #terms;
  #root = need("#voicemail-recorder");
  #opener = need("#leave-message");
  #after = need(".call-after");
  #recorder;
  #player = new Player();
  #meter = new Meter(this.#part("meter"));
  #waveform = new Waveform(this.#part("waveform"), (timeS) => this.#player.seek(timeS));
  /** @type {Step} */
  #step = "asking";
  #offered = false;
  #objectUrl = "";

  /**
   * @param {Api} api
   * @param {Call} call as it was when the page was loaded
   * @param {VoicemailTerms | null} terms null: no message can be left
   */
  constructor(api, call, terms) {
    this.#api = api;
    this.#call = call;
    this.#terms = terms;
    this.#recorder = new VoiceRecorder((terms?.max_s ?? 0) * 1000);
    this.#recorder.on("change", () => this.#recorderChanged());
    this.#recorder.on("level", (level) => this.#drawLevel(level));
    this.#player.on("change", () => this.#drawPlayer());
    this.#listen();
  }

  /** @param {Call} call offers to leave a message, once it is over and was not taken */
  offer(call) {
    if (this.#offered || !this.#terms || call.state !== "ended" || !NOT_TAKEN.has(call.legs[1].state)) return;
    this.#offered = true;
    this.#opener.hidden = false;
    setTimeout(() => {
      this.#opener.hidden = true;
    }, this.#terms.window_s * 1000);
  }

  /** Somebody calls: what was said until then is kept, and the ringing is not recorded. */
  interrupt() {
    this.#recorder.stop();
    this.#player.pause();
  }

  #listen() {
    const on = (/** @type {string} */ name, /** @type {() => void} */ action) =>
      this.#part(name).addEventListener("click", action);
    this.#opener.addEventListener("click", () => this.#open());
    on("stop", () => this.#stop());
    on("again", () => this.#record());
    on("discard", () => this.#close());
    on("send", () => this.#send());
    on("play", () => (this.#player.playing ? this.#player.pause() : this.#player.play()));
    window.addEventListener("pagehide", () => this.#recorder.discard());
  }

  #open() {
    this.#after.hidden = true;
    this.#root.hidden = false;
    this.#record();
  }

  #close() {
    this.#drop();
    this.#root.hidden = true;
    this.#after.hidden = false;
    this.#opener.focus();
  }

  #record() {
    this.#drop();
    this.#meter.clear();
    this.#recorder.start();
  }

  #stop() {
    if (this.#recorder.elapsedMs < LEAST_MS) this.#close();
    else this.#recorder.stop();
  }

  /** Nothing is left of what was recorded. */
  #drop() {
    this.#recorder.discard();
    this.#player.unload();
    URL.revokeObjectURL(this.#objectUrl);
    this.#objectUrl = "";
  }

  // ---- what the recorder says

  #recorderChanged() {
    const { state, problem, recording } = this.#recorder;
    if (state === "asking") this.#show("asking", strings.asking);
    else if (state === "recording") this.#show("recording", strings.recording);
    else if (state === "recorded" && recording) this.#recorded(recording);
    else if (problem) {
      this.#say(RECORDER_PROBLEM[problem].title, RECORDER_PROBLEM[problem].help);
      this.#show("problem", "");
    }
  }

  /** @param {import("../media/recorder.js").Recording} recording */
  #recorded({ blob, durationMs, levels }) {
    this.#objectUrl = URL.createObjectURL(blob);
    this.#player.load(this.#objectUrl, durationMs / 1000);
    const isLongest = durationMs >= (this.#terms?.max_s ?? 0) * 1000;
    this.#show("recorded", isLongest ? strings.fullLength : strings.ready);
    this.#waveform.set(levels, durationMs / 1000); // once it is to be seen: it is drawn as wide as it is
  }

  /** @param {number} level */
  #drawLevel(level) {
    this.#meter.add(level);
    setText(this.#part("elapsed"), duration(this.#recorder.elapsedMs / 1000));
  }

  #drawPlayer() {
    const { playing, timeS } = this.#player;
    const button = this.#part("play");
    button.dataset.playing = playing ? "yes" : "no";
    button.setAttribute("aria-label", playing ? strings.pause : strings.play);
    this.#waveform.show(timeS);
    if (this.#step === "recorded" || this.#step === "unsent") {
      setText(this.#part("elapsed"), duration(playing || timeS > 0 ? timeS : Math.round(this.#player.durationS)));
    }
  }

  // ---- sending

  async #send() {
    const { recording } = this.#recorder;
    if (!recording) return;
    this.#player.pause();
    this.#progress(0);
    this.#show("sending", strings.sending(0));
    try {
      await this.#api.leaveVoicemail(this.#call.call_id, recording, (part) => this.#progress(part));
    } catch (error) {
      // It had arrived before, and only the answer was lost.
      if (/** @type {{code?: string}} */ (error).code !== "already_left") return this.#notSent(error);
    }
    this.#drop();
    this.#opener.hidden = true;
    this.#show("sent", strings.sent(this.#call.legs[1].user.display_name));
  }

  /** @param {unknown} error */
  #notSent(error) {
    this.#say(strings.notSent, whyNotSent(error));
    this.#show("unsent", "");
    this.#drawPlayer();
  }

  /** @param {number} part */
  #progress(part) {
    const percent = Math.round(100 * part);
    /** @type {HTMLProgressElement} */ (this.#part("progress")).value = percent;
    if (this.#step === "sending") setText(this.#part("status"), strings.sending(percent));
  }

  // ---- drawing

  /**
   * @param {Step} step
   * @param {string} status
   */
  #show(step, status) {
    this.#step = step;
    this.#root.dataset.step = step;
    setText(this.#part("status"), status);
    this.#part("time").hidden = step !== "recording" && step !== "recorded" && step !== "unsent";
    const elapsedS = this.#recorder.elapsedMs / 1000;
    setText(this.#part("elapsed"), duration(step === "recording" ? elapsedS : Math.round(elapsedS)));
    setText(this.#part("most"), step === "recording" ? `/ ${duration(this.#terms?.max_s ?? 0)}` : "");
    need(FOCUS[step], this.#root).focus();
  }

  /**
   * @param {string} title
   * @param {string} help
   */
  #say(title, help) {
    setText(this.#part("problem-title"), title);
    setText(this.#part("problem-help"), help);
  }

  /** @param {string} name */
  #part(name) {
    return need(`[data-${name}]`, this.#root);
  }
}
