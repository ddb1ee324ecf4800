/**
 * The tasks that go on or wait for the person, on the page that people open first.
 *
 * @typedef {import("../types.js").Task} Task
 * @typedef {import("../client.js").Client} Client
 */
import { coalesced } from "../ui/coalescing.js";
import { onReturn } from "../ui/unread.js";
import { TaskList } from "./list.js";

/** The line may come and go several times together. */
const PAUSE_MS = 250;

/**
 * @param {Client} client
 * @param {HTMLElement} root with the groups that are shown
 * @param {Task[]} tasks those that are not over
 */
export function showOpenTasks({ link, api }, root, tasks) {
  const list = new TaskList(root);

  /** @param {Task[]} some */
  function show(some) {
    for (const task of some) list.show(task);
    root.hidden = list.size === 0;
  }

  const refresh = coalesced(async (overtaken) => {
    const { items } = await api.tasks();
    if (!overtaken()) show(items);
  }, PAUSE_MS);

  link.on("frame", (frame) => frame.type === "task" && show([frame.task]));
  link.on("snapshot", () => list.size > 0 && refresh());
  onReturn(link, async () => refresh());
  show(tasks);
}
