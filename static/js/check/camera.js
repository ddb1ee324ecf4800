/**
 * Do pictures come out of the camera, and is there something on them?
 *
 * @typedef {import("./findings.js").Finding} Finding
 */
import { failed, ok, warning } from "./findings.js";
import { pause, within } from "./waiting.js";

/** A camera may take seconds until its first picture. */
const FIRST_PICTURE_MS = 8_000;
/** Pictures that go on: one may be left over. */
const PICTURES = 5;
/** Of 255. A room by night is brighter than a lens with a cover before it. */
const DARK = 12;
/** A camera begins dark and adjusts itself. */
const BRIGHTEN_MS = 1_500;
/** Enough to tell light from dark. */
const LOOK_WIDTH = 32;
const LOOK_HEIGHT = 18;

/**
 * @param {MediaStreamTrack} track
 * @param {HTMLVideoElement} video that shows it
 * @returns {Promise<Finding>}
 */
export async function checkCamera(track, video) {
  video.srcObject = new MediaStream([track]);
  video.play().catch(() => {}); // an element that is taken away meanwhile
  const came = await within(pictures(video), FIRST_PICTURE_MS);
  if (!came) return failed("no_picture", { label: track.label });
  if (brightness(video) < DARK) {
    await pause(BRIGHTEN_MS);
    if (brightness(video) < DARK) return warning("dark", { label: track.label });
  }
  return ok("seen", { label: track.label, width: video.videoWidth, height: video.videoHeight });
}

/** @param {HTMLVideoElement} video @returns {Promise<true>} when several pictures have come */
function pictures(video) {
  let count = 0;
  return new Promise((resolve) => {
    const next = () => {
      count += 1;
      if (count === PICTURES) resolve(true);
      else video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  });
}

/** @param {HTMLVideoElement} video @returns {number} the mean of its picture, 0 to 255 */
function brightness(video) {
  const canvas = document.createElement("canvas");
  canvas.width = LOOK_WIDTH;
  canvas.height = LOOK_HEIGHT;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return 255; // it cannot be told, so nothing is claimed
  context.drawImage(video, 0, 0, LOOK_WIDTH, LOOK_HEIGHT);
  const { data } = context.getImageData(0, 0, LOOK_WIDTH, LOOK_HEIGHT);
  let sum = 0;
  for (let index = 0; index < data.length; index += 4) sum += data[index] + data[index + 1] + data[index + 2];
  return sum / (3 * LOOK_WIDTH * LOOK_HEIGHT);
}
