/**
 * Several pictures in one, with the names of whom they show: what the video of a recording is made of. The elements in
 * it are never part of the page.
 *
 * @typedef {object} Seen
 * @property {string} key stays the same as long as it is the same picture
 * @property {string} name
 * @property {MediaStreamTrack | null} track null: they are there, and not to be seen
 * @property {boolean} screen whether it is somebody's screen, which is shown whole and large
 */

const WIDTH = 1280;
const HEIGHT = 720;
/** Enough for faces and for text: each picture is drawn and encoded by the processor, beside a call. */
const FRAMES_PER_S = 10;
const GAP = 8;
/** Of the width, for a screen; the people stand beside it. */
const SCREEN_PART = 0.78;
const GROUND = "#0b1110";
const TILE = "#1b2725";
const INK = "#ffffff";
const STRIP = "rgb(12 18 17 / 72%)";
const FONT = '"Inter Variable", system-ui, "Noto Sans CJK SC", sans-serif';

/** @typedef {{x: number, y: number, width: number, height: number}} Box */

export class Mosaic {
  #canvas = document.createElement("canvas");
  #brush = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d", { alpha: false }));
  /** @type {Map<string, {seen: Seen, video: HTMLVideoElement}>} */
  #tiles = new Map();
  #timer;
  #track;

  constructor() {
    this.#canvas.width = WIDTH;
    this.#canvas.height = HEIGHT;
    this.#draw();
    this.#track = this.#canvas.captureStream(FRAMES_PER_S).getVideoTracks()[0];
    this.#timer = setInterval(() => this.#draw(), 1_000 / FRAMES_PER_S);
  }

  /** @returns {MediaStreamTrack} all of them as one picture */
  get track() {
    return this.#track;
  }

  /** @param {Seen[]} wanted from now on */
  show(wanted) {
    const keys = new Set(wanted.map(({ key }) => key));
    for (const key of [...this.#tiles.keys()]) if (!keys.has(key)) this.#forget(key);
    /** @type {Map<string, {seen: Seen, video: HTMLVideoElement}>} */
    const tiles = new Map();
    for (const seen of wanted) {
      const tile = this.#tiles.get(seen.key) ?? { seen, video: hiddenVideo() };
      const shown = /** @type {MediaStream | null} */ (tile.video.srcObject)?.getVideoTracks()[0] ?? null;
      if (shown !== seen.track) {
        tile.video.srcObject = seen.track && new MediaStream([seen.track]);
        if (seen.track) tile.video.play().catch((error) => console.debug("a picture is not recorded yet", error));
      }
      tiles.set(seen.key, { ...tile, seen });
    }
    this.#tiles = tiles;
    this.#draw();
  }

  close() {
    clearInterval(this.#timer);
    this.#track.stop();
    for (const key of [...this.#tiles.keys()]) this.#forget(key);
  }

  /** @param {string} key */
  #forget(key) {
    const tile = this.#tiles.get(key);
    if (tile) tile.video.srcObject = null;
    this.#tiles.delete(key);
  }

  #draw() {
    this.#brush.fillStyle = GROUND;
    this.#brush.fillRect(0, 0, WIDTH, HEIGHT);
    const tiles = [...this.#tiles.values()];
    const boxes = layout(tiles.map(({ seen }) => seen.screen));
    tiles.forEach((tile, index) => this.#drawTile(tile, boxes[index]));
  }

  /**
   * @param {{seen: Seen, video: HTMLVideoElement}} tile
   * @param {Box} box
   */
  #drawTile({ seen, video }, { x, y, width, height }) {
    const brush = this.#brush;
    brush.save();
    brush.beginPath();
    brush.roundRect(x, y, width, height, 16);
    brush.clip();
    brush.fillStyle = TILE;
    brush.fillRect(x, y, width, height);
    if (seen.track && video.videoWidth > 0) {
      const scales = [width / video.videoWidth, height / video.videoHeight];
      const scale = seen.screen ? Math.min(...scales) : Math.max(...scales);
      const [w, h] = [video.videoWidth * scale, video.videoHeight * scale];
      brush.drawImage(video, x + (width - w) / 2, y + (height - h) / 2, w, h);
      this.#drawName(seen.name, x, y + height, width);
    } else {
      brush.fillStyle = INK;
      brush.font = `600 ${Math.round(Math.min(44, width / 8))}px ${FONT}`;
      brush.textAlign = "center";
      brush.textBaseline = "middle";
      brush.fillText(seen.name, x + width / 2, y + height / 2, width - 4 * GAP);
    }
    brush.restore();
  }

  /**
   * @param {string} name
   * @param {number} x
   * @param {number} bottom
   * @param {number} width
   */
  #drawName(name, x, bottom, width) {
    const brush = this.#brush;
    brush.font = `600 20px ${FONT}`;
    brush.textAlign = "left";
    brush.textBaseline = "middle";
    const wide = Math.min(brush.measureText(name).width, width - 6 * GAP);
    brush.fillStyle = STRIP;
    brush.beginPath();
    brush.roundRect(x + GAP, bottom - 32 - GAP, wide + 24, 32, 16);
    brush.fill();
    brush.fillStyle = INK;
    brush.fillText(name, x + GAP + 12, bottom - 15 - GAP, wide);
  }
}

/**
 * Where each picture stands: a grid, or screens large with the people in a column beside them.
 *
 * @param {boolean[]} screens for each picture whether it is a screen
 * @returns {Box[]}
 */
export function layout(screens) {
  const shown = screens.filter(Boolean).length;
  if (shown === 0 || shown === screens.length) return grid(screens.length, { x: 0, y: 0, width: WIDTH, height: HEIGHT });
  const edge = Math.round(WIDTH * SCREEN_PART);
  const large = grid(shown, { x: 0, y: 0, width: edge, height: HEIGHT }, 1);
  const small = grid(screens.length - shown, { x: edge, y: 0, width: WIDTH - edge, height: HEIGHT }, 1);
  return screens.map((screen) => /** @type {Box} */ (screen ? large.shift() : small.shift()));
}

/**
 * @param {number} count
 * @param {Box} area
 * @param {number} [columns]
 * @returns {Box[]}
 */
function grid(count, area, columns = Math.ceil(Math.sqrt(count))) {
  const rows = Math.ceil(count / columns);
  const width = (area.width - GAP * (columns + 1)) / columns;
  const height = (area.height - GAP * (rows + 1)) / rows;
  return Array.from({ length: count }, (_, index) => ({
    x: area.x + GAP + (index % columns) * (width + GAP),
    y: area.y + GAP + Math.floor(index / columns) * (height + GAP),
    width,
    height,
  }));
}

function hiddenVideo() {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  return video;
}
