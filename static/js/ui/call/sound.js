/**
 * One's own devices in a call: the dialog in which they are chosen and tried, and a word when one comes, goes or is taken.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../media/devices.js").DeviceNotice} DeviceNotice
 */
import { noticeWords, sound as strings, takenWords } from "../../strings/sound.js";
import { need, setText } from "../dom.js";
import { SoundPreview } from "../sound_preview.js";
import { toast } from "../toasts.js";
import { isRunning, onPhase } from "./context.js";

/** Come here to try microphone and camera before answering. */
const PREVIEW = "#preview";

/** @param {CallContext} context */
export function startSound({ session, media }) {
  const { preferences, inventory } = media;
  const dialog = /** @type {HTMLDialogElement} */ (need("#sound"));
  const preview = new SoundPreview(need("[data-sound]", dialog), { preferences, inventory });
  const taken = need("#call-badges [data-badge=taken]");

  function open() {
    if (session.view.phase === "ended" || dialog.open) return;
    need("[data-answering]", dialog).hidden = session.view.phase !== "incoming";
    dialog.showModal();
    preview.open(isRunning(session) ? media : null);
  }

  function draw() {
    const devices = isRunning(session) ? media.interrupted : [];
    taken.hidden = devices.length === 0;
    if (devices.length > 0) setText(need("[data-words]", taken), takenWords(devices));
  }

  /** @param {DeviceNotice} notice */
  function tell(notice) {
    const { kind, device, entry } = notice;
    const use = { label: strings.use, run: () => preferences.choose({ [device]: entry }) };
    toast(noticeWords(notice), "info", kind === "found" ? use : undefined);
  }

  for (const opener of document.querySelectorAll("[data-open-sound]")) opener.addEventListener("click", open);
  need("[data-answer-now]", dialog).addEventListener("click", () => {
    dialog.close();
    need("#answer").click();
  });
  dialog.addEventListener("close", () => preview.close());
  media.on("notice", tell);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && isRunning(session)) media.recover();
  });
  session.on("change", draw);
  draw();
  onPhase(session, () => dialog.close()); // what it showed belongs to the moment before
  if (location.hash === PREVIEW && session.view.phase === "incoming") open();
}
