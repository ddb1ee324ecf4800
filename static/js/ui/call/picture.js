/**
 * Picture in picture: whom one looks at, in a small window that stays over everything else, with the buttons that the
 * browser gives it. Their voices come from the page as before.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("./stage.js").Stage} Stage
 */
import { _ } from "../../i18n.js";
import { need, setText } from "../dom.js";
import { toast } from "../toasts.js";
import { isRunning, onPhase } from "./context.js";

/** While it is open, it follows whoever speaks. */
const FOLLOW_EVERY_MS = 1_000;

/**
 * @param {CallContext} context
 * @param {Stage} stage
 */
export function startPicture({ session, media, shortcuts }, stage) {
  const entry = need("#small-picture-entry");
  /** @type {HTMLVideoElement} */
  const video = need("#small-picture");
  const possible = document.pictureInPictureEnabled === true && typeof video.requestPictureInPicture === "function";

  /** @returns {boolean} */
  function isOpen() {
    return document.pictureInPictureElement === video;
  }

  function draw() {
    entry.hidden = !possible || !isRunning(session) || (stage.watched() === null && !isOpen());
    setText(need("[data-label]", entry), isOpen() ? _("Close the small picture") : _("Picture in picture"));
    if (!("mediaSession" in navigator) || !isRunning(session)) return;
    navigator.mediaSession.setMicrophoneActive?.(!media.muted);
    navigator.mediaSession.setCameraActive?.(media.camera !== null);
  }

  /** Only what is on show is decoded once more. */
  function follow() {
    const stream = stage.watched();
    if (isOpen() && stream && video.srcObject !== stream) show(stream);
  }

  /** @param {MediaStream} stream */
  async function show(stream) {
    video.srcObject = stream;
    await video.play();
  }

  async function open() {
    const stream = stage.watched();
    if (!possible || !stream || isOpen()) return;
    try {
      await show(stream);
      await video.requestPictureInPicture();
    } catch (error) {
      video.srcObject = null;
      toast(_("The browser does not show a small picture now."), "error");
    }
    draw();
  }

  async function toggle() {
    if (isOpen()) await document.exitPictureInPicture();
    else await open();
  }

  if (!possible) return;
  entry.addEventListener("click", toggle);
  video.addEventListener("leavepictureinpicture", () => {
    video.srcObject = null;
    draw();
  });
  shortcuts.add({ key: "i", words: _("Picture in picture"), run: toggle });
  offerButtons({
    togglemicrophone: () => session.toggleMute(),
    togglecamera: () => session.toggleCamera(),
    hangup: () => session.hangUp(),
    enterpictureinpicture: open, // when the page goes out of sight
  });
  const following = setInterval(follow, FOLLOW_EVERY_MS);
  session.on("change", draw);
  draw();
  onPhase(session, (phase) => {
    if (phase !== "ended") return;
    clearInterval(following);
    if (isOpen()) document.exitPictureInPicture().catch(() => {});
  });
}

/**
 * Those that this browser knows; another one refuses a name that it does not.
 *
 * @param {Record<string, () => void>} actions
 */
function offerButtons(actions) {
  for (const [name, act] of Object.entries(actions)) {
    try {
      navigator.mediaSession?.setActionHandler(/** @type {MediaSessionAction} */ (name), act);
    } catch (error) {
      console.debug("no such button here", error);
    }
  }
}
