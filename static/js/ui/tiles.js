/**
 * The pictures of the others: one tile each, and one more for a screen that somebody shows; kept as long as
 * they are there, so that nothing flickers.
 *
 * @typedef {import("../types.js").User} User
 * @typedef {import("../media/other.js").OtherView} OtherView
 *
 * @typedef {object} TileOptions
 * @property {() => void} onSilenced the browser lets nothing play before a gesture
 * @property {(key: string) => void} onEnlarge somebody wants to see that tile large, or no longer
 */
import { _ } from "../i18n.js";
import { drawAvatar } from "./avatar.js";
import { bestColumns } from "./call/grid.js";
import { copyOf, need, setText } from "./dom.js";

export class Tiles {
  #root;
  #onSilenced;
  #onEnlarge;
  /** @type {Map<string, HTMLElement>} */
  #tiles = new Map();

  /**
   * @param {HTMLElement} root
   * @param {TileOptions} options
   */
  constructor(root, { onSilenced, onEnlarge }) {
    this.#root = root;
    this.#onSilenced = onSilenced;
    this.#onEnlarge = onEnlarge;
    new ResizeObserver(() => this.#arrange()).observe(root);
  }

  /**
   * @param {OtherView[]} others
   * @param {string | null} [large] the key of the tile that is shown large, all others small beside it
   */
  draw(others, large = null) {
    /** @type {Map<string, OtherView>} */
    const wanted = new Map(others.map((other) => [other.legId, other]));
    for (const other of others) if (showsScreen(other)) wanted.set(screenKey(other.legId), other);
    for (const [key, tile] of this.#tiles) {
      if (wanted.has(key)) continue;
      tile.remove();
      this.#tiles.delete(key);
    }
    for (const [key, other] of wanted) {
      const tile = this.#tiles.get(key) ?? this.#add(key, other.user);
      this.#drawOne(tile, other);
      this.#drawPlace(tile, key, large, wanted.size);
    }
    this.#root.dataset.count = String(wanted.size);
    this.#root.dataset.layout = wanted.size < 2 ? "one" : large !== null && wanted.has(large) ? "large" : "grid";
    this.#arrange();
  }

  /**
   * Marks those who speak.
   *
   * @param {Set<string>} legIds
   */
  mark(legIds) {
    for (const [key, tile] of this.#tiles) {
      const speaks = legIds.has(key) ? "yes" : "no";
      if (tile.dataset.speaking !== speaks) tile.dataset.speaking = speaks;
    }
  }

  /** Plays everything, as a gesture allows. */
  play() {
    for (const tile of this.#tiles.values()) this.#start(need("video", tile));
  }

  /** @param {string} key @param {User} user */
  #add(key, user) {
    const tile = copyOf("tile-template");
    const isScreen = key !== key.split("/")[0];
    tile.dataset.kind = isScreen ? "screen" : "person";
    const name = isScreen ? _("%(name)s’s screen", { name: user.display_name }) : user.display_name;
    if (!isScreen) tile.dataset.legId = key;
    /** @type {HTMLVideoElement} */
    const video = need("video", tile);
    video.setAttribute("aria-label", name);
    video.muted = true; // their voice is heard by itself: see voices.js
    tile.dataset.key = key;
    video.addEventListener("resize", () => {
      tile.dataset.orientation = video.videoHeight > video.videoWidth ? "portrait" : "landscape";
    });
    setText(need("[data-name]", tile), name);
    drawAvatar(need(".avatar", tile), user);
    need("[data-enlarge]", tile).addEventListener("click", () => this.#onEnlarge(key));
    this.#tiles.set(key, tile);
    this.#root.append(tile);
    return tile;
  }

  /**
   * @param {HTMLElement} tile
   * @param {OtherView} other
   */
  #drawOne(tile, other) {
    const isScreen = tile.dataset.kind === "screen";
    const stream = isScreen ? other.screen : other.stream;
    const broken = other.path === "disconnected" || other.path === "failed";
    tile.dataset.picture = isScreen || showsPicture(other) ? "yes" : "no";
    tile.dataset.away = broken ? "yes" : "no";
    need("[data-muted]", tile).hidden = isScreen || other.media.audio;
    need("[data-hand]", tile).hidden = isScreen || !other.media.hand;
    setText(need("[data-note]", tile), noteOf(other));
    /** @type {HTMLVideoElement} */
    const video = need("video", tile);
    // A video that waits for its first picture holds up the load event of the page; where no way is found, for ever.
    if (stream && video.srcObject !== stream && document.readyState === "complete") {
      video.srcObject = stream;
      this.#start(video);
    }
  }

  /**
   * @param {HTMLElement} tile
   * @param {string} key
   * @param {string | null} large
   * @param {number} count
   */
  #drawPlace(tile, key, large, count) {
    tile.dataset.size = key === large && count > 1 ? "large" : "usual";
    const button = need("[data-enlarge]", tile);
    const name = need("[data-name]", tile).textContent ?? "";
    button.hidden = count < 2;
    button.setAttribute("aria-pressed", String(key === large));
    button.setAttribute("aria-label", key === large ? _("Show all at the same size") : _("Show %(name)s large", { name }));
  }

  /** Only the number of columns is a matter of measures; the rest is the style sheet's. */
  #arrange() {
    const { clientWidth, clientHeight } = this.#root;
    const count = this.#tiles.size;
    const columns = bestColumns(Math.max(1, count), clientWidth, clientHeight);
    this.#root.dataset.rest = columns > 1 && count > columns ? String(count % columns) : "0";
    this.#root.style.setProperty("--columns", String(columns));
  }

  /** @param {HTMLVideoElement} video */
  #start(video) {
    video.play().catch((error) => {
      if (error.name === "NotAllowedError") this.#onSilenced();
    });
  }
}

/** @param {string} legId @returns {string} the key of the tile with their screen */
export function screenKey(legId) {
  return `${legId}/screen`;
}

/**
 * @param {OtherView} other
 * @returns {boolean} whether there is something to see of them
 */
export function showsPicture({ media, stream, path }) {
  return media.video && path !== null && (stream?.getVideoTracks().length ?? 0) > 0;
}

/**
 * @param {OtherView} other
 * @returns {boolean} whether their screen is there to be seen
 */
export function showsScreen({ media, screen, path }) {
  return media.screen && path !== null && screen !== null;
}

/** @param {OtherView} other */
function noteOf({ path, reconnecting }) {
  if (path === "disconnected" || path === "failed") return _("No connection at the moment");
  if (reconnecting) return _("Reconnecting…");
  return path === "connected" ? "" : _("Connecting…");
}
