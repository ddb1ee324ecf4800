/**
 * Picture in picture: whom one looks at, in a small window that stays over everything else, with the buttons of the lock
 * screen (lock_screen.js). Their voices come from the page as before.
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
export function startPicture({ session, shortcuts }, stage) {
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
  }

  /** Only what is on show is decoded once more. */
  function follow() {
    const stream = stage.watched();
    if (isOpen() && stream && video.srcObject !== stream) show(stream).catch(ignored);
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
    if (isOpen()) await document.exitPictureInPicture().catch(ignored);
    else await open();
  }

  if (!possible) return;
  entry.addEventListener("click", toggle);
  video.addEventListener("leavepictureinpicture", () => {
    video.srcObject = null;
    draw();
  });
  shortcuts.add({ key: "i", words: _("Picture in picture"), run: toggle });
  openUnseen(open);
  const following = setInterval(follow, FOLLOW_EVERY_MS);
  session.on("change", draw);
  draw();
  onPhase(session, (phase) => {
    if (phase !== "ended") return;
    clearInterval(following);
    if (isOpen()) document.exitPictureInPicture().catch(ignored);
  });
}

/**
 * Opens it when the page goes out of sight, where the browser knows how to ask for that.
 *
 * @param {() => void} open
 */
function openUnseen(open) {
  try {
    navigator.mediaSession?.setActionHandler(/** @type {MediaSessionAction} */ ("enterpictureinpicture"), open);
  } catch (error) {
    console.debug("no such button here", error);
  }
}

/** @param {unknown} error another picture was meanwhile wanted, or the window was closed by hand */
function ignored(error) {
  console.debug("the small picture was changed meanwhile", error);
}
