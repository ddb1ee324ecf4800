/**
 * Sound before pictures: one's own picture makes room on a weak network, one is told so, and of the others one sees who
 * has had to do the same.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../media/call.js").OtherView} OtherView
 */
import { AudioFirst } from "../../media/audio_first.js";
import { browserNetwork } from "../../media/network.js";
import { lessPictureWords, wholeAgain } from "../../strings/sound.js";
import { announce } from "../announcer.js";
import { need, setText } from "../dom.js";
import { isRunning, isTalking, onPhase } from "./context.js";

/** @param {CallContext} context */
export function startAudioFirst({ session, media }) {
  const badge = need("#call-badges [data-badge=less]");
  const audioFirst = new AudioFirst({ peers: session.peers, media, screen: session.screen });
  let said = "";
  let saving = media.saving;

  function draw() {
    const { others } = session.view;
    const words = isTalking(session) && media.camera ? wordsFor(others) : "";
    badge.hidden = words === "";
    if (words) setText(need("[data-words]", badge), words);
    if (words !== said) announce(words || wholeAgain);
    said = words;
    for (const other of others) drawStalled(other);
  }

  /** @param {OtherView[]} others */
  function wordsFor(others) {
    for (const how of /** @type {const} */ (["paused", "smaller"])) {
      const names = others.filter(({ legId }) => audioFirst.sentTo(legId) === how).map(({ user }) => user.display_name);
      if (names.length > 0) return lessPictureWords(how, names, names.length === others.length);
    }
    return "";
  }

  /** @param {OtherView} other */
  function drawStalled({ legId, media: theirs, stream }) {
    const tile = /** @type {HTMLElement | null} */ (document.querySelector(`[data-key="${CSS.escape(legId)}"]`));
    const [track] = stream?.getVideoTracks() ?? [];
    if (tile) tile.dataset.stalled = theirs.video && track && audioFirst.isStalled(legId, track.id) ? "yes" : "no";
  }

  /** The other side is asked for more, or less: every path is negotiated anew. */
  function askAnew() {
    if (media.saving === saving || !isRunning(session)) return;
    saving = media.saving;
    for (const peer of session.peers.values()) peer.restart();
  }

  audioFirst.on("change", draw);
  session.on("change", draw);
  media.preferences.on("change", askAnew);
  browserNetwork()?.addEventListener("change", askAnew);
  audioFirst.start();
  draw();
  onPhase(session, (phase) => {
    if (phase === "ended") audioFirst.stop();
  });
}
