/**
 * Recognises speech, beside the page, so that neither the call nor the page ever waits for it. Model and library are
 * files of this server, and this worker may connect to nothing else (its Content-Security-Policy, handlers/static.py).
 *
 * It is given a port on which frames come, and at the end null; and answers `{ready: true}`, `{failed: why}`, for each
 * piece `{segment, text, final}`, and when the last one was told `{ended: true}`.
 */
import { Segmenter } from "./segmenter.js";

const SPEECH = "/static/vendor/speech/";
/** The smaller of the two models, and the one that the package carries. */
const MODEL = "model/tiny";
/** Final pieces that wait: a machine that is this far behind cannot do it. */
const MAX_WAITING = 6;

/** A machine that takes longer for a piece tells what was said when it has been said, and not before. */
const QUICK_ENOUGH_MS = 1_500;

/** @typedef {import("./segmenter.js").Piece} Piece */

const segmenter = new Segmenter();
/** @type {Piece[]} */
const waiting = [];
let busy = false;
let ending = false;
let tookMs = 0;
/** @type {{generate: (samples: Float32Array) => Promise<string | undefined>}} */
let model;

self.onmessage = ({ data: port }) => {
  if (port === null) return end();
  port.onmessage = (/** @type {MessageEvent} */ { data }) => take(segmenter.push(data));
};

/** What was being said is told, although nobody has paused. */
function end() {
  ending = true;
  take(segmenter.flush());
  if (!busy) next();
}

/** @param {Piece | null} piece */
function take(piece) {
  if (!piece || !model) return;
  if (!piece.final) {
    if (!busy && tookMs < QUICK_ENOUGH_MS) recognise(piece);
    return;
  }
  if (waiting.length === MAX_WAITING) waiting.shift();
  waiting.push(piece);
  if (!busy) next();
}

function next() {
  const piece = waiting.shift();
  if (piece) recognise(piece);
  else if (ending) self.postMessage({ ended: true });
}

/** @param {Piece} piece */
async function recognise({ segment, samples, final }) {
  busy = true;
  const begunAtMs = performance.now();
  try {
    const text = (await model.generate(samples))?.trim() ?? "";
    self.postMessage({ segment, text, final });
  } catch (error) {
    console.warn("a piece of speech was not recognised", error);
  }
  tookMs = performance.now() - begunAtMs;
  busy = false;
  next();
}

try {
  // Not a static import: the address is data for the checker of types, which has no types for it.
  const { MoonshineModel, Settings } = await import(`${SPEECH}moonshine.min.js`);
  Object.assign(Settings.BASE_ASSET_PATH, { MOONSHINE: SPEECH, ONNX_RUNTIME: SPEECH });
  const loading = new MoonshineModel(MODEL);
  await loading.loadModel();
  model = loading;
  self.postMessage({ ready: true });
} catch (error) {
  self.postMessage({ failed: String(error) });
}
