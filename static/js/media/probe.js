/** How loud a microphone is right now, several times a second, from 0 to 100. */
import { loudness } from "./levels.js";

/** Often enough that a meter follows a voice. */
const LEVEL_EVERY_MS = 50;
/** 43 ms at 48 kHz: nothing between two looks is missed. */
const SAMPLES = 2_048;

/**
 * Also of a microphone that is muted: one sees that it works, and nobody hears it.
 *
 * @param {MediaStreamTrack} track stays whose it is: it is neither changed nor stopped
 * @param {(level: number) => void} onLevel
 * @returns {() => void} ends it
 */
export function probe(track, onLevel) {
  const own = track.clone();
  own.enabled = true;
  const context = new AudioContext();
  context.resume().catch(() => {}); // before a gesture some browsers let it sleep; then the meter rests
  const analyser = new AnalyserNode(context, { fftSize: SAMPLES });
  context.createMediaStreamSource(new MediaStream([own])).connect(analyser);
  const samples = new Float32Array(SAMPLES);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(loudness(samples));
  }, LEVEL_EVERY_MS);
  return () => {
    clearInterval(timer);
    own.stop();
    context.close();
  };
}
