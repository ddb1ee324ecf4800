/**
 * What is heard of the others, and through which speaker.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 */
import { need } from "../dom.js";
import { Voices } from "../voices.js";
import { onPhase } from "./context.js";

/** @param {CallContext} context */
export function startVoices({ session, media }) {
  const { preferences, inventory } = media;
  const tapToHear = need("#tap-to-hear");
  const voices = new Voices(need("#voices"), () => {
    tapToHear.hidden = false;
  });

  function draw() {
    const { phase, others } = session.view;
    voices.draw(phase === "ended" ? [] : others);
  }

  const route = () => voices.speakThrough(inventory.find("speaker", preferences.choices.speaker)?.id ?? null);

  tapToHear.addEventListener("click", () => {
    tapToHear.hidden = true;
    voices.play();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") voices.play();
  });
  preferences.on("change", route);
  inventory.on("change", route);
  session.on("change", draw);
  window.addEventListener("load", draw);
  route();
  draw();
  onPhase(session, (phase) => {
    if (phase === "ended") tapToHear.hidden = true;
  });
}
