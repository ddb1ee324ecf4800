/**
 * What every signed-in page has around its own matter: the line to the server, the banner about it, the dialog in which
 * calls ring, the notices of tasks; and, but for a call, the navigation with its numbers and the account's menu.
 *
 * @typedef {import("../types.js").Boot} Boot
 * @typedef {import("./incoming.js").IncomingOptions} IncomingOptions
 */
import { Client } from "../client.js";
import { Tones } from "../media/tones.js";
import { standInForWorker } from "../push/page.js";
import { PushSubscriber } from "../push/subscription.js";
import { TaskNews } from "../tasks/news.js";
import { AccountMenu } from "./account.js";
import { LinkBanner } from "./banner.js";
import { followIdleness } from "./idle.js";
import { IncomingDialog } from "./incoming.js";
import { Ringer } from "./ringer.js";
import { unlockByGesture } from "./unlocking.js";
import { followUnread } from "./unread.js";

/**
 * @param {Boot} boot of a signed-in person
 * @param {Pick<IncomingOptions, "callHere" | "busy" | "beforeAnswer">} [options]
 */
export function startShell(boot, options = {}) {
  const ownId = boot.user?.id ?? "";
  const client = new Client(boot);
  const tones = new Tones();
  const ringer = new Ringer(new Tones()); // of its own: a call that waits does not end what one hears of the other
  unlockByGesture(tones);
  new LinkBanner(client.link);
  new IncomingDialog({ client, ringer, ownId, ...options });
  followUnread(client.link, client.api);
  const rendered = boot.tasks ?? (boot.task ? [boot.task] : []);
  new TaskNews({ link: client.link, api: client.api, ownId, here: boot.task?.task_id, rendered });
  followIdleness(client.link, options.busy ?? (() => false));
  standInForWorker(client.inbox);
  new PushSubscriber(client.api).keepUp().catch(() => {}); // the next page tries again
  if (document.querySelector("#account-menu")) new AccountMenu(client);
  return { client, tones, ringer, start: () => client.link.start() };
}
