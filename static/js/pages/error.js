/** A page that could not be shown; a signed-in person's calls ring here too. */
import { readBoot } from "../boot.js";
import { startShell } from "../ui/shell.js";
import { showUnread } from "../ui/unread.js";

const boot = readBoot();
if (boot.user) {
  const { client, start } = startShell(boot);
  start();
  askUnread(client.api).catch(() => {}); // there is an error already
}

/**
 * An error is answered at once, without a look into the database: the page asks for the numbers itself.
 *
 * @param {import("../api.js").Api} api
 */
async function askUnread(api) {
  const [{ unread }, { unheard }] = await Promise.all([api.history({ limit: 1 }), api.voicemail()]);
  showUnread("missed", unread);
  showUnread("voicemail", unheard);
}
