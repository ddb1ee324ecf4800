/**
 * The menu with what one needs less often; its entries belong to the parts that brought them.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 */
import { need } from "../dom.js";
import { openMenu, walkMenu } from "../menus.js";
import { onPhase } from "./context.js";

/** @param {CallContext} context */
export function startMore({ session }) {
  const menu = need("#more-menu");
  const button = need("#more");
  walkMenu(menu);
  button.addEventListener("click", () => openMenu(menu, button));
  // Before the entry acts: a dialog that it opens takes the focus, and gives it back to the button.
  menu.addEventListener(
    "click",
    (event) => {
      if (/** @type {Element} */ (event.target).closest(".menu-item")) menu.hidePopover();
    },
    { capture: true },
  );
  onPhase(session, (phase) => {
    if (phase === "ended") menu.hidePopover();
  });
}
