/** A page that could not be shown; a signed-in person's calls ring here too. */
import { readBoot } from "../boot.js";
import { startShell } from "../ui/shell.js";

const boot = readBoot();
if (boot.user) startShell(boot).start();
