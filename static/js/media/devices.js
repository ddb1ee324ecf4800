/**
 * Microphone and camera of this person: opened, muted, switched off, and why they could not be. No DOM.
 *
 * @typedef {"denied" | "missing" | "in_use" | "insecure"} ProblemKind
 * @typedef {"microphone" | "camera"} Device
 * @typedef {{device: Device, kind: ProblemKind}} MediaProblem
 *
 * @typedef {object} LocalMediaEvents
 * @property {null} change
 */
import { Emitter } from "../realtime/emitter.js";

/** @type {MediaTrackConstraints} */
export const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
/** 720p is what a call on one screen shows; more only costs the other side's network. @type {MediaTrackConstraints} */
const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 }, facingMode: "user" };

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
  /** @type {MediaStreamTrack | null} */
  #microphone = null;
  /** @type {MediaStreamTrack | null} */
  #camera = null;
  /** @type {MediaProblem[]} */
  #problems = [];
  /** What the person sees of themselves. */
  #preview = new MediaStream();
  /** What the person wants, also of a microphone that comes later. */
  #wantsMuted = false;
  #stopped = false;

  /** @param {MediaDevices | undefined} [devices] undefined where the page is not served securely */
  constructor(devices = navigator.mediaDevices) {
    super();
    this.#devices = devices;
  }

  /** @returns {MediaStreamTrack | null} */
  get microphone() {
    return this.#microphone;
  }

  /** @returns {MediaStreamTrack | null} null while the camera is off: its light is out then */
  get camera() {
    return this.#camera;
  }

  get muted() {
    return !this.#microphone?.enabled;
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
  async open({ camera }) {
    if (!this.#devices) {
      this.#problems = [{ device: "microphone", kind: "insecure" }];
    } else {
      this.#problems = camera ? await this.#openBoth() : await this.#openOne("microphone");
    }
    this.emit("change", null);
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    this.#wantsMuted = muted;
    if (this.#microphone) this.#microphone.enabled = !muted;
    this.emit("change", null);
  }

  /**
   * Off means off: the camera is released, not just covered.
   *
   * @param {boolean} on
   */
  async setCamera(on) {
    this.#problems = this.#problems.filter(({ device }) => device !== "camera");
    if (!on) this.#setCameraTrack(null);
    else if (!this.#devices) this.#problems.push({ device: "camera", kind: "insecure" });
    else if (!this.#camera) this.#problems.push(...(await this.#openOne("camera")));
    this.emit("change", null);
  }

  /** Releases both for good. */
  stop() {
    this.#stopped = true;
    this.#microphone?.stop();
    this.#camera?.stop();
    this.emit("change", null);
  }

  /** @returns {Promise<MediaProblem[]>} */
  async #openBoth() {
    try {
      this.#take(await this.#ask({ audio: MICROPHONE, video: CAMERA }));
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
      this.#take(await this.#ask(device === "microphone" ? { audio: MICROPHONE } : { video: CAMERA }));
      return [];
    } catch (error) {
      return [{ device, kind: classify(error) }];
    }
  }

  /** @param {MediaStreamConstraints} constraints */
  #ask(constraints) {
    return /** @type {MediaDevices} */ (this.#devices).getUserMedia(constraints);
  }

  /** @param {MediaStream} stream */
  #take(stream) {
    if (this.#stopped) {
      for (const track of stream.getTracks()) track.stop(); // the call ended while the person was being asked
      return;
    }
    const [microphone] = stream.getAudioTracks();
    const [camera] = stream.getVideoTracks();
    if (microphone) this.#setMicrophoneTrack(microphone);
    if (camera) this.#setCameraTrack(camera);
  }

  /** @param {MediaStreamTrack} track */
  #setMicrophoneTrack(track) {
    this.#microphone?.stop();
    this.#microphone = track;
    track.enabled = !this.#wantsMuted;
    track.onended = () => this.#unplugged("microphone");
  }

  /** @param {MediaStreamTrack | null} track */
  #setCameraTrack(track) {
    if (this.#camera) {
      this.#preview.removeTrack(this.#camera);
      this.#camera.stop();
    }
    this.#camera = track;
    if (!track) return;
    this.#preview.addTrack(track);
    track.onended = () => this.#unplugged("camera");
  }

  /** @param {Device} device pulled out, or taken away by the browser's own switch */
  #unplugged(device) {
    if (this.#stopped) return;
    if (device === "microphone") this.#microphone = null;
    else this.#setCameraTrack(null);
    this.#problems = [...this.#problems.filter((problem) => problem.device !== device), { device, kind: "missing" }];
    this.emit("change", null);
  }
}
