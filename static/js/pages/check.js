/** Will a call work from here? Everything that it needs is tried, and shown as it comes. */
import { readBoot } from "../boot.js";
import { CheckRun } from "../check/run.js";
import { CheckView } from "../ui/check_view.js";
import { need } from "../ui/dom.js";
import { startShell } from "../ui/shell.js";

const boot = readBoot();
const { client, tones, start } = startShell(boot);
const socketUrl = new URL(`${boot.api}/ws/user`, location.href);
socketUrl.protocol = socketUrl.protocol.replace("http", "ws");

const view = new CheckView(tones);
/** @type {HTMLButtonElement} */
const button = need("#start");

button.onclick = async () => {
  button.disabled = true;
  const run = new CheckRun(client.api, socketUrl.href);
  view.begin(run);
  await run.start(view.screens);
  button.disabled = false;
};
button.disabled = false;
// A page that is left keeps neither microphone nor camera.
addEventListener("pagehide", () => view.stop());

start();
