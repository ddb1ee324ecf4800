/**
 * The messages that others left: listened to, called back, deleted; new ones arrive by themselves.
 *
 * @typedef {import("../types.js").Voicemail} Voicemail
 */
import { readBoot } from "../boot.js";
import { Player } from "../media/player.js";
import { sentenceFor } from "../strings.js";
import { voicemail as strings } from "../strings/voicemail.js";
import { announce } from "../ui/announcer.js";
import { drawAvatar } from "../ui/avatar.js";
import { copyOf, need, setText } from "../ui/dom.js";
import { duration, moment } from "../ui/format.js";
import { startShell } from "../ui/shell.js";
import { toast } from "../ui/toasts.js";
import { Waveform } from "../ui/waveform.js";

/** Whoever listened that long has heard the message, or whoever heard half of a shorter one. */
const HEARD_AFTER_S = 1;
/** More than this between two looks was not played but jumped over. */
const LARGEST_STEP_S = 0.6;
/** How long a deletion can be undone. */
const UNDO_MS = 8_000;
const SPEEDS = [1, 1.5, 2];
const SPEED_KEY = "ringback-voicemail-speed";

const boot = /** @type {import("../types.js").Boot & {next: string | null}} */ (readBoot());
const { client, start } = startShell(boot);
const list = need("#message-list");
const empty = need("#empty");
const more = need("#more");
const player = new Player();

/** One message on the page. */
class Message {
  #waveform;
  /** How much of it was really played here, in seconds. */
  #playedS = 0;
  #lastS = 0;
  /** The deletion that can still be undone. @type {any} */
  #deleting = null;

  /** @param {HTMLElement} item */
  constructor(item) {
    const { voicemailId = "", durationS, waveform = "", username = "", displayName = "" } = item.dataset;
    this.item = item;
    this.id = voicemailId;
    this.durationS = Number(durationS);
    this.sender = { username, name: displayName };
    this.#waveform = new Waveform(need("[data-place]", item), (timeS) => this.seek(timeS));
    this.#waveform.set(waveform ? waveform.split(",").map(Number) : [], this.durationS);
    const on = (/** @type {string} */ selector, /** @type {() => void} */ action) => {
      const button = /** @type {HTMLButtonElement} */ (need(selector, item));
      button.disabled = false;
      button.addEventListener("click", action);
    };
    on("[data-play]", () => this.toggle());
    on("[data-speed]", () => changeSpeed());
    on("[data-call-back]", () => this.#callBack());
    on("[data-delete]", () => this.#delete());
    on("[data-undo]", () => this.#undo());
    this.drawTime();
  }

  get heard() {
    return this.item.dataset.heard === "yes";
  }

  set heard(heard) {
    this.item.dataset.heard = heard ? "yes" : "no";
  }

  // ---- playing

  toggle() {
    if (playing === this && player.playing) return player.pause();
    this.#take();
    player.play();
  }

  /** @param {number} timeS */
  seek(timeS) {
    this.#take();
    player.seek(timeS);
  }

  /** The player plays this message from now on. */
  #take() {
    if (playing === this && !player.failed) return;
    const before = playing;
    playing = this;
    this.#lastS = 0;
    player.load(client.api.voicemailAudioUrl(this.id), this.durationS);
    before?.draw();
  }

  /** Draws what the player does with it. */
  draw() {
    const mine = playing === this;
    const running = mine && player.playing;
    const button = need("[data-play]", this.item);
    button.dataset.playing = running ? "yes" : "no";
    button.setAttribute("aria-label", running ? strings.pause(this.sender.name) : strings.play(this.sender.name));
    this.item.dataset.current = mine ? "yes" : "no";
    this.#waveform.show(mine ? player.timeS : 0);
    this.drawTime();
    if (running) this.#count(player.timeS);
  }

  drawTime() {
    const timeS = playing === this ? player.timeS : 0;
    setText(need("[data-time]", this.item), duration(timeS > 0 ? timeS : Math.round(this.durationS)));
    const speed = need("[data-speed]", this.item);
    setText(speed, strings.times(player.speed));
    speed.setAttribute("aria-label", strings.speed(player.speed));
  }

  /** @param {number} nowS where it is */
  #count(nowS) {
    const stepS = nowS - this.#lastS;
    this.#lastS = nowS;
    if (stepS > 0 && stepS < LARGEST_STEP_S) this.#playedS += stepS;
    if (!this.heard && this.#playedS >= Math.min(HEARD_AFTER_S, this.durationS / 2)) this.#markHeard();
  }

  async #markHeard() {
    this.heard = true;
    try {
      await client.api.voicemailHeard(this.id);
    } catch {
      this.heard = false; // it is said again while it plays on
      this.#playedS = 0;
    }
  }

  // ---- what one can do about it

  async #callBack() {
    const button = need("[data-call-back]", this.item);
    button.setAttribute("aria-busy", "true");
    player.pause();
    try {
      const call = await client.api.startCall(this.sender.username, "audio");
      location.assign(`/call/${call.call_id}`);
    } catch (error) {
      button.removeAttribute("aria-busy");
      toast(sentenceFor(error), "error");
    }
  }

