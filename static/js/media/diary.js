/**
 * What happened in a call on this page, noted while it happens, so that afterwards the page can say why it failed: what
 * the devices, the room's socket and the paths to the others did. No addresses of anybody, nothing of what was said.
 *
 * @typedef {import("../realtime/clock.js").Clock} Clock
 * @typedef {import("../types.js").Frame} Frame
 * @typedef {import("./call.js").CallView} CallView
 * @typedef {import("./devices.js").MediaProblem} MediaProblem
 * @typedef {import("./path_stats.js").Summary} Summary
 * @typedef {import("./peer.js").Peer} Peer
 *
 * @typedef {{url: string, code: number, text: string}} CandidateError of a STUN or TURN server, as the browser says it
 *
 * @typedef {object} PathFacts
 * @property {string} legId
 * @property {string} state of the connection, as it was last
 * @property {boolean} connected whether it ever was
 * @property {Record<string, number>} found how many own addresses of each kind were found
 * @property {CandidateError[]} errors
 * @property {Summary | null} quality as it was last
 *
 * @typedef {object} DiaryFacts
 * @property {number} beganAtMs
 * @property {{atMs: number, text: string}[]} entries the newest, in their order
 * @property {PathFacts[]} paths
 * @property {MediaProblem[]} problems of the own devices, as they were last
 * @property {string[]} lost legs that the server has given up
 * @property {string} link the state of the room's socket, as it was last
 * @property {{stun: number, turn: number, policy: string} | null} servers how many the browser was given to connect with
 * @property {boolean} online whether this device had a network, as far as it knows
 *
 * @typedef {object} DiaryRoom what it needs of a call's session
 * @property {CallView} view
 * @property {(name: any, listener: (detail: any) => void) => () => void} on
 */
import { systemClock } from "../realtime/clock.js";
import { Emitter } from "../realtime/emitter.js";

const ENTRIES_KEPT = 200;
const ERRORS_KEPT = 12;

/** @extends {Emitter<{change: null}>} */
export class Diary extends Emitter {
  #room;
  #media;
  #clock;
  #isOnline;
  /** @type {DiaryFacts} */
  #facts;
  #phase = "";

  /**
   * @param {DiaryRoom} room
   * @param {{problems: MediaProblem[]}} media
   * @param {object} [options]
   * @param {DiaryFacts | null} [options.kept] from before the page was loaded anew
   * @param {import("../types.js").IceConfig | null} [options.ice] what the browser is given to connect with
   * @param {() => boolean} [options.isOnline]
   * @param {Clock} [options.clock]
   */
  constructor(room, media, { kept = null, ice = null, isOnline = () => navigator.onLine, clock = systemClock } = {}) {
    super();
    this.#room = room;
    this.#media = media;
    this.#clock = clock;
    this.#isOnline = isOnline;
    this.#facts = kept ?? {
      beganAtMs: clock.now(),
      entries: [],
      paths: [],
      problems: [],
      lost: [],
      link: "",
      servers: ice && serversOf(ice),
      online: true,
    };
    room.on("change", () => this.#look());
    room.on("frame", (frame) => this.#hear(frame));
    room.on("peer", ({ legId, peer }) => {
      if (peer) this.#follow(legId, peer);
    });
    this.#look();
  }

  /** @returns {DiaryFacts} */
  get facts() {
    return this.#facts;
  }

  /**
   * How good a path was last: what is measured of it is forgotten with it.
   *
   * @param {string} legId
   * @param {Summary} summary
   */
  noteQuality(legId, summary) {
    this.#pathTo(legId).quality = summary;
    this.emit("change", null);
  }

  #look() {
    const { phase, link, over } = this.#room.view;
    const facts = this.#facts;
    if (phase === "ended" && this.#phase === "") {
      this.#phase = phase; // looked at again, afterwards: what was noted then stays as it is
      return;
    }
    if (phase !== this.#phase && this.#phase !== "ended") {
      this.#note(`phase ${phase}${over ? ` ${Object.values(over)[0]}` : ""}`);
    }
    // With the end of the call everything is closed, and nothing is learned from it any more.
    if (phase !== "ended") {
      if (link !== facts.link) this.#note(`socket ${link}`);
      facts.link = link;
      facts.online = this.#isOnline();
      this.#lookAtDevices();
    }
    this.#phase = phase;
  }

  #lookAtDevices() {
    const { problems } = this.#media;
    if (JSON.stringify(problems) === JSON.stringify(this.#facts.problems)) return;
    this.#facts.problems = problems.map(({ device, kind }) => ({ device, kind }));
    this.#note(`devices ${problems.map(({ device, kind }) => `${device}=${kind}`).join(" ") || "fine"}`);
  }

  /** @param {Frame} frame */
  #hear({ type, leg_id: legId, reason, participant }) {
    if (type === "join") this.#facts.lost = this.#facts.lost.filter((lost) => lost !== participant.leg_id);
    if (type !== "leave") return;
    this.#note(`leave ${legId} ${reason}`);
    if (reason === "connection_lost") this.#facts.lost.push(legId);
  }

  /**
   * @param {string} legId
   * @param {Pick<Peer, "connection">} peer
   */
  #follow(legId, { connection }) {
    const path = this.#pathTo(legId);
    connection.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate?.type) path.found[candidate.type] = (path.found[candidate.type] ?? 0) + 1;
    });
    connection.addEventListener("icecandidateerror", (event) => this.#serverFailed(path, event));
    connection.addEventListener("connectionstatechange", () => {
      const state = connection.connectionState;
      if (state === "closed") return;
      path.state = state;
      path.connected ||= state === "connected";
      this.#note(`path ${legId} ${state}`);
    });
  }

  /** @param {string} legId */
  #pathTo(legId) {
    let path = this.#facts.paths.find((each) => each.legId === legId);
    if (!path) {
      path = { legId, state: "new", connected: false, found: {}, errors: [], quality: null };
      this.#facts.paths.push(path);
    }
    return path;
  }

  /**
   * Why a candidate never came. One server is asked from each network of the device, and says the same each time.
   *
   * @param {PathFacts} path
   * @param {RTCPeerConnectionIceErrorEvent} event
   */
  #serverFailed(path, { url, errorCode: code, errorText: text }) {
    const known = path.errors.some((error) => error.url === url && error.code === code);
    if (known || path.errors.length >= ERRORS_KEPT) return;
    path.errors.push({ url, code, text });
    this.#note(`server ${url} ${code} ${text}`);
  }

  /** @param {string} text */
  #note(text) {
    const { entries } = this.#facts;
    entries.push({ atMs: this.#clock.now(), text });
    entries.splice(0, entries.length - ENTRIES_KEPT);
    this.emit("change", null);
  }
}

/** @param {import("../types.js").IceConfig} ice */
function serversOf({ ice_servers, policy }) {
  const urls = ice_servers.flatMap((server) => server.urls);
  const turn = urls.filter((url) => url.startsWith("turn")).length;
  return { stun: urls.length - turn, turn, policy };
}
