/**
 * The form for one's own sound and picture: which devices, with a level that follows the voice and the picture as it is
 * sent, and how they are used. What is chosen holds at once, in a call that goes on, too.
 *
 * @typedef {import("../media/devices.js").LocalMedia} LocalMedia
 * @typedef {import("../media/inventory.js").Inventory} Inventory
 * @typedef {import("../media/preferences.js").DeviceKind} DeviceKind
 * @typedef {import("../media/preferences.js").MediaPreferences} MediaPreferences
 *
 * @typedef {object} SoundSettingsOptions
 * @property {MediaPreferences} preferences
 * @property {Inventory} inventory
 * @property {() => void} onTest the person wants to see and hear themselves
 * @property {() => void} onStop … and does not any more
 * @property {(field: HTMLElement) => void} [onSaved] something was chosen
 */
import { _ } from "../i18n.js";
import { chime, choosesSpeaker } from "../media/chime.js";
import { probe } from "../media/probe.js";
import { media as problemStrings } from "../strings.js";
import { sound as strings } from "../strings/sound.js";
import { need, setText } from "./dom.js";
import { toast } from "./toasts.js";

/** @type {DeviceKind[]} */
const KINDS = ["microphone", "camera", "speaker"];
/** @type {("noiseSuppression" | "echoCancellation" | "pushToTalk")[]} */
const SWITCHES = ["noiseSuppression", "echoCancellation", "pushToTalk"];
/** Louder than a quiet room: somebody speaks. */
const VOICE_LEVEL = 35;

export class SoundSettings {
  #root;
  #preferences;
  #inventory;
  #onSaved;
  /** @type {LocalMedia | null} */
  #media = null;
  /** @type {() => void} */
  #forget = () => {};
  /** What the level is taken of. @type {MediaStreamTrack | null} */
  #probed = null;
  #endProbe = () => {};
  #heard = false;

