/**
 * What the page says while its line to the server is away, and when it is gone for good.
 *
 * @typedef {import("../realtime/socket.js").RingbackSocket} RingbackSocket
 */
import { closeRule } from "../realtime/close_codes.js";
import { CLOSED, link as strings } from "../strings.js";
import { announce } from "./announcer.js";
import { need, setText } from "./dom.js";
import { offerStep } from "./next_steps.js";

/** Most interruptions are over before anybody could read about them. */
const PATIENCE_MS = 2_000;

export class LinkBanner {
  #banner = need("#link-banner");
  #text = need("[data-text]", this.#banner);
  /** @type {HTMLButtonElement} */
  #button = need("button", this.#banner);
  /** @type {any} */
  #timer = null;
  #away = false;

  /** @param {RingbackSocket} socket */
  constructor(socket) {
    socket.on("state", ({ state }) => this.#follow(state));
    socket.on("closed", ({ code, name }) => this.#ended(code, name));
    window.addEventListener("offline", () => this.#away && this.#showAway());
  }

  /** @param {string} state */
  #follow(state) {
    if (state === "open") {
      clearTimeout(this.#timer);
      this.#timer = null;
      if (this.#away) this.#restored();
    } else if (state === "waiting") {
      this.#timer ??= setTimeout(() => this.#showAway(), PATIENCE_MS);
    }
  }

  #showAway() {
    this.#away = true;
    this.#show(navigator.onLine ? strings.reconnecting : strings.offline, "away");
  }

  #restored() {
    this.#away = false;
    delete this.#banner.dataset.tone;
    setText(this.#text, "");
    announce(strings.restored);
  }

  /**
   * @param {number} code
   * @param {string} name
   */
  #ended(code, name) {
    clearTimeout(this.#timer);
    this.#show(CLOSED[name] ?? CLOSED.unknown, "ended");
    offerStep(this.#button, closeRule(code).next);
  }

  /**
   * @param {string} sentence
   * @param {"away" | "ended"} tone
   */
  #show(sentence, tone) {
    this.#banner.dataset.tone = tone;
    this.#button.hidden = true;
    setText(this.#text, sentence);
  }
}
