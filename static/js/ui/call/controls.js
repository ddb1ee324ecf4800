/**
 * Mute and camera.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("./problems.js").Problems} Problems
 */
import { _ } from "../../i18n.js";
import { call as strings } from "../../strings.js";
import { announce } from "../announcer.js";
import { need, setText } from "../dom.js";

/**
 * @param {CallContext} context
 * @param {Problems} problems
 */
export function startControls({ session, media, shortcuts }, problems) {
  const muteButton = need("#mute");
  const cameraButton = need("#camera");

  function draw() {
    const { muted } = media;
    const cameraOn = media.camera !== null;
    muteButton.dataset.on = muted ? "no" : "yes";
    cameraButton.dataset.on = cameraOn ? "yes" : "no";
    setText(need("[data-label]", muteButton), muted ? strings.unmute : strings.mute);
    setText(need("[data-label]", cameraButton), cameraOn ? strings.cameraOff : strings.cameraOn);
  }

  function toggleMute() {
    if (!media.microphone) return void problems.retry();
    session.toggleMute();
    announce(media.muted ? strings.nowMuted : strings.nowUnmuted);
  }

  async function toggleCamera() {
    if (cameraButton.getAttribute("aria-busy") === "true") return;
    cameraButton.setAttribute("aria-busy", "true");
    problems.reconsider();
    await session.toggleCamera();
    cameraButton.removeAttribute("aria-busy");
    if (media.problems.length === 0) announce(media.camera ? strings.cameraNowOn : strings.cameraNowOff);
  }

  muteButton.addEventListener("click", toggleMute);
  cameraButton.addEventListener("click", toggleCamera);
  shortcuts.add({ key: "m", words: _("Mute yourself, or be heard again"), run: toggleMute });
  shortcuts.add({ key: "v", words: _("Camera on or off"), run: toggleCamera });
  session.on("change", draw);
  draw();
}
