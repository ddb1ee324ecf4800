/**
 * The own history: filters, search, older calls as one scrolls, and what happens meanwhile. The server renders the first
 * page, the others are drawn here out of the same markup.
 *
 * @typedef {{kind: string, text: string}} View what of the history is on show
 */
import { readBoot } from "../boot.js";
import { _, ngettext } from "../i18n.js";
import { sentenceFor } from "../strings.js";
import { announce } from "../ui/announcer.js";
import { startCalling } from "../ui/calling.js";
import { confirm } from "../ui/confirm.js";
import { need, setText } from "../ui/dom.js";
import { HistoryList } from "../ui/history_list.js";
import { openMenu, walkMenu } from "../ui/menus.js";
import { Removals } from "../ui/removals.js";
import { startShell } from "../ui/shell.js";
import { toast } from "../ui/toasts.js";
import { whenTyped } from "../ui/typing.js";
import { showUnread } from "../ui/unread.js";

/** A pause in typing that means: look now. */
const TYPING_PAUSE_MS = 250;
/** Several frames come of one call that ends; one look is enough for them. */
const NEWS_PAUSE_MS = 250;
/** Older calls are fetched before somebody has scrolled to the end. */
const AHEAD = "600px";

const boot = /** @type {import("../types.js").Boot & {next: string | null, unread: {missed: number}}} */ (readBoot());
const { client, start } = startShell(boot);
const { api } = client;
const list = new HistoryList(need("#list"), boot.user?.id ?? "");
const removals = new Removals({ forget: (callId) => api.forgetCall(callId), onGone: drop });
const panel = need("#calls");
const more = need("#more");
const clear = need("#clear");
const menu = need("#call-menu");
/** @type {HTMLInputElement} */
const search = need("#search");

/** @type {View} */
let view = viewOf(location.href);
/** Where the older calls begin; null if there are none. */
let next = boot.next;
/** Ends the request whose answer nobody wants any more. @type {AbortController | null} */
let loading = null;

// ---- what is on show

/** @param {string} address @returns {View} */
function viewOf(address) {
  const query = new URL(address).searchParams;
  return { kind: query.get("filter") ?? "all", text: (query.get("q") ?? "").trim() };
}

/** @param {View} wanted @returns {string} the address of that view */
function addressOf({ kind, text }) {
  const query = new URLSearchParams();
  if (kind !== "all") query.set("filter", kind);
  if (text) query.set("q", text);
  return `/history${query.size > 0 ? "?" : ""}${query}`;
}

