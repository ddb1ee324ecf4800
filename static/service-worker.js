/**
 * Rings while every page is closed. A push message carries everything that is shown, in the person's language; whether it
 * may still ring is asked of the server, because the message may have waited for a machine that slept.
 *
 * Served at the root, which makes it responsible for every page. A plain script, because not every browser runs a worker
 * that is a module.
 */
"use strict";

const API = "/api/v1";
const ICON = "/static/img/app-192.png";
const BADGE = "/static/img/badge-96.png";
/** How long a page that one looks at may take to ring by itself before a notification does. */
const PAGE_WITHIN_MS = 1_000;
/** How long the server may take to say whether it still rings; then the clock of this machine decides. */
const SERVER_WITHIN_MS = 4_000;
/** With less time left nobody could pick up. */
const LEAST_RING_MS = 3_000;
const VIBRATION_MS = [400, 200, 400, 1_000, 400, 200, 400, 1_000, 400, 200, 400];

/** Where the page of a call finds that its Answer was pressed in a notification; a link from anywhere cannot put it there. */
const ANSWERED_CACHE = "ringback-answer";

/** The rings that have stopped: a message about their beginning may be under way still. */
const stopped = new Set();

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("push", (event) => event.waitUntil(hear(event.data.json())));
self.addEventListener("notificationclick", (event) => event.waitUntil(act(event.notification, event.action)));

/** @param {any} message as docs/protocol.md has it, «Push messages» */
function hear(message) {
  if (message.type === "incoming") return ring(message);
  if (message.type === "stopped") return stop(message);
  return tell(message);
}

async function ring(message) {
  if (await aPageRings(message.call_id)) return showNothing(message);
  if (!(await mayRing(message)) || stopped.has(ringOf(message))) return showNothing(message);
  await display(message.title, {
    body: message.body,
    tag: message.call_id,
    icon: ICON,
    badge: BADGE,
    data: message,
    renotify: true,
    requireInteraction: true,
    actions: [
      { action: "answer", title: message.answer },
      { action: "decline", title: message.decline },
    ],
    ...(message.soft ? { silent: true } : { vibrate: VIBRATION_MS }),
  });
  if (stopped.has(ringOf(message))) await close(message);
}

/** One may be called into the same call more than once. */
function ringOf({ call_id, invited_at }) {
  return `${call_id} ${invited_at}`;
}

async function stop(message) {
  stopped.add(ringOf(message));
  if (await ringsAgain(message)) return;
  const wasShown = await close(message);
  const pages = await visiblePages();
  // The page that one looks at says so itself.
  if (!message.title || (pages.length > 0 && !wasShown)) return showNothing(message);
  await display(message.title, {
    body: message.body,
    tag: message.call_id,
    icon: ICON,
    badge: BADGE,
    silent: true,
    data: { url: "/history" },
  });
}

/**
 * Safari ends a subscription after some messages for which no notification was shown. So one is, silently and for a moment,
 * unless the call has another that must stay.
 */
async function showNothing({ call_id, title }) {
  if (!mustShow()) return;
  await inTurn(async () => {
    if ((await self.registration.getNotifications({ tag: call_id })).length > 0) return;
    await self.registration.showNotification(title || "Ringback", { tag: call_id, icon: ICON, silent: true });
    for (const notification of await self.registration.getNotifications({ tag: call_id })) notification.close();
  });
}

/** WebKit, and nothing that calls itself so for compatibility. */
function mustShow() {
  return /AppleWebKit\//.test(navigator.userAgent) && !/Chrome\/|Chromium\//.test(navigator.userAgent);
}

function tell({ title, body, tag, url, at }) {
  const timestamp = Date.parse(at);
  return display(title, {
    body, tag, timestamp, icon: ICON, badge: BADGE, silent: true, data: { url },
  });
}

/**
 * One after the other, pages included (static/js/push/page.js): Chromium forgets a notification that is about to show when
 * somebody asks meanwhile which are shown, and nobody could take it back then.
 */
function inTurn(work) {
  return navigator.locks.request("ringback-notifications", work);
}

function display(title, options) {
  return inTurn(() => self.registration.showNotification(title, options));
}

/** @returns {Promise<boolean>} whether a later ring of that call is shown; the times are of one form, so that they compare */
function ringsAgain({ call_id, invited_at }) {
  return inTurn(async () => {
    const shown = await self.registration.getNotifications({ tag: call_id });
    return shown.some(({ data }) => data?.invited_at > invited_at);
  });
}

/** @returns {Promise<boolean>} whether there was a notification of that call */
function close({ call_id }) {
  return inTurn(async () => {
    const shown = await self.registration.getNotifications({ tag: call_id });
    for (const notification of shown) notification.close();
    return shown.length > 0;
  });
}

// ---- does it still ring, and where?

async function visiblePages() {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return pages.filter(({ visibilityState }) => visibilityState === "visible");
}

/** A page in the background may be asleep; and one in front may be somebody's sign-in page. So each is asked. */
async function aPageRings(callId) {
  const answers = (await visiblePages()).map((page) => rings(page, callId));
  return (await Promise.all(answers)).includes(true);
}

function rings(page, callId) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data === true);
    setTimeout(resolve, PAGE_WITHIN_MS, false);
    page.postMessage({ type: "rings?", call_id: callId }, [port2]);
  });
}

/** Saying that it rings here is what the caller hears; the answer tells whether it may. */
async function mayRing({ token, expires_at }) {
  const answer = await post("/push/ringing", token, AbortSignal.timeout(SERVER_WITHIN_MS)).catch(() => null);
  if (answer && answer.status < 500) return answer.ok;
  return Date.parse(expires_at) - Date.now() >= LEAST_RING_MS; // a server that is busy keeps no call from ringing
}

/** The token is the credential: without cookies, and so without what protects pages against other sites' pages. */
function post(path, token, signal) {
  return fetch(API + path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
    credentials: "omit",
    signal,
  });
}

// ---- what the person does with it

async function act(notification, action) {
  const { data } = notification;
  notification.close();
  if (data.type !== "incoming") return show(data.url);
  const page = `/call/${data.call_id}`;
  if (action === "answer") {
    await leaveAnswer(data.call_id);
    return show(`${page}#answer`);
  }
  if (action !== "decline") return show(page);
  const answer = await post("/push/decline", data.token).catch(() => null);
  if (!answer) await show(page); // the server could not be reached: there one sees that it is so
}

/** For the page, which answers by itself only if it can take this away. Only the last one counts. */
async function leaveAnswer(callId) {
  await caches.delete(ANSWERED_CACHE);
  const cache = await caches.open(ANSWERED_CACHE);
  await cache.put(`/answered/${callId}`, new Response());
}

/** In a page that is open already, if there is one; a call that goes on in it is not left. */
async function show(path) {
  const url = new URL(path, self.location.origin);
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => new URL(page.url).pathname === url.pathname);
  const idle = pages.find((page) => !new URL(page.url).pathname.startsWith("/call/"));
  const page = there ?? idle ?? pages[0];
  if (!page) return self.clients.openWindow(url.href);
  const focused = await page.focus().catch(() => page);
  if (page === pages[0] && page !== there && page !== idle) return; // in a call: its own dialog has the new one
  if (page === there && !url.hash) return;
  await focused.navigate(url.href).catch(() => self.clients.openWindow(url.href));
}
