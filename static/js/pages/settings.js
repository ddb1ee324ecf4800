/** What a person may choose, and the devices on which they are signed in. Everything is saved at once. */
import { readBoot } from "../boot.js";
import { callSettings } from "../settings/calls.js";
import { deviceSettings } from "../settings/devices.js";
import { exportSettings } from "../settings/exports.js";
import { notificationSettings } from "../settings/notifications.js";
import { blockedPeople, languageSetting } from "../settings/others.js";
import { profileSettings } from "../settings/profile.js";
import { soundSettings } from "../settings/sound.js";
import { need, setText } from "../ui/dom.js";
import { startShell } from "../ui/shell.js";

const { client, start } = startShell(readBoot());

profileSettings(client.api);
callSettings(client.api);
notificationSettings(client.api);
soundSettings();
deviceSettings(client.api);
languageSetting(client.api);
blockedPeople(client.api);
exportSettings(client);

for (const time of document.querySelectorAll("[data-date]")) {
  const date = new Date(/** @type {HTMLTimeElement} */ (time).dateTime);
  setText(time, new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long" }).format(date));
}

// ---- which section one is at

const links = new Map([...document.querySelectorAll(".settings-nav a")].map((link) => [link.getAttribute("href")?.slice(1), link]));
const inView = new IntersectionObserver(
  (entries) => {
    const [shown] = entries.filter(({ isIntersecting }) => isIntersecting);
    if (!shown) return;
    for (const [id, link] of links) {
      if (id === shown.target.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  },
  { rootMargin: "0px 0px -65% 0px" },
);
for (const section of document.querySelectorAll(".settings-sections > section")) inView.observe(section);

need("#main").inert = false;

start();
