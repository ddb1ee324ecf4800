/** Microphone, camera and speaker of this browser, to be tried and chosen outside a call. */
import { Inventory } from "../media/inventory.js";
import { MediaPreferences } from "../media/preferences.js";
import { need } from "../ui/dom.js";
import { SoundPreview } from "../ui/sound_preview.js";
import { showSaved } from "./saving.js";

export function soundSettings() {
  const preview = new SoundPreview(need("[data-sound]"), {
    preferences: new MediaPreferences(),
    inventory: new Inventory(),
    onSaved: showSaved,
  });
  // A camera that nobody looks at is switched off.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") preview.close();
  });
}
