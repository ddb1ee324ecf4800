/**
 * Home: whom one can call now, who would like to be a contact, one field that finds everybody, and the last calls.
 *
 * @typedef {import("../types.js").Relation} Relation
 */
import { readBoot } from "../boot.js";
import { _, ngettext } from "../i18n.js";
import { People } from "../people/people.js";
import { sentenceFor } from "../strings.js";
import { showOpenTasks } from "../tasks/open_tasks.js";
import { announce } from "../ui/announcer.js";
import { startCalling } from "../ui/calling.js";
import { coalesced } from "../ui/coalescing.js";
import { need, setText } from "../ui/dom.js";
import { moment } from "../ui/format.js";
import { PersonList } from "../ui/person_list.js";
import { PersonMenu } from "../ui/person_menu.js";
import { showRunningCall } from "../ui/running_call.js";
import { startShell } from "../ui/shell.js";
import { toast } from "../ui/toasts.js";
import { isComposing, whenTyped } from "../ui/typing.js";

/** A pause in typing that means: look now. */
const TYPING_PAUSE_MS = 200;
/** Several frames come of one call that ends; one look is enough for them. */
const NEWS_PAUSE_MS = 150;

const boot = readBoot();
const { client, start } = startShell(boot);
const people = new People(client, boot.user?.id ?? "", boot.people ?? []);
new PersonMenu(people);
showRunningCall(client, need("#running-call"), { ownId: boot.user?.id ?? "", device: boot.device });
showOpenTasks(client, need("#tasks"), boot.tasks ?? []);

// ---- everybody, in their places

const lists = {
  requests: new PersonList(need("#requests"), "request-template"),
  favourites: new PersonList(need("#favourites"), "favourite-template"),
  contacts: new PersonList(need("#contacts"), "person-template"),
  others: new PersonList(need("#others"), "person-template"),
  blocked: new PersonList(need("#blocked"), "person-template"),
};

function draw() {
  const all = people.all();
  const heard = all.filter(({ blocked }) => !blocked);
  const plain = heard.filter(({ favourite }) => !favourite);
  lists.requests.draw(heard.filter(({ state }) => state === "received"));
  lists.favourites.draw(heard.filter(({ favourite }) => favourite));
  lists.contacts.draw(plain.filter(({ state }) => state === "contacts"));
  lists.others.draw(plain.filter(({ state }) => state !== "contacts"));
  lists.blocked.draw(all.filter(({ blocked }) => blocked));
  found.draw();
  document.querySelector("#nobody-yet")?.toggleAttribute("hidden", all.length > 0);
  enableCalling();
}

/** A button that does nothing yet is disabled: until now nobody could have heard it. */
function enableCalling() {
  for (const button of document.querySelectorAll("button[data-call]:disabled")) button.removeAttribute("disabled");
}

// ---- search

/** @type {HTMLInputElement} */
const search = need("#search");
const noOne = need("#no-one-found");

const found = {
  list: new PersonList(need("#results"), "person-template"),
  query: "",
  /** @type {string[]} */
  ids: [],

  draw() {
    const shown = this.ids.map((id) => /** @type {Relation} */ (people.get(id)));
    this.list.draw(shown, this.query);
    need("#results").hidden = this.query === "";
    noOne.hidden = shown.length > 0;
    for (const section of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-without-search]"))) {
      section.hidden = this.query !== "";
    }
  },
};

/** @type {AbortController | null} */
let searching = null;
const forgetTyped = whenTyped(search, TYPING_PAUSE_MS, lookUp);

/** @returns {Promise<boolean>} whether what stands there now is what was asked for */
async function lookUp() {
  forgetTyped();
  searching?.abort();
  searching = new AbortController();
  const { signal } = searching;
  const query = search.value.trim();
  let ids = /** @type {string[]} */ ([]);
  if (query !== "") {
    try {
      ids = (await people.find(query, signal)).map(({ user }) => user.id);
    } catch (error) {
      if (!signal.aborted) toast(_("The search did not work. Please try again."), "error");
      return false;
    }
  }
  if (signal.aborted) return false;
  Object.assign(found, { query, ids });
  setText(need("[data-title]", noOne), _("Nobody here is called “%(query)s”", { query }));
  draw();
  if (query !== "") announce(ids.length > 0 ? ngettext("%(count)s person found", "%(count)s people found", ids.length) : _("Nobody found"));
  return true;
}

// Enter leads to the first who was found, and does not call them: who types fast would call the wrong one.
need("#search-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await lookUp()) callButtons()[0]?.focus();
});

/** @returns {HTMLElement[]} the buttons that call, of all who are on show, from top to bottom */
function callButtons() {
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("main [data-user-id] [data-call=video]")]);
  return all.filter((button) => button.checkVisibility());
}

