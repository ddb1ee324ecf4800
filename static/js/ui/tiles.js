/**
 * The pictures and voices of the others: one tile each, kept as long as they are there, so that nothing flickers.
 *
 * @typedef {import("../media/call.js").OtherView} OtherView
 */
import { drawAvatar } from "./avatar.js";
import { copyOf, need } from "./dom.js";

export class Tiles {
  #root;
  #onSilenced;
  /** @type {Map<string, HTMLElement>} */
  #tiles = new Map();

  /**
   * @param {HTMLElement} root
   * @param {() => void} onSilenced the browser does not let a voice be heard before a gesture
   */
  constructor(root, onSilenced) {
    this.#root = root;
    this.#onSilenced = onSilenced;
  }

  /** @param {OtherView[]} others */
  draw(others) {
    const here = new Set(others.map(({ legId }) => legId));
    for (const [legId, tile] of this.#tiles) {
      if (here.has(legId)) continue;
      tile.remove();
      this.#tiles.delete(legId);
    }
    for (const other of others) this.#drawOne(this.#tiles.get(other.legId) ?? this.#add(other), other);
    this.#root.dataset.count = String(others.length);
  }

  /** Plays everything, as a gesture allows. */
  play() {
    for (const tile of this.#tiles.values()) this.#start(need("video", tile));
  }

  /** @param {OtherView} other */
  #add({ legId, user }) {
    const tile = copyOf("tile-template");
    /** @type {HTMLVideoElement} */
    const video = need("video", tile);
    video.setAttribute("aria-label", user.display_name);
    video.addEventListener("resize", () => {
      tile.dataset.orientation = video.videoHeight > video.videoWidth ? "portrait" : "landscape";
    });
    need("[data-name]", tile).textContent = user.display_name;
    drawAvatar(need(".avatar", tile), user);
    this.#tiles.set(legId, tile);
    this.#root.append(tile);
    return tile;
  }

  /**
   * @param {HTMLElement} tile
   * @param {OtherView} other
   */
  #drawOne(tile, other) {
    const { stream, media, path } = other;
    tile.dataset.picture = showsPicture(other) ? "yes" : "no";
    tile.dataset.away = path === "disconnected" || path === "failed" ? "yes" : "no";
    need("[data-muted]", tile).hidden = media.audio;
    /** @type {HTMLVideoElement} */
    const video = need("video", tile);
    if (stream && video.srcObject !== stream) {
      video.srcObject = stream;
      this.#start(video);
    }
  }

  /** @param {HTMLVideoElement} video */
  #start(video) {
    video.play().catch((error) => {
      if (error.name === "NotAllowedError") this.#onSilenced();
    });
  }
}

/**
 * @param {OtherView} other
 * @returns {boolean} whether there is something to see of them
 */
export function showsPicture({ media, stream, path }) {
  return media.video && path !== null && (stream?.getVideoTracks().length ?? 0) > 0;
}
