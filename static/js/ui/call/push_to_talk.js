/**
 * Heard for as long as one holds: the space bar, also when one has just muted oneself; and, if one has chosen to talk only
 * so, the microphone button.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 */
import { _ } from "../../i18n.js";
import { sound as strings } from "../../strings/sound.js";
import { need, setText } from "../dom.js";
import { isRunning } from "./context.js";

/** Who has no keyboard holds the button. */
const FINGER = matchMedia("(pointer: coarse)");

/** @param {CallContext} context */
export function startPushToTalk({ session, media, shortcuts }) {
  const { preferences } = media;
  const button = need("#mute");
  const hint = need("#push-to-talk");

  function draw() {
    const chosen = isRunning(session) && media.microphone !== null && preferences.choices.pushToTalk;
    const shown = chosen && (media.muted || media.talking);
    const how = FINGER.matches ? strings.holdButton : strings.holdSpace;
    hint.hidden = !shown;
    hint.dataset.talking = media.talking ? "yes" : "no";
    setText(need("[data-words]", hint), media.talking ? strings.talking : how);
    if (shown) setText(need("[data-label]", button), media.talking ? strings.talking : strings.holdToTalk);
  }

  const talk = () => media.setTalking(true);
  const rest = () => media.setTalking(false);

  const first = () => preferences.choices.pushToTalk;
  shortcuts.add({ key: " ", label: _("Space"), words: _("Talk while you hold it"), run: talk, release: rest, first });
  button.addEventListener("pointerdown", (event) => {
    if (!preferences.choices.pushToTalk || event.button !== 0 || !media.microphone) return;
    button.setPointerCapture(event.pointerId); // let go beside it counts, too
    talk();
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) button.addEventListener(end, rest);
  button.addEventListener("contextmenu", (event) => {
    if (media.talking) event.preventDefault(); // what a long press means elsewhere
  });
  button.addEventListener(
    "click",
    (event) => {
      // It was held and not pressed; by the keyboard it is pressed.
      if (preferences.choices.pushToTalk && media.microphone && event.detail > 0) event.stopImmediatePropagation();
    },
    { capture: true },
  );
  document.addEventListener("visibilitychange", rest);
  session.on("change", draw);
  draw();
}
