/**
 * Hanging up. Between two it ends the call; of several one leaves, and the host can end it for everybody.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("./problems.js").Problems} Problems
 */
import { _ } from "../../i18n.js";
import { need, setText } from "../dom.js";
import { openMenu, walkMenu } from "../menus.js";
import { onPhase } from "./context.js";

/**
 * @param {CallContext} context
 * @param {Problems} problems
 */
export function startLeaving({ session, boot }, problems) {
  const button = need("#hang-up");
  const menu = need("#leaving");

  /** @returns {boolean} */
  function isHost() {
    const { call } = session.view;
    return call.legs.some(({ leg_id, user }) => user.id === boot.user.id && leg_id === call.host);
  }

  function draw() {
    setText(need("[data-label]", button), session.isGroup ? _("Leave") : _("Hang up"));
    if (session.isGroup && isHost()) button.setAttribute("aria-haspopup", "true");
    else button.removeAttribute("aria-haspopup");
  }

  function hangUp() {
    if (session.isGroup && isHost()) openMenu(menu, button);
    else problems.hangUp();
  }

  walkMenu(menu);
  button.addEventListener("click", hangUp);
  need("[data-leave]", menu).addEventListener("click", () => session.hangUp());
  need("[data-end]", menu).addEventListener("click", () => session.hangUp(undefined, { forEverybody: true }));
  session.on("change", draw);
  draw();
  onPhase(session, (phase) => {
    if (phase === "ended") menu.hidePopover();
  });
}
