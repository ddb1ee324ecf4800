/**
 * The call on the lock screen, and on the buttons of headsets and keyboards: who it is with, mute, camera, hang up.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 */
import { need } from "../dom.js";
import { isTalking, partnerOf } from "./context.js";

/** @param {CallContext} context */
export function startLockScreen(context) {
  const { mediaSession } = navigator;
  if (!mediaSession) return;
  const { session, media } = context;
  /** @type {Record<string, () => void>} */
  const actions = {
    togglemicrophone: () => need("#mute").click(),
    togglecamera: () => need("#camera").click(),
    hangup: () => need("#hang-up").click(),
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
