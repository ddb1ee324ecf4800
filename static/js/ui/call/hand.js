/**
 * A raised hand: somebody would like to say something.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 */
import { _ } from "../../i18n.js";
import { announce } from "../announcer.js";
import { need, setText } from "../dom.js";

/** @param {CallContext} context */
export function startHand({ session, shortcuts }) {
  const entry = need("#hand");

  function draw() {
    setText(need("[data-label]", entry), session.view.hand ? _("Lower your hand") : _("Raise your hand"));
  }

  function toggle() {
    session.raiseHand(!session.view.hand);
    announce(session.view.hand ? _("Your hand is raised") : _("Your hand is down"));
  }

  entry.addEventListener("click", toggle);
  shortcuts.add({ key: "h", words: _("Raise or lower your hand"), run: toggle });
  session.on("change", draw);
  draw();
}
