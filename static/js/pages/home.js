/**
 * The people one can call, who of them is there, and the calls of the last time.
 *
 * @typedef {import("../types.js").Person} Person
 * @typedef {import("../types.js").Presence} Presence
 * @typedef {import("../types.js").MediaKind} MediaKind
 */
import { readBoot } from "../boot.js";
import { people as strings, PRESENCE, sentenceFor } from "../strings.js";
import { announce } from "../ui/announcer.js";
import { drawAvatar } from "../ui/avatar.js";
import { copyOf, need, setText } from "../ui/dom.js";
import { moment } from "../ui/format.js";
import { startShell } from "../ui/shell.js";
import { toast } from "../ui/toasts.js";

/** A pause in typing that means: look now. */
const TYPING_PAUSE_MS = 200;

const boot = readBoot();
const { client, start } = startShell(boot);
const list = need("#people-list");
/** @type {HTMLInputElement} */
const search = need("#search");
const noOne = need("#no-one-found");

// ---- people

/** @param {Person} person */
function personItem(person) {
  const item = copyOf("person-template");
  item.dataset.userId = person.id;
  item.dataset.username = person.username;
  item.dataset.displayName = person.display_name;
  drawAvatar(need(".avatar", item), person);
  need("[data-name]", item).textContent = person.display_name;
  need("[data-handle]", item).textContent = `@${person.username}`;
  need("[data-call=video]", item).setAttribute("aria-label", strings.call(person.username));
  need("[data-call=audio]", item).setAttribute("aria-label", strings.audioCall(person.username));
  setPresence(item, person.presence);
  return item;
}

/**
 * @param {HTMLElement} item
 * @param {Presence} presence
 */
function setPresence(item, presence) {
  item.dataset.presence = presence;
  setText(need("[data-presence-words]", item), PRESENCE[presence]);
}

function items() {
  return /** @type {HTMLElement[]} */ ([...list.children]);
}

/** A button that does nothing yet is disabled: until now nobody could have heard it. */
function enableCalling() {
  for (const button of document.querySelectorAll("button[data-call]")) button.removeAttribute("disabled");
}

function watchShown() {
  const ids = items().map((item) => item.dataset.userId ?? "");
  if (ids.length > 0) client.inbox.watch(ids).catch(() => {}); // the next snapshot tries again
}

client.inbox.on("presence", ({ userId, state }) => {
  const item = items().find((candidate) => candidate.dataset.userId === userId);
  if (item) setPresence(item, state);
});

// ---- search

/** @type {AbortController | null} */
let searching = null;
/** @type {any} */
let typing = null;

async function lookUp() {
  searching?.abort();
  searching = new AbortController();
  const { signal } = searching;
  const query = search.value.trim();
  try {
    const { items: found } = await client.api.users(query, signal);
    if (signal.aborted) return;
    list.replaceChildren(...found.filter(({ id }) => id !== boot.user?.id).map(personItem));
  } catch (error) {
    if (!signal.aborted) toast(strings.searchFailed, "error");
    return;
  }
  enableCalling();
  noOne.hidden = items().length > 0;
  setText(noOne, strings.nobodyCalled(query));
  announce(strings.found(items().length));
  watchShown();
}

search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(lookUp, TYPING_PAUSE_MS);
});

need("#search-form").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  lookUp();
});

// ---- calling

/**
 * @param {HTMLButtonElement} button
 * @param {{username: string, displayName: string}} person
 * @param {MediaKind} media
 */
async function placeCall(button, { username, displayName }, media) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  announce(strings.starting(displayName));
  try {
    const call = await client.api.startCall(username, media);
    location.assign(`/call/${call.call_id}`);
  } catch (error) {
    button.removeAttribute("aria-busy");
    toast(sentenceFor(error), "error");
  }
}

document.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("button[data-call]");
  const person = /** @type {HTMLElement | null} */ (button?.closest("[data-username]"));
  if (!(button instanceof HTMLButtonElement) || !person) return;
  const { username = "", displayName = "" } = person.dataset;
  placeCall(button, { username, displayName }, /** @type {MediaKind} */ (button.dataset.call));
});

window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

// ---- recent calls

function writeTimes() {
  const now = new Date();
  for (const time of document.querySelectorAll("#recent time")) {
    const when = new Date(/** @type {HTMLTimeElement} */ (time).dateTime);
    setText(time, moment(when, now, document.documentElement.lang));
  }
}

/** The server renders the list, in the person's language; here it is only put in its place. */
async function refreshRecent() {
  const response = await fetch("/", { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const focused = document.activeElement?.closest("#recent [data-username]")?.getAttribute("data-username");
  need("#recent").replaceChildren(...need("#recent", fresh).childNodes);
  writeTimes();
  enableCalling();
  const again = focused && document.querySelector(`#recent [data-username="${CSS.escape(focused)}"] button`);
  if (again instanceof HTMLElement) again.focus();
}

client.inbox.on("call", (call) => {
  if (call.state === "ended") refreshRecent().catch(() => {}); // the next ended call, or a reload, brings it
});

writeTimes();
enableCalling();
watchShown();
start();
if (search.value !== "") lookUp(); // typed before this script was there, or kept by the browser
