/**
 * Microphone and camera of this person: opened as they have chosen, muted, switched off, changed while a call goes on,
 * and why they could not be had. No DOM.
 *
 * @typedef {import("./inventory.js").DeviceEntry} DeviceEntry
 * @typedef {"denied" | "missing" | "in_use" | "insecure"} ProblemKind
 * @typedef {"microphone" | "camera"} Device
 * @typedef {{device: Device, kind: ProblemKind}} MediaProblem
 *
 * @typedef {object} DeviceNotice
 * @property {"replaced" | "found"} kind `replaced`: another one is used now, without the person's doing; `found`: one was
 *   plugged in, and is not used
 * @property {Device} device
 * @property {DeviceEntry} entry
 *
 * @typedef {object} LocalMediaEvents
 * @property {null} change
 * @property {DeviceNotice} notice
 *
 * @typedef {{id: string | null, group: string | null, processing: string}} Wish what a device was, or would be, opened for
 */
import { Emitter } from "../realtime/emitter.js";
import { cameraConstraints, microphoneConstraints, openDevices } from "./constraints.js";
import { Inventory } from "./inventory.js";
import { savesData } from "./network.js";
import { MediaPreferences } from "./preferences.js";

/** Names that browsers give the same three things; the older ones still come from WebViews. */
/** @type {Record<string, ProblemKind>} */
const KIND_OF_ERROR = {
  NotAllowedError: "denied",
  PermissionDeniedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  DevicesNotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "in_use",
  TrackStartError: "in_use",
  AbortError: "in_use",
};

/** @type {Device[]} */
const DEVICES = ["microphone", "camera"];

/**
 * @param {unknown} error what getUserMedia rejected with
 * @returns {ProblemKind}
 */
export function classify(error) {
  return KIND_OF_ERROR[/** @type {Error} */ (error)?.name] ?? "in_use";
}

/** @extends {Emitter<LocalMediaEvents>} */
export class LocalMedia extends Emitter {
  #devices;
  #preferences;
  #inventory;
  /** @type {Record<Device, MediaStreamTrack | null>} */
  #tracks = { microphone: null, camera: null };
  /** What each was opened for. @type {Record<Device, Wish | null>} */
  #granted = { microphone: null, camera: null };
  /** @type {MediaProblem[]} */
  #problems = [];
  /** What the person sees of themselves. */
  #preview = new MediaStream();
  /** What the person wants, also of a microphone that comes later. */
  #wantsMuted;
  #pushToTalk;
  /** Whether it is that, and not the person's own hand, which muted. */
  #mutedToTalk;
  /** A key or a button is held for as long as one speaks. */
  #talking = false;
  /** Changes of devices are made one after the other. @type {Promise<unknown>} */
  #work = Promise.resolve();
  /** Devices that were there when we looked last; null before the first look. @type {Set<string> | null} */
  #known = null;
  #stopped = false;
  /** @type {(() => void)[]} */
  #forget;

  /**
   * @param {MediaDevices | undefined} [devices] undefined where the page is not served securely
   * @param {MediaPreferences} [preferences]
   * @param {Inventory} [inventory]
   */
  constructor(devices = navigator.mediaDevices, preferences = new MediaPreferences(), inventory = new Inventory(devices)) {
    super();
    this.#devices = devices;
    this.#preferences = preferences;
    this.#inventory = inventory;
    this.#pushToTalk = preferences.choices.pushToTalk;
    this.#wantsMuted = this.#mutedToTalk = this.#pushToTalk;
    this.#forget = [
      inventory.on("change", () => {
        this.#lookForNew();
        this.#follow(true);
      }),
      preferences.on("change", ({ here }) => {
        this.#follow(false);
        const { pushToTalk } = preferences.choices;
        if (pushToTalk !== this.#pushToTalk) this.#setPushToTalk(pushToTalk, here);
      }),
    ];
  }

  get preferences() {
    return this.#preferences;
  }

  get inventory() {
    return this.#inventory;
  }

