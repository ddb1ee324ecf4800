/** The own tasks: how far each of them is, without asking for it. */
import { readBoot } from "../boot.js";
import { tasks as strings } from "../strings/tasks.js";
import { TaskList } from "../tasks/list.js";
import { coalesced } from "../ui/coalescing.js";
import { need } from "../ui/dom.js";
import { startShell } from "../ui/shell.js";
import { toast } from "../ui/toasts.js";

/** The line may come and go several times together. */
const PAUSE_MS = 250;

const boot = /** @type {import("../types.js").Boot & {tasks: import("../types.js").Task[], next: string | null}} */ (readBoot());
const { client, start } = startShell(boot);
const list = new TaskList(need("#main"));
const more = need("#more");
/** Where the older ones begin; null if there are none. */
let next = boot.next;

/** @param {import("../types.js").Task[]} items */
function show(items) {
  for (const task of items) list.show(task);
  need("#empty").hidden = list.size > 0;
  more.hidden = next === null;
}

/** What was not told, because the line was away. */
const refresh = coalesced(async (overtaken) => {
  const { items } = await client.api.tasks();
  if (!overtaken()) show(items);
}, PAUSE_MS);

async function showOlder() {
  const button = need("button", more);
  button.setAttribute("aria-busy", "true");
  try {
    const page = await client.api.tasks({ before: next });
    next = page.next;
    show(page.items);
    if (page.items[0]) list.focus(page.items[0].task_id);
  } catch {
    toast(strings.notLoaded, "error");
  } finally {
    button.removeAttribute("aria-busy");
  }
}

need("button", more).addEventListener("click", showOlder);
client.link.on("frame", (frame) => frame.type === "task" && show([frame.task]));
client.link.on("snapshot", refresh);
show(boot.tasks);
start();