/** What depends on the list as a whole. */
function tidy() {
  const { kind, text } = view;
  const shown = text ? "search" : kind;
  for (const empty of /** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll("[data-empty]"))) {
    empty.hidden = list.size > 0 || next !== null || empty.dataset.empty !== shown;
  }
  setText(need("[data-empty=search] [data-text]"), _("There are no calls here with anybody called “%(text)s”.", { text }));
  for (const tab of /** @type {NodeListOf<HTMLAnchorElement>} */ (panel.querySelectorAll("[data-filter]"))) {
    const filter = tab.dataset.filter ?? "";
    tab.href = addressOf({ kind: filter, text });
    if (filter === kind) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  need("input[name=filter]").setAttribute("value", kind);
  more.hidden = next === null;
  clear.hidden = list.size === 0 || kind !== "all" || text !== ""; // all is more than what is on show then
}

/**
 * Draws another view, from its beginning.
 *
 * @param {View} wanted
 */
async function load(wanted) {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  removals.finish();
  view = wanted;
  panel.dataset.kind = view.kind;
  panel.setAttribute("aria-busy", "true");
  try {
    const page = await api.history(view, signal);
    if (signal.aborted) return;
    list.clear();
    list.show(page.items.filter(({ call_id }) => !removals.has(call_id)));
    next = page.next;
    announce(list.size > 0 ? ngettext("%(count)s call shown", "%(count)s calls shown", list.size) : _("No calls"));
  } catch (error) {
    if (!signal.aborted) toast(sentenceFor(error), "error");
    return;
  } finally {
    if (!signal.aborted) panel.removeAttribute("aria-busy");
  }
  tidy();
  watchTheEnd();
  markSeen();
}

/** Brings the beginning of the list up to date: what is new, what has changed, what was removed on another device. */
async function refresh() {
  const { signal } = (loading ??= new AbortController());
  const page = await api.history(view, signal);
  if (signal.aborted) return;
  const there = new Set(page.items.map(({ call_id }) => call_id));
  const oldest = page.next === null ? "" : (page.items.at(-1)?.call_id ?? "");
  for (const row of list.rows()) {
    const { callId = "", gone } = row.dataset;
    if (callId >= oldest && !there.has(callId) && gone !== "yes") list.remove(callId);
  }
  if (list.size === 0) next = page.next;
  list.show(page.items);
  showUnread("missed", page.unread);
  tidy();
  markSeen();
}

/** @type {any} */
let newsTimer = null;

function hearNews() {
  clearTimeout(newsTimer);
  newsTimer = setTimeout(() => refresh().catch(() => {}), NEWS_PAUSE_MS); // the next news, or a reload, tries again
}

// ---- older calls

const end = new IntersectionObserver(([entry]) => entry.isIntersecting && loadMore(), { rootMargin: AHEAD });

/** Looks again whether the end is near, though it may have been so all the time. */
function watchTheEnd() {
  end.unobserve(more);
  if (next !== null) end.observe(more);
}

let loadingMore = false;

/** @param {boolean} [byHand] then the person goes on with the first that has come */
async function loadMore(byHand = false) {
  if (loadingMore || next === null) return;
  const { signal } = (loading ??= new AbortController());
  loadingMore = true;
  need("a", more).setAttribute("aria-busy", "true");
  try {
    const page = await api.history({ ...view, before: next }, signal);
    if (signal.aborted) return;
    list.show(page.items);
    next = page.next;
    tidy();
    if (byHand) focusRow(page.items[0]?.call_id);
    watchTheEnd();
  } catch (error) {
    if (signal.aborted) return;
    end.unobserve(more); // not again and again: there is a button
    toast(sentenceFor(error), "error");
  } finally {
    loadingMore = false;
    need("a", more).removeAttribute("aria-busy");
  }
}

/** @param {string | undefined} callId */
function focusRow(callId) {
  const row = list.rows().find((candidate) => candidate.dataset.callId === callId);
  /** @type {HTMLElement | null} */ (row?.querySelector("[data-call]") ?? null)?.focus();
}

need("a", more).addEventListener("click", (event) => {
  event.preventDefault();
  loadMore(true);
});

// ---- filters and search

panel.addEventListener("click", (event) => {
  const tab = /** @type {Element} */ (event.target).closest("[data-filter]");
  if (!(tab instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(viewOf(tab.href));
});

/** @param {View} wanted */
function show(wanted) {
  if (addressOf(wanted) !== addressOf(view)) window.history.pushState(null, "", addressOf(wanted));
  load(wanted);
}

const forgetTyped = whenTyped(search, TYPING_PAUSE_MS, lookUp);

function lookUp() {
  forgetTyped();
  const wanted = { ...view, text: search.value.trim() };
  if (wanted.text === view.text) return;
  window.history.replaceState(null, "", addressOf(wanted));
  load(wanted);
}

need("#search-form").addEventListener("submit", (event) => {
  event.preventDefault();
  lookUp();
});

need("#clear-search").addEventListener("click", () => {
  search.value = "";
  search.focus();
  lookUp();
});

window.addEventListener("popstate", () => {
  const wanted = viewOf(location.href);
  search.value = wanted.text;
  load(wanted);
});

// ---- seen

/** The newest call up to which the server knows that all were seen. */
let seenUntil = "";

/** Whoever looks at their missed calls has seen them; whoever looks at others has not. */
async function markSeen() {
  const { newest } = list;
  if (document.visibilityState !== "visible" || view.kind === "outgoing" || view.text) return;
  const isNew = list.rows().some((row) => row.dataset.new === "yes" && (row.dataset.callId ?? "") > seenUntil);
  if (newest === "" || !(isNew || (seenUntil === "" && boot.unread.missed > 0))) return;
  const before = seenUntil;
  seenUntil = newest;
  try {
    showUnread("missed", (await api.markSeen(newest)).missed);
  } catch {
    seenUntil = before; // they are still unread, and said to be seen with the next look
  }
}

document.addEventListener("visibilitychange", markSeen);

// ---- removing

/** @param {HTMLElement} row that was removed for good */
function drop(row) {
  const hadFocus = row.contains(document.activeElement);
  const rows = list.rows();
  const at = rows.indexOf(row);
  list.remove(row.dataset.callId ?? "");
  tidy();
  const neighbour = rows[at + 1] ?? rows[at - 1];
  if (hadFocus) (neighbour?.querySelector("button") ?? need("#title")).focus();
}

panel.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const row = /** @type {HTMLElement | null} */ (target.closest("[data-call-id]"));
  if (!row) return;
  if (target.closest("[data-remove]")) removals.begin(row);
  if (target.closest("[data-undo]")) {
    removals.undo(row);
    need("[data-call]", row).focus();
  }
  const button = target.closest("[data-more]");
  if (button instanceof HTMLElement) openFor(row, button);
});

clear.addEventListener("click", async () => {
  const until = list.newest;
  const agreed = await confirm({
    title: _("Remove all calls?"),
    text: _("Your whole history is removed, on all your devices, and cannot be brought back. The others keep theirs."),
    action: _("Remove all"),
  });
  if (!agreed) return;
  clear.setAttribute("aria-busy", "true");
  try {
    await api.forgetCalls(until);
    await load({ kind: "all", text: "" });
    search.value = "";
    window.history.replaceState(null, "", addressOf(view));
    need("#title").focus();
  } catch (error) {
    toast(sentenceFor(error), "error");
  } finally {
    clear.removeAttribute("aria-busy");
  }
});

// ---- the menu of a call, where there is no room for all its buttons

/** The row for which the menu is open. @type {HTMLElement | null} */
let current = null;

/**
 * @param {HTMLElement} row
 * @param {HTMLElement} button
 */
function openFor(row, button) {
  current = row;
  const { username = "", displayName = "", over } = row.dataset;
  Object.assign(menu.dataset, { username, displayName });
  setText(need("[data-name]", menu), displayName);
  setText(need("[data-details]", menu), need("[data-details]", row).textContent ?? "");
  need("[data-menu-remove]", menu).hidden = over !== "yes";
  openMenu(menu, button);
}

menu.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  if (!target.closest("button")) return;
  menu.hidePopover();
  if (target.closest("[data-menu-remove]") && current) removals.begin(current);
});

// ---- what happens

client.inbox.on("call", hearNews);
client.link.on("frame", (frame) => frame.type === "unread" && hearNews()); // seen or removed on another device
client.link.on("snapshot", hearNews); // what came while the line was away

walkMenu(menu);
startCalling(api);
for (const callId of Removals.leftBehind()) list.remove(callId);
for (const button of document.querySelectorAll("#clear, #clear-search, #call-menu button")) {
  button.removeAttribute("disabled");
}
tidy();
start();
if (new URL(location.href).searchParams.has("before")) show(view); // from here one could not get to the newer ones
else if (search.value.trim() !== view.text) lookUp(); // typed before this script was there, or kept by the browser
else {
  watchTheEnd();
  markSeen();
}