  /** @returns {boolean} whether data is to be saved */
  get saving() {
    return savesData(this.#preferences.choices.saveData);
  }

  /** @returns {MediaStreamTrack | null} */
  get microphone() {
    return this.#tracks.microphone;
  }

  /** @returns {MediaStreamTrack | null} null while the camera is off: its light is out then */
  get camera() {
    return this.#tracks.camera;
  }

  /** @returns {boolean} whether the person is not heard: muted, or without a microphone */
  get muted() {
    return !this.microphone?.enabled;
  }

  /** @returns {boolean} whether a key or a button is held to speak */
  get talking() {
    return this.#talking;
  }

  /**
   * What the others are told: a telephone that is locked, or takes a call of its own, may take away what is switched on.
   *
   * @returns {{audio: boolean, video: boolean}} whether sound and picture really come from here
   */
  get flowing() {
    const { microphone, camera } = this.#tracks;
    return { audio: !this.muted && !microphone?.muted, video: camera !== null && !camera.muted };
  }

  /** @returns {Device[]} which of those that are on the system has taken away for a while */
  get interrupted() {
    return DEVICES.filter((device) => this.#tracks[device]?.muted);
  }

  /** @returns {MediaProblem[]} what was asked for and could not be had */
  get problems() {
    return this.#problems;
  }

  /** @returns {MediaStream} the camera alone, to be shown to oneself */
  get preview() {
    return this.#preview;
  }

  /**
   * Opens what there is: both, else one of them. What could not be opened stands in `problems`; it never rejects.
   *
   * @param {{camera: boolean}} wanted the microphone is always wanted
   */
  open({ camera }) {
    return this.#next(async () => {
      if (!this.#devices) this.#problems = [{ device: "microphone", kind: "insecure" }];
      else {
        await this.#inventory.refresh();
        this.#problems = camera ? await this.#openBoth() : await this.#openOne("microphone");
        await this.#inventory.refresh(); // now they have names
      }
    });
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.#mutedToTalk = false;
    this.#wantsMuted = muted;
    this.#sound();
  }

  /**
   * Heard for as long as this is so, muted or not.
   *
   * @param {boolean} talking
   */
  setTalking(talking) {
    if (talking === this.#talking) return;
    this.#talking = talking;
    this.#sound();
  }

  /**
   * Off means off: the camera is released, not just covered.
   *
   * @param {boolean} on
   */
  setCamera(on) {
    return this.#next(async () => {
      this.#acquit("camera");
      if (!on) this.#setTrack("camera", null);
      else if (!this.#devices) this.#problems.push({ device: "camera", kind: "insecure" });
      else if (!this.camera) this.#problems.push(...(await this.#openOne("camera")));
    });
  }

  /** What the system has ended while nobody looked at the page is opened anew. */
  recover() {
    for (const device of DEVICES) if (this.#tracks[device]?.readyState === "ended") this.#lost(device);
  }

  /** Releases both for good. */
  stop() {
    this.#stopped = true;
    for (const forget of this.#forget) forget();
    for (const device of DEVICES) this.#tracks[device]?.stop();
    this.emit("change", null);
  }

  /** @param {() => Promise<void>} work */
  #next(work) {
    const done = this.#work.then(work).then(() => this.emit("change", null));
    this.#work = done.catch(() => {});
    return done;
  }

  /**
   * With it one begins muted. Without it one is heard again, unless one had muted oneself, or does not look at this page:
   * nothing that is done elsewhere opens a microphone here.
   *
   * @param {boolean} on
   * @param {boolean} here whether it was switched on this page
   */
  #setPushToTalk(on, here) {
    const muted = this.#wantsMuted;
    this.#pushToTalk = on;
    this.#talking = false;
    this.setMuted(on || (muted && !(here && this.#mutedToTalk)));
    this.#mutedToTalk = on && !muted;
  }

  #sound() {
    if (this.microphone) this.microphone.enabled = this.#talking || !this.#wantsMuted;
    this.emit("change", null);
  }

  /** @returns {Promise<MediaProblem[]>} */
  async #openBoth() {
    try {
      await this.#take(DEVICES);
      return [];
    } catch {
      // One of the two is refused or missing; asking for each alone says which.
      const problems = await this.#openOne("microphone");
      const refused = problems.some(({ kind }) => kind === "denied");
      return refused ? [...problems, { device: "camera", kind: "denied" }] : [...problems, ...(await this.#openOne("camera"))];
    }
  }

  /**
   * @param {Device} device
   * @returns {Promise<MediaProblem[]>}
   */
  async #openOne(device) {
    try {
      await this.#take([device]);
      return [];
    } catch (error) {
      return [{ device, kind: classify(error) }];
    }
  }

  /** @param {Device[]} wanted rejects like getUserMedia */
  async #take(wanted) {
    const wishes = wanted.map((device) => this.#wish(device));
    const { choices } = this.#preferences;
    const chosen = (/** @type {Device} */ device) => this.#inventory.find(device, choices[device]);
    const stream = await openDevices(/** @type {MediaDevices} */ (this.#devices), {
      ...(wanted.includes("microphone") && { audio: microphoneConstraints(choices, chosen("microphone")) }),
      ...(wanted.includes("camera") && { video: cameraConstraints(chosen("camera")) }),
    });
    if (this.#stopped) {
      for (const track of stream.getTracks()) track.stop(); // the call ended while the person was being asked
      return;
    }
    for (const [index, device] of wanted.entries()) {
      const [track] = device === "microphone" ? stream.getAudioTracks() : stream.getVideoTracks();
      if (!track) continue;
      this.#granted[device] = wishes[index];
      this.#setTrack(device, track);
    }
  }

  /**
   * @param {Device} device
   * @param {MediaStreamTrack | null} track
   */
  #setTrack(device, track) {
    const before = this.#tracks[device];
    before?.stop();
    this.#tracks[device] = track;
    if (device === "camera") {
      if (before) this.#preview.removeTrack(before);
      if (track) this.#preview.addTrack(track);
    }
    if (!track) return;
    if (device === "microphone") track.enabled = this.#talking || !this.#wantsMuted;
    track.onended = () => this.#lost(device);
    track.onmute = track.onunmute = () => this.emit("change", null);
  }

  /** @param {Device} device of which nothing is to be said any more */
  #acquit(device) {
    this.#problems = this.#problems.filter((problem) => problem.device !== device);
  }

  // ---- changed while they are open

  /**
   * @param {Device} device
   * @returns {Wish} what it would be opened for now
   */
  #wish(device) {
    const { choices } = this.#preferences;
    const id = this.#inventory.find(device, choices[device])?.id ?? null;
    const sound = device === "microphone";
    return {
      id,
      group: sound && id === null ? this.#inventory.systemMicrophoneGroup : null,
      processing: sound ? `${choices.noiseSuppression} ${choices.echoCancellation}` : "",
    };
  }