  /**
   * @param {HTMLElement} root
   * @param {SoundSettingsOptions} options
   */
  constructor(root, { preferences, inventory, onTest, onStop, onSaved = () => {} }) {
    this.#root = root;
    this.#preferences = preferences;
    this.#inventory = inventory;
    this.#onSaved = onSaved;
    for (const kind of KINDS) this.#select(kind).addEventListener("change", () => this.#chooseDevice(kind));
    for (const name of SWITCHES) {
      this.#switch(name).addEventListener("change", () => this.#choose(name, { [name]: this.#switch(name).checked }));
    }
    this.#saveData.addEventListener("change", () => this.#choose("saveData", { saveData: this.#saveData.value }));
    need("[data-test]", root).addEventListener("click", onTest);
    need("[data-stop]", root).addEventListener("click", onStop);
    need("[data-chime]", root).addEventListener("click", () => this.#chime());
    inventory.on("change", () => this.#draw());
    preferences.on("change", () => this.#draw());
    inventory.refresh();
  }

  /**
   * Shows what these give: picture, level, and what could not be had.
   *
   * @param {LocalMedia} media stays open when this is hidden
   */
  show(media) {
    this.hide();
    this.#media = media;
    this.#heard = false;
    this.#forget = media.on("change", () => this.#draw());
    this.#draw();
  }

  /** Nothing is looked at any more. */
  hide() {
    this.#forget();
    this.#endProbe();
    this.#endProbe = () => {};
    this.#probed = null;
    this.#media = null;
    this.#draw();
  }

  #draw() {
    for (const kind of KINDS) this.#listDevices(kind);
    for (const name of SWITCHES) this.#switch(name).checked = this.#preferences.choices[name];
    this.#saveData.value = this.#preferences.choices.saveData;
    const entries = Object.values(this.#inventory.lists).flat();
    need("[data-nameless]", this.#root).hidden = entries.some(({ label }) => label !== "");
    need("[data-field=speaker] select", this.#root).hidden = !choosesSpeaker();
    need("[data-speaker-note]", this.#root).hidden = choosesSpeaker();
    this.#drawPreview();
    this.#drawProblem();
    this.#followLevel();
  }

  /** @param {DeviceKind} kind */
  #listDevices(kind) {
    const select = this.#select(kind);
    const remembered = this.#preferences.choices[kind];
    const entries = this.#inventory.lists[kind];
    const chosen = this.#inventory.find(kind, remembered);
    const options = entries.map(({ id, label }, index) => new Option(label || strings.nameless(kind, index + 1), id));
    if (remembered && !chosen) options.unshift(new Option(strings.gone(remembered.label), remembered.id));
    options.unshift(new Option(strings.system, ""));
    const before = [...select.options].map(({ value, text }) => value + text).join();
    if (before !== options.map(({ value, text }) => value + text).join()) select.replaceChildren(...options);
    select.value = chosen?.id ?? remembered?.id ?? "";
  }

  #drawPreview() {
    const camera = this.#media?.camera ?? null;
    /** @type {HTMLVideoElement} */
    const video = need("[data-picture]", this.#root);
    const picture = camera ? (this.#media?.preview ?? null) : null;
    if (video.srcObject !== picture) video.srcObject = picture;
    this.#root.dataset.state = this.#media ? "open" : "idle";
    this.#root.dataset.picture = camera ? "yes" : "no";
    setText(need("[data-empty-words]", this.#root), this.#media ? strings.cameraOff : strings.tryIt);
    need("[data-test]", this.#root).hidden = this.#media !== null;
    const words = this.#heard ? strings.heard : strings.speak;
    setText(need("[data-heard]", this.#root), this.#media?.microphone ? words : "");
  }

  #drawProblem() {
    const problems = this.#media?.problems ?? [];
    need("[data-problem]", this.#root).hidden = problems.length === 0;
    if (problems.length === 0) return;
    const { title, text } = problemStrings.problem(problems);
    setText(need("[data-problem-title]", this.#root), title);
    setText(need("[data-problem-help]", this.#root), text);
  }

  #followLevel() {
    const track = this.#media?.microphone ?? null;
    if (track === this.#probed) return;
    this.#endProbe();
    this.#probed = track;
    this.#showLevel(0);
    this.#endProbe = track ? probe(track, (level) => this.#showLevel(level)) : () => {};
  }

  /** @param {number} level */
  #showLevel(level) {
    need("[data-level]", this.#root).style.setProperty("--level", String(level / 100));
    if (level < VOICE_LEVEL || this.#heard) return;
    this.#heard = true;
    this.#drawPreview();
  }

  /** @param {DeviceKind} kind */
  #chooseDevice(kind) {
    const { value, selectedOptions } = this.#select(kind);
    const label = selectedOptions[0]?.text ?? "";
    if (kind === "microphone") this.#heard = false;
    this.#choose(kind, { [kind]: value === "" ? null : { id: value, label } });
  }

  /**
   * @param {string} field
   * @param {object} choice
   */
  #choose(field, choice) {
    this.#preferences.choose(choice);
    this.#onSaved(need(`[data-field=${field}]`, this.#root));
  }

  async #chime() {
    const button = need("[data-chime]", this.#root);
    button.setAttribute("aria-busy", "true");
    try {
      const { speaker } = this.#preferences.choices;
      await chime(this.#inventory.find("speaker", speaker)?.id ?? null);
    } catch {
      toast(_("That speaker cannot be used. Choose another one."), "error");
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  /** @param {DeviceKind} kind @returns {HTMLSelectElement} */
  #select(kind) {
    return need(`[data-device=${kind}]`, this.#root);
  }

  /** @param {string} name @returns {HTMLInputElement} */
  #switch(name) {
    return need(`[data-switch=${name}]`, this.#root);
  }

  /** @returns {HTMLSelectElement} */
  get #saveData() {
    return need("[data-save]", this.#root);
  }
}
