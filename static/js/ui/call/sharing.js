/**
 * Showing one's screen: started, seen to go on, and stopped.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 */
import { _ } from "../../i18n.js";
import { announce } from "../announcer.js";
import { need, setText } from "../dom.js";
import { isRunning } from "./context.js";

/** @param {CallContext} context */
export function startSharing({ session, shortcuts }) {
  const { screen } = session;
  const button = need("#share");
  const entry = need("#share-from-menu");
  const notice = need("#sharing");
  let shown = false;

  function draw() {
    const on = screen.track !== null;
    const possible = screen.isPossible;
    button.hidden = entry.hidden = !possible;
    button.dataset.on = on ? "no" : "yes"; // as with the camera, the other colour is what is out of the usual
    setText(need("[data-label]", button), on ? _("Stop showing") : _("Show screen"));
    setText(need("[data-label]", entry), on ? _("Stop showing your screen") : _("Show your screen"));
    notice.hidden = !on || !isRunning(session);
    if (on !== shown && isRunning(session)) announce(on ? _("The others see your screen") : _("Your screen is not seen any more"));
    shown = on;
  }

  async function toggle() {
    if (!screen.isPossible) return;
    if (screen.track) screen.stop();
    else await screen.start();
  }

  button.addEventListener("click", toggle);
  entry.addEventListener("click", toggle);
  need("[data-stop]", notice).addEventListener("click", () => screen.stop());
  if (screen.isPossible) shortcuts.add({ key: "s", words: _("Show your screen, or stop showing it"), run: toggle });
  session.on("change", draw);
  draw();
}
