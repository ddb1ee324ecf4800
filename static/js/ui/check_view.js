/**
 * A check as it is seen: each thing with what was found, the verdict above, and the report that can be copied.
 *
 * @typedef {import("../check/run.js").CheckRun} CheckRun
 * @typedef {import("../check/findings.js").Step} Step
 * @typedef {import("../media/tones.js").Tones} Tones
 */
import { STEPS, verdictOf } from "../check/findings.js";
import { checking, GRADE, RELAY_SHORT, said, STEP_NAME, VERDICT, verdictText } from "../strings/check.js";
import { need, setText } from "./dom.js";
import { Meter } from "./meter.js";
import { toast } from "./toasts.js";

/** Two rounds of the ringtone. */
const PLAY_MS = 6_000;

export class CheckView {
  #tones;
  #verdict = need("#verdict");
  /** @type {HTMLProgressElement} */
  #progress = need("#progress");
  /** @type {HTMLVideoElement} */
  #video = need("#preview");
  #meter = new Meter(need("#meter"));
  /** @type {CheckRun | null} */
  #run = null;
  /** @type {any} */
  #silence = null;

  /** @param {Tones} tones */
  constructor(tones) {
    this.#tones = tones;
    need("#play").onclick = () => this.#play();
    need("#heard").onclick = () => this.#judge("heard");
    need("#not-heard").onclick = () => this.#judge("not_heard");
    need("#copy").onclick = () => this.#copy();
  }

  /** Where one sees and hears oneself. */
  get screens() {
    return { video: this.#video, onLevel: (/** @type {number} */ level) => this.#meter.add(level) };
  }

  /** @param {CheckRun} run that begins */
  begin(run) {
    this.stop();
    this.#run = run;
    for (const step of STEPS) this.#show(step, "waiting", "");
    for (const selector of ["#copy", "#relays", "#meter", "#picture", "#still"]) need(selector).hidden = true;
    this.#meter.clear();
    this.#offerSound();
    run.on("asking", () => this.#say("running", checking.running, checking.media));
    run.on("running", (step) => this.#onRunning(step));
    run.on("found", (step) => this.#onFound(run, step));
    run.on("done", () => this.#onDone());
  }

  /** Microphone, camera and sound are let go of. */
  stop() {
    this.#quiet();
    this.#run?.stop();
  }

  /** @param {Step} step */
  #onRunning(step) {
    this.#show(step, "running", checking.now[step] ?? "");
    if (step === "microphone") need("#meter").hidden = false;
    if (step === "camera") {
      this.#video.hidden = false;
      need("#picture").hidden = false;
    }
    this.#sum();
  }

  /**
   * @param {CheckRun} run
   * @param {Step} step
   */
  #onFound(run, step) {
    const finding = run.findings.get(step);
    if (!finding) return;
    const { text, advice } = said(step, finding);
    this.#show(step, finding.grade, text, advice);
    if (step === "relay") this.#showRelays(run);
    this.#sum();
  }

  #onDone() {
    this.#freeze();
    need("#meter").hidden = true;
    need("#copy").hidden = false;
    setText(need("#start"), checking.again);
    this.#sum();
  }

  /** The camera is off; what it showed last stays. */
  #freeze() {
    const still = /** @type {HTMLCanvasElement} */ (need("#still"));
    const { videoWidth, videoHeight } = this.#video;
    if (videoWidth === 0) return;
    still.width = videoWidth;
    still.height = videoHeight;
    still.getContext("2d")?.drawImage(this.#video, 0, 0);
    still.hidden = false;
    this.#video.hidden = true;
    this.#video.srcObject = null;
  }

  /** The verdict as far as it can be told. */
  #sum() {
    const findings = this.#run?.findings ?? new Map();
    const waiting = STEPS.filter((step) => step !== "speaker" && !findings.has(step));
    this.#progress.hidden = waiting.length === 0;
    this.#progress.value = findings.size;
    if (waiting.length > 0) {
      this.#say("running", checking.running, checking.meanwhile);
    } else {
      const { verdict, troubles } = verdictOf(findings);
      this.#say(verdict, VERDICT[verdict], verdictText(verdict, troubles));
    }
  }

  /**
   * @param {string} verdict
   * @param {string} title
   * @param {string} text
   */
  #say(verdict, title, text) {
    this.#verdict.dataset.verdict = verdict;
    setText(need("[data-title]", this.#verdict), title);
    setText(need("[data-text]", this.#verdict), text);
  }

  /**
   * @param {Step} step
   * @param {"waiting" | "running" | import("../check/findings.js").Grade} grade
   * @param {string} text what is there stays if it is empty
   * @param {string} [advice]
   */
  #show(step, grade, text, advice = "") {
    const row = need(`[data-step=${step}]`);
    row.dataset.grade = grade;
    if (text) setText(need("[data-text]", row), text);
    const more = need("[data-advice]", row);
    setText(more, advice);
    more.hidden = advice === "";
    setText(need("[data-grade-words]", row), grade === "waiting" || grade === "running" ? "" : GRADE[grade]);
  }

  /** @param {CheckRun} run */
  #showRelays({ relays }) {
    const list = need("#relays");
    list.hidden = relays.length < 2;
    list.replaceChildren(
      ...relays.map((tried) => {
        const item = document.createElement("li");
        const url = document.createElement("bdi");
        const came = document.createElement("span");
        url.textContent = tried.url;
        came.textContent = inShort(tried);
        item.dataset.works = "ms" in tried ? "yes" : "no";
        item.append(url, came);
        return item;
      }),
    );
  }

  // ---- the speaker

  #offerSound() {
    need("#speaker").hidden = false;
    this.#show("speaker", "waiting", checking.listen);
    this.#ask(false);
  }

  /** @param {boolean} asking whether it is heard */
  #ask(asking) {
    need("#heard").hidden = need("#not-heard").hidden = !asking;
  }

  async #play() {
    clearTimeout(this.#silence);
    this.#tones.stop();
    if (!(await this.#tones.unlock())) return this.#judge("blocked");
    this.#tones.play("ringtone");
    this.#silence = setTimeout(() => this.#tones.stop(), PLAY_MS);
    this.#show("speaker", "running", checking.playing);
    this.#ask(true);
  }

  /** @param {"heard" | "not_heard" | "blocked"} said */
  #judge(said) {
    this.#quiet();
    this.#ask(false);
    this.#run?.judgeSpeaker(said);
    need("#play").focus();
  }

  #quiet() {
    clearTimeout(this.#silence);
    this.#tones.stop();
  }

  // ---- the report

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#report());
      toast(checking.copied);
    } catch {
      toast(checking.notCopied, "error");
    }
  }

  #report() {
    const run = this.#run;
    const lines = STEPS.flatMap((step) => {
      const finding = run?.findings.get(step);
      if (!finding) return [];
      const { text, advice } = said(step, finding);
      return [`${STEP_NAME[step]}: ${GRADE[finding.grade]}. ${text}${advice ? ` ${advice}` : ""}`];
    });
    const relays = (run?.relays ?? []).map((tried) => `  ${tried.url}: ${inShort(tried)}`);
    const verdict = need("[data-title]", this.#verdict).textContent;
    return [verdict, ...lines, ...relays, new Date().toISOString(), navigator.userAgent].join("\n");
  }
}

/** @param {import("../check/relay.js").Tried} tried */
function inShort(tried) {
  return "ms" in tried ? `${tried.ms} ms` : RELAY_SHORT[tried.fault];
}
