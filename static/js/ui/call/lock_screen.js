/**
 * The call on the lock screen, in the small window, and on the buttons of headsets and keyboards: who it is with, mute,
 * camera, hang up. Nobody can be asked anything there: to hang up is to leave, also for the host of several.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("./problems.js").Problems} Problems
 */
import { need } from "../dom.js";
import { isTalking, partnerOf } from "./context.js";

/**
 * @param {CallContext} context
 * @param {Problems} problems
 */
export function startLockScreen(context, problems) {
  const { mediaSession } = navigator;
  if (!mediaSession) return;
  const { session, media } = context;
  /** @type {Record<string, () => void>} */
  const actions = {
    togglemicrophone: () => need("#mute").click(),
    togglecamera: () => need("#camera").click(),
    hangup: () => problems.hangUp(),
  };
  let shown = false;

  function draw() {
    const talking = isTalking(session);
    if (talking !== shown) (talking ? show : hide)();
    if (!talking) return;
    mediaSession.setMicrophoneActive?.(!media.muted);
    mediaSession.setCameraActive?.(media.camera !== null);
  }

  function show() {
    shown = true;
    mediaSession.metadata = new MediaMetadata({ title: partnerOf(context).display_name, artist: "Ringback" });
    mediaSession.playbackState = "playing";
    for (const [name, act] of Object.entries(actions)) handle(name, act);
  }

  function hide() {
    shown = false;
    mediaSession.metadata = null;
    mediaSession.playbackState = "none";
    for (const name of Object.keys(actions)) handle(name, null);
  }

  /** @param {string} name @param {(() => void) | null} act */
  function handle(name, act) {
    try {
      mediaSession.setActionHandler(/** @type {MediaSessionAction} */ (name), act);
    } catch {
      // A button that this browser does not have.
    }
  }

  session.on("change", draw);
  draw();
}