  #delete() {
    if (playing === this) player.pause();
    const sentence = strings.deleted(this.sender.name);
    setText(need("[data-gone-text]", this.item), sentence);
    this.item.dataset.gone = "yes";
    announce(sentence);
    need("[data-undo]", this.item).focus();
    this.#deleting = setTimeout(() => this.finishDeleting(), UNDO_MS);
  }

  #undo() {
    clearTimeout(this.#deleting);
    this.#deleting = null;
    this.item.dataset.gone = "no";
    announce(strings.restored);
    need("[data-delete]", this.item).focus();
  }

  /** What was deleted and can still be undone is done now. */
  async finishDeleting() {
    if (this.#deleting === null) return;
    clearTimeout(this.#deleting);
    this.#deleting = null;
    try {
      await client.api.deleteVoicemail(this.id);
    } catch (error) {
      if (/** @type {{status?: number}} */ (error).status !== 404) {
        this.item.dataset.gone = "no";
        return toast(strings.notDeleted, "error");
      }
    }
    remove(this);
  }
}

/** @type {Map<string, Message>} */
const messages = new Map();
/** @type {Message | null} */
let playing = null;
/** @type {string | null} */
let next = boot.next;

// ---- the list

/** @param {Voicemail} voicemail */
function itemOf({ voicemail_id, from, duration_s, waveform, created_at, heard_at }) {
  const item = copyOf("message-template");
  const { display_name: name } = from;
  Object.assign(item.dataset, {
    voicemailId: voicemail_id,
    username: from.username,
    displayName: name,
    durationS: String(duration_s),
    waveform: waveform.join(","),
    heard: heard_at ? "yes" : "no",
  });
  drawAvatar(need(".avatar", item), from);
  setText(need("[data-name]", item), name);
  /** @type {HTMLTimeElement} */ (need("time", item)).dateTime = created_at;
  need("[data-call-back]", item).setAttribute("aria-label", strings.callBack(name));
  need("[data-delete]", item).setAttribute("aria-label", strings.remove(name));
  need("[data-play]", item).setAttribute("aria-label", strings.play(name));
  need("[data-place]", item).setAttribute("aria-label", strings.waveform(name));
  return item;
}

/** @param {Voicemail} voicemail put where its time belongs */
function show(voicemail) {
  const known = messages.get(voicemail.voicemail_id);
  if (known) {
    known.heard = known.heard || voicemail.heard_at !== null;
    return;
  }
  const item = itemOf(voicemail);
  const older = [...list.children].find((other) => (other.getAttribute("data-voicemail-id") ?? "") < voicemail.voicemail_id);
  list.insertBefore(item, older ?? null);
  messages.set(voicemail.voicemail_id, new Message(item));
  tidy();
}

/** @param {Message} message */
function remove(message) {
  const focused = message.item.contains(document.activeElement);
  const neighbour = message.item.nextElementSibling ?? message.item.previousElementSibling;
  if (playing === message) {
    player.unload();
    playing = null;
  }
  message.item.remove();
  messages.delete(message.id);
  tidy();
  if (focused) need(neighbour ? "[data-play]" : "#title", neighbour ?? document).focus();
}

/** What depends on the list as a whole. */
function tidy() {
  empty.hidden = messages.size > 0;
  more.hidden = next === null;
  const now = new Date();
  for (const time of list.querySelectorAll("time")) setText(time, moment(new Date(time.dateTime), now, document.documentElement.lang));
}

/** Brings the newest page up to date: what was missed, heard or deleted elsewhere. */
async function refresh() {
  const { items, next: after } = await client.api.voicemail();
  const there = new Set(items.map(({ voicemail_id }) => voicemail_id));
  const oldest = after === null ? "" : (items.at(-1)?.voicemail_id ?? "");
  for (const message of [...messages.values()]) {
    if (message.id >= oldest && !there.has(message.id)) remove(message);
  }
  for (const item of items) show(item);
}

async function showOlder() {
  const button = need("[data-more]");
  button.setAttribute("aria-busy", "true");
  try {
    const page = await client.api.voicemail(next);
    next = page.next;
    for (const item of page.items) show(item);
    tidy();
    messages.get(page.items[0]?.voicemail_id ?? "")?.item.querySelector("button")?.focus();
  } catch {
    toast(strings.notLoaded, "error");
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// ---- speed

function changeSpeed() {
  player.speed = SPEEDS[(SPEEDS.indexOf(player.speed) + 1) % SPEEDS.length];
  localStorage.setItem(SPEED_KEY, String(player.speed));
  for (const message of messages.values()) message.drawTime();
  announce(strings.speed(player.speed));
}

// ---- what happens

let complained = false;

player.on("change", () => {
  playing?.draw();
  if (player.failed && !complained) toast(strings.cannotPlay, "error");
  complained = player.failed;
});

client.inbox.on("voicemail", (voicemail) => {
  show(voicemail);
  announce(strings.arrived(voicemail.from.display_name));
});
client.inbox.on("unheard", (count) => {
  need("#unheard").hidden = count === 0;
  setText(need("#unheard"), strings.unheard(count));
  refresh().catch(() => {}); // one was heard or deleted, perhaps elsewhere; the next change, or a reload, brings it
});
client.inbox.on("incoming", () => player.pause());
client.link.on("snapshot", () => refresh().catch(() => {})); // what came while the line was away
window.addEventListener("pagehide", () => {
  for (const message of messages.values()) message.finishDeleting();
});
need("[data-more]").addEventListener("click", showOlder);

const kept = Number(localStorage.getItem(SPEED_KEY));
if (SPEEDS.includes(kept)) player.speed = kept;
for (const item of /** @type {HTMLElement[]} */ ([...list.children])) {
  const message = new Message(item);
  messages.set(message.id, message);
}
tidy();
start();
