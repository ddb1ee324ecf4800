/**
 * Does anything come out of the microphone?
 *
 * @typedef {import("./findings.js").Finding} Finding
 */
import { loudness } from "../media/levels.js";
import { failed, ok, warning } from "./findings.js";

const LOOK_EVERY_MS = 50;
/** What somebody who speaks at arm's length reaches. */
const SPEECH_LEVEL = 30;
/** So many looks at speech: a key that is pressed is over sooner. */
const LOOKS_AT_SPEECH = 4;
/** As long as somebody takes to read that they should say something, and to say it. */
const LISTEN_MS = 10_000;
const SAMPLES = 2048;

/**
 * @param {MediaStreamTrack} track
 * @param {(level: number) => void} onLevel from 0 to 100, twenty times a second, until it is stopped
 * @param {AbortSignal} signal stops it
 * @returns {Promise<Finding>} as soon as speech was heard
 */
export function checkMicrophone(track, onLevel, signal) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: SAMPLES });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(SAMPLES);
  const label = track.label;
  let heard = 0;
  let anything = false;
  return new Promise((resolve) => {
    const timer = setInterval(look, LOOK_EVERY_MS);
    const deadline = setTimeout(() => resolve(judge()), LISTEN_MS);
    signal.addEventListener("abort", end, { once: true });

    function look() {
      analyser.getFloatTimeDomainData(samples);
      anything ||= samples.some((sample) => sample !== 0);
      const level = loudness(samples);
      onLevel(level);
      if (level >= SPEECH_LEVEL) heard += 1;
      if (heard === LOOKS_AT_SPEECH) resolve(ok("heard", { label }));
    }

    function judge() {
      if (track.readyState === "ended") return failed("unplugged");
      // No room is so quiet that all samples are zero: a switch on the device, or of the system, is off.
      return anything ? warning("quiet", { label }) : failed("silent", { label });
    }

    function end() {
      clearInterval(timer);
      clearTimeout(deadline);
      context.close();
      resolve(judge());
    }
  });
}
