/** A short sound, to hear whether a speaker works and how loud it is. */

/** Two notes, the second a fourth above the first: nothing else on the page sounds like it. */
const NOTES_HZ = [523.25, 698.46];
const NOTE_S = 0.35;
const LOUDNESS = 0.25;
/** Attack and release: without them the edges click. */
const EDGE_S = 0.03;
/** A speaker that was asleep swallows the beginning. */
const LEAD_S = 0.1;

/**
 * @param {string | null} speakerId null: the one that the system uses
 * @returns {Promise<void>} kept when it has sounded; rejects if that speaker cannot be used
 */
export async function chime(speakerId) {
  const context = new AudioContext();
  const output = context.createMediaStreamDestination();
  const player = new Audio();
  try {
    if (speakerId !== null) await player.setSinkId(speakerId);
    player.srcObject = output.stream;
    await Promise.all([context.resume(), player.play()]);
    const last = NOTES_HZ.map((frequency, index) => note(context, output, frequency, index)).at(-1);
    await new Promise((resolve) => last?.addEventListener("ended", resolve));
  } finally {
    player.srcObject = null;
    await context.close();
  }
}

/**
 * @param {AudioContext} context
 * @param {AudioNode} output
 * @param {number} frequency
 * @param {number} index
 */
function note(context, output, frequency, index) {
  const startS = context.currentTime + LEAD_S + index * NOTE_S;
  const oscillator = new OscillatorNode(context, { frequency });
  const envelope = new GainNode(context, { gain: 0 });
  envelope.gain.setValueAtTime(0, startS);
  envelope.gain.linearRampToValueAtTime(LOUDNESS, startS + EDGE_S);
  envelope.gain.setValueAtTime(LOUDNESS, startS + NOTE_S - EDGE_S);
  envelope.gain.linearRampToValueAtTime(0, startS + NOTE_S);
  oscillator.connect(envelope).connect(output);
  oscillator.start(startS);
  oscillator.stop(startS + NOTE_S);
  return oscillator;
}

/** @returns {boolean} whether this browser can play through another speaker than the system's */
export function choosesSpeaker() {
  return "setSinkId" in HTMLMediaElement.prototype;
}