  /**
   * The choice is another one, or what it means is: each device that is open is changed to what is meant now.
   *
   * @param {boolean} tells whether that is news to the person
   */
  #follow(tells) {
    for (const device of DEVICES) if (this.#isOutdated(device)) this.#change(device, tells);
  }

  /** @param {Device} device */
  #isOutdated(device) {
    const granted = this.#granted[device];
    const wish = this.#wish(device);
    if (!granted || !this.#tracks[device]) return false;
    if (granted.id === null && granted.group === null) granted.group = wish.group; // known only since it was opened
    return granted.id !== wish.id || granted.processing !== wish.processing || granted.group !== wish.group;
  }

  /**
   * @param {Device} device
   * @param {boolean} tells
   */
  #change(device, tells) {
    this.#next(async () => {
      const before = this.#tracks[device];
      if (this.#stopped || !before || !this.#isOutdated(device)) return; // what was asked before has done it
      if (device === "camera") before.stop(); // telephones cannot have two cameras open
      this.#acquit(device);
      this.#problems.push(...(await this.#openOne(device)));
      if (this.#tracks[device] !== before) {
        if (tells) this.#tellReplaced(device);
      } else if (before.readyState === "ended") this.#setTrack(device, null);
      else this.#granted[device] = this.#wish(device); // the one before goes on, and nothing is asked again and again
    });
  }

  /** @param {Device} device */
  #tellReplaced(device) {
    const track = this.#tracks[device];
    if (!track) return;
    const entry = { id: track.getSettings().deviceId ?? "", label: track.label };
    this.emit("notice", { kind: "replaced", device, entry });
  }

  /** @param {Device} device pulled out, or taken away by the browser's own switch */
  #lost(device) {
    if (this.#stopped) return;
    this.#setTrack(device, null);
    this.#next(async () => {
      if (this.#tracks[device]) return;
      await this.#inventory.refresh();
      this.#acquit(device);
      this.#problems = [...this.#problems, ...(await this.#openOne(device))];
      this.#tellReplaced(device);
    });
    this.emit("change", null);
  }

  #lookForNew() {
    const { lists } = this.#inventory;
    const all = DEVICES.flatMap((device) => lists[device].map((entry) => ({ device, entry })));
    const named = all.filter(({ entry }) => entry.label !== "");
    const before = this.#known;
    if (named.length === 0) return; // without permission they have no names
    this.#known = new Set(named.map(({ entry }) => entry.id));
    if (!before) return;
    for (const { device, entry } of named) {
      if (before.has(entry.id) || !this.#tracks[device] || this.#isOutdated(device)) continue;
      this.emit("notice", { kind: "found", device, entry });
    }
  }
}
