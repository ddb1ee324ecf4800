/**
 * One check of everything: microphone and camera first, because the browser asks for them; then what is independent of
 * each other at the same time; the speed alone, so that nothing takes of it. The speaker is the person's to judge.
 *
 * @typedef {import("../api.js").Api} Api
 * @typedef {import("../media/devices.js").Device} Device
 * @typedef {import("./findings.js").Finding} Finding
 * @typedef {import("./findings.js").Step} Step
 * @typedef {import("./relay.js").Tried} Tried
 * @typedef {{video: HTMLVideoElement, onLevel: (level: number) => void}} Screens where one sees and hears oneself
 *
 * @typedef {object} CheckEvents
 * @property {Step} running
 * @property {Step} found
 * @property {null} asking for microphone and camera
 * @property {null} done everything but the speaker
 */
import { LocalMedia } from "../media/devices.js";
import { Emitter } from "../realtime/emitter.js";
import { checkBandwidth } from "./bandwidth.js";
import { checkCamera } from "./camera.js";
import { failed, ok, skipped, warning } from "./findings.js";
import { checkMicrophone } from "./microphone.js";
import { checkRelay } from "./relay.js";
import { checkServer } from "./server.js";
import { checkStun } from "./stun.js";

/** @extends {Emitter<CheckEvents>} */
export class CheckRun extends Emitter {
  #api;
  #socketUrl;
  #media = new LocalMedia();
  #ended = new AbortController();
  /** @type {Map<Step, Finding>} */
  findings = new Map();
  /** What each address of the relay came to. @type {Tried[]} */
  relays = [];

  /**
   * @param {Api} api
   * @param {string} socketUrl of the user socket
   */
  constructor(api, socketUrl) {
    super();
    this.#api = api;
    this.#socketUrl = socketUrl;
  }

  /** @param {Screens} screens @returns {Promise<void>} when all is found but what the person says of the speaker */
  async start(screens) {
    this.emit("asking", null);
    await this.#media.open({ camera: true });
    await Promise.all([this.#microphone(screens), this.#camera(screens), this.#server(), this.#network()]);
    this.emit("done", null); // while the camera is still on: its last picture is kept
    this.stop();
  }

  /** Lets go of microphone and camera. */
  stop() {
    this.#ended.abort();
    this.#media.stop();
  }

  /** @param {"heard" | "not_heard" | "blocked"} said of the sound that was played */
  judgeSpeaker(said) {
    this.#found("speaker", said === "heard" ? ok("heard") : failed(said));
  }

  /** @param {Screens} screens */
  async #microphone({ onLevel }) {
    const { microphone } = this.#media;
    if (!microphone) return this.#found("microphone", failed(this.#problem("microphone")));
    this.emit("running", "microphone");
    this.#found("microphone", await checkMicrophone(microphone, onLevel, this.#ended.signal));
  }

  /** @param {Screens} screens */
  async #camera({ video }) {
    const { camera } = this.#media;
    if (camera) {
      this.emit("running", "camera");
      this.#found("camera", await checkCamera(camera, video));
      return;
    }
    const problem = this.#problem("camera");
    // One can call without a camera, and many do.
    this.#found("camera", problem === "missing" ? warning("missing") : failed(problem));
  }

  async #server() {
    this.emit("running", "server");
    this.#found("server", await checkServer(this.#socketUrl, () => this.#api.wsToken()));
  }

  async #network() {
    const config = await this.#api.checkIceServers().catch(() => null);
    const relaying = this.#relay(config);
    const address = this.#stun(config);
    const relay = await relaying;
    await address;
    this.emit("running", "bandwidth");
    const transfers = { down: () => this.#api.checkDown(), up: () => this.#api.checkUp() };
    this.#found("bandwidth", await checkBandwidth(relay, transfers));
  }

  /** @param {import("../types.js").IceConfig | null} config null if the server did not tell */
  async #stun(config) {
    this.emit("running", "stun");
    this.#found("stun", config ? await checkStun(config.ice_servers, config.policy) : skipped("not_asked"));
  }

  /** @param {import("../types.js").IceConfig | null} config */
  async #relay(config) {
    this.emit("running", "relay");
    if (!config) {
      this.#found("relay", failed("not_asked"));
      return null;
    }
    const { finding, tried, working } = await checkRelay(config.ice_servers);
    this.relays = tried;
    this.#found("relay", finding);
    return working;
  }

  /** @param {Device} device */
  #problem(device) {
    const problems = this.#media.problems;
    return (problems.find((problem) => problem.device === device) ?? problems[0])?.kind ?? "missing";
  }

  /**
   * @param {Step} step
   * @param {Finding} finding
   */
  #found(step, finding) {
    this.findings.set(step, finding);
    this.emit("found", step);
  }
}
