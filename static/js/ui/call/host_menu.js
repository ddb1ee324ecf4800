/**
 * What the host can do about one of the others: the menu behind their three dots.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 */
import { _ } from "../../i18n.js";
import { confirm } from "../confirm.js";
import { need } from "../dom.js";
import { openMenu, walkMenu } from "../menus.js";
import { asked } from "./inviting.js";

/**
 * @param {CallContext} context
 * @returns {(button: HTMLElement, whom: {legId: string, name: string, heard: boolean}) => void} opens the menu; `heard`:
 *   there is a microphone that could be muted
 */
export function startHostMenu({ session }) {
  const menu = need("#in-call-menu");
  let chosen = { legId: "", name: "" };

  async function askToMute() {
    const { legId, name } = chosen;
    menu.hidePopover();
    await asked(() => session.request("mute_request", { to: legId }), _("%(name)s has been asked to mute.", { name }));
  }

  async function remove() {
    const { legId, name } = chosen;
    menu.hidePopover();
    const title = _("Remove %(name)s from the call?", { name });
    const text = _("The call ends for %(name)s and goes on for everybody else.", { name });
    if (!(await confirm({ title, text, action: _("Remove") }))) return;
    await asked(() => session.request("remove", { leg_id: legId }));
  }

  walkMenu(menu);
  need("[data-ask-mute]", menu).addEventListener("click", askToMute);
  need("[data-remove]", menu).addEventListener("click", remove);
  return (button, { legId, name, heard }) => {
    chosen = { legId, name };
    need("[data-ask-mute]", menu).hidden = !heard;
    openMenu(menu, button);
  };
}