document.addEventListener("keydown", (event) => {
  if (isComposing(event) || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open], :popover-open")) return;
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key === "/" && target !== search) {
    event.preventDefault();
    search.select();
  } else if (event.key === "Escape" && search.value !== "") {
    search.value = "";
    search.focus();
    lookUp();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    walk(event, target);
  }
});

/**
 * From the field to the first of the people, from one to the next, and back.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} from
 */
function walk(event, from) {
  const person = from.closest("[data-user-id]");
  if (from !== search && !person) return;
  const buttons = callButtons();
  const at = person ? buttons.findIndex((button) => person.contains(button)) : -1;
  const next = at + (event.key === "ArrowDown" ? 1 : -1);
  if (next < -1 || next >= buttons.length) return;
  event.preventDefault();
  (buttons[next] ?? search).focus();
}

// ---- calling

startCalling(client.api);

// ---- requests

document.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("button");
  const person = /** @type {HTMLElement | null} */ (button?.closest("[data-user-id]"));
  if (!button || !person) return;
  const { userId = "" } = person.dataset;
  if ("accept" in button.dataset) answerRequest(button, userId, true);
  if ("refuse" in button.dataset) answerRequest(button, userId, false);
});

/**
 * @param {HTMLElement} button
 * @param {string} userId
 * @param {boolean} accepted
 */
async function answerRequest(button, userId, accepted) {
  const relation = people.get(userId);
  if (!relation || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const row = button.closest("[data-user-id]");
  const neighbour = row?.nextElementSibling ?? row?.previousElementSibling;
  try {
    await (accepted ? people.accept(relation) : people.decline(relation));
    goOn(neighbour?.querySelector(accepted ? "[data-accept]" : "[data-refuse]")); // the row with the button is gone
    const { display_name: name } = relation.user;
    toast(accepted ? _("%(name)s is one of your contacts now.", { name }) : _("The request was declined."));
  } catch (error) {
    button.removeAttribute("aria-busy");
    toast(sentenceFor(error), "error");
  }
}

/**
 * The focus goes on from where it was. Never into the search: there a telephone opens its keyboard.
 *
 * @param {Element | null} [next] what can be done next; without it the focus goes to the beginning of the page
 */
function goOn(next) {
  if (next instanceof HTMLElement && next.checkVisibility()) next.focus();
  else need("#title").focus();
}

// ---- missed and recent calls

/** The lists as the server made them: only what has become another is put anew. */
const CALLS = new Map(["#missed", "#recent"].map((part) => [part, need(part).innerHTML]));

function writeTimes() {
  const now = new Date();
  for (const time of document.querySelectorAll("main time")) {
    const when = new Date(/** @type {HTMLTimeElement} */ (time).dateTime);
    setText(time, moment(when, now, document.documentElement.lang));
  }
}

/**
 * The server renders the lists of calls, in the person's language; here they are only put in their places.
 *
 * @param {() => boolean} overtaken
 */
async function bringUpToDate(overtaken) {
  const asOf = people.changes;
  const response = await fetch("/", { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  if (overtaken()) return;
  people.learn(JSON.parse(need("#boot", fresh).textContent ?? "").people, asOf);
  const focused = document.activeElement?.closest("[data-call-id]")?.getAttribute("data-call-id");
  for (const [part, shown] of CALLS) {
    const made = need(part, fresh);
    if (made.innerHTML === shown) continue;
    CALLS.set(part, made.innerHTML);
    need(part).replaceChildren(...made.childNodes);
  }
  writeTimes();
  enableCalling();
  const again = focused && document.querySelector(`[data-call-id="${CSS.escape(focused)}"] button`);
  if (again instanceof HTMLElement) again.focus();
}

const refresh = coalesced(bringUpToDate, NEWS_PAUSE_MS);

// What happened between the making of this page and the beginning of its line, or while that was away for long.
client.link.on("snapshot", refresh);
client.inbox.on("call", (call) => {
  if (call.state === "ended") refresh();
});
client.link.on("frame", ({ type, missed }) => {
  if (type === "unread" && missed !== undefined) refresh();
});

need("#missed").addEventListener("click", async (event) => {
  if (!(/** @type {Element} */ (event.target).closest("#seen"))) return;
  const newest = need("#missed [data-call-id]").dataset.callId ?? "";
  try {
    await client.api.markSeen(newest);
    goOn(); // the button goes with the list
    refresh();
  } catch (error) {
    toast(sentenceFor(error), "error");
  }
});

people.on("change", draw);
writeTimes();
draw();
people.watch();
start();
if (search.value !== "") lookUp(); // typed before this script was there, or kept by the browser
