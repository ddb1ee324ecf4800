/**
 * The host asks this person to mute. The page asks; whether they do is theirs to decide.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 */
import { _ } from "../../i18n.js";
import { toast } from "../toasts.js";

/** @param {CallContext} context */
export function startMuteRequests({ session, media }) {
  session.on("frame", (frame) => {
    if (frame.type !== "mute_request" || media.muted) return;
    const host = session.view.others.find(({ legId }) => legId === frame.from);
    const name = host?.user.display_name ?? _("The host");
    toast(_("%(name)s asks you to mute your microphone.", { name }), "info", {
      label: _("Mute"),
      run: () => {
        if (!media.muted) session.toggleMute();
      },
    });
  });
}
