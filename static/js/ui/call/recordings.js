/**
 * The recordings of a call that is over: who agreed and when, what is kept with the call, and what is only in this
 * browser.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../types.js").Recording} Recording
 * @typedef {import("../../media/recording_store.js").StoredRecording} StoredRecording
 */
import { RecordingStore } from "../../media/recording_store.js";
import { consentWords, kept as strings, together, whyNotKept } from "../../strings/recording.js";
import { sentenceFor } from "../../strings.js";
import { announce } from "../announcer.js";
import { confirm } from "../confirm.js";
import { copyOf, need, setText } from "../dom.js";
import { duration, fileSize, timeOfDay } from "../format.js";
import { toast } from "../toasts.js";

/**
 * @param {CallContext} context
 * @returns {() => void} looks again
 */
export function startRecordings({ boot, shell, session }) {
  const { api } = shell.client;
  const callId = boot.call.call_id;
  const root = need("#recordings");
  const list = need("ul", root);
  const locale = document.documentElement.lang;
  /** @type {string[]} */
  let urls = [];
  /** Of several looks at once the last one counts. */
  let looks = 0;

  async function look() {
    const mine = ++looks;
    const here = await storedHere(callId, boot.user.id);
    const { recording } = session.view.call;
    if (session.view.phase !== "ended" || (!recording && here.length === 0)) return;
    /** @type {Recording[]} */
    let items = [];
    try {
      ({ items } = await api.recordings(callId));
    } catch (error) {
      console.debug("the recordings of the call are not known", error);
    }
    const blobs = await Promise.all(here.map(async (stored) => ({ stored, blob: await blobOf(stored) })));
    if (mine !== looks) return;
    for (const url of urls.splice(0)) URL.revokeObjectURL(url);
    const rows = items.filter((item) => item.ended_at !== null).map((item) =>
      row(item, blobs.find(({ stored }) => stored.recordingId === item.recording_id) ?? null),
    );
    list.replaceChildren(...rows);
    root.hidden = rows.length === 0;
  }

  /**
   * @param {Recording} item
   * @param {{stored: StoredRecording, blob: Blob} | null} here what this browser has of it
   */
  function row(item, here) {
    const element = copyOf("recording-template");
    const clock = (/** @type {string} */ time) => timeOfDay(new Date(time), locale);
    const when = clock(item.started_at ?? item.asked_at);
    const name = item.by.display_name;
    setText(need("[data-title]", element), item.started_at ? strings.title(name, when) : strings.notBegun(name, when));
    need("[data-consents]", element).replaceChildren(
      ...item.consents.map((consent) => {
        const said = document.createElement("li");
        said.textContent = consentWords(consent, clock, consent.leg_id === item.leg_id);
        return said;
      }),
    );
    if (item.kept) drawKept(element, item);
    else if (here) drawHere(element, item, here.stored, here.blob);
    else setText(need("[data-note]", element), item.started_at ? strings.nothing : "");
    return element;
  }

  /**
   * @param {HTMLElement} element
   * @param {Recording} item
   */
  function drawKept(element, item) {
    const { size_bytes, content_type } = /** @type {NonNullable<Recording["kept"]>} */ (item.kept);
    const url = api.recordingUrl(callId, item.recording_id);
    play(element, url, content_type);
    offer(element, url, content_type, item);
    const days = boot.recording?.keep_days;
    setText(need("[data-note]", element), days ? strings.withCall(fileSize(size_bytes, locale), days) : "");
    const button = need("[data-delete]", element);
    button.hidden = item.by.id !== boot.user.id;
    button.addEventListener("click", async () => {
      if (!(await confirm(strings.deleteKept))) return;
      try {
        await api.deleteRecording(callId, item.recording_id);
        announce(strings.deleted);
      } catch (error) {
        toast(sentenceFor(error), "error");
      }
      look();
    });
  }

  /**
   * @param {HTMLElement} element
   * @param {Recording} item
   * @param {StoredRecording} stored
   * @param {Blob} blob
   */
  function drawHere(element, item, stored, blob) {
    const url = URL.createObjectURL(blob);
    urls.push(url);
    play(element, url, stored.type);
    offer(element, url, stored.type, item);
    const most = boot.recording?.max_bytes ?? 0;
    const fits = blob.size <= most;
    const note = strings.here(duration(stored.durationMs / 1000), fileSize(blob.size, locale));
    const tooLarge = most > 0 && !fits;
    setText(need("[data-note]", element), tooLarge ? together(note, strings.tooLarge(fileSize(most, locale))) : note);
    const keep = need("[data-keep]", element);
    keep.hidden = !fits;
    keep.addEventListener("click", () => send(element, stored, blob));
    const button = need("[data-delete]", element);
    button.hidden = false;
    button.addEventListener("click", async () => {
      if (!(await confirm(strings.deleteHere))) return;
      await forget(stored.recordingId);
      announce(strings.deleted);
      look();
    });
  }

  /**
   * @param {HTMLElement} element
   * @param {StoredRecording} stored
   * @param {Blob} blob
   */
  async function send(element, { recordingId, durationMs }, blob) {
    const progress = /** @type {HTMLProgressElement} */ (need("progress", element));
    const problem = need("[data-problem]", element);
    const keep = need("[data-keep]", element);
    const show = (/** @type {number} */ part) => {
      progress.value = 100 * part;
      setText(need("[data-note]", element), strings.sending(Math.round(100 * part)));
    };
    progress.hidden = false;
    problem.hidden = true;
    keep.setAttribute("aria-busy", "true");
    show(0);
    try {
      await api.keepRecording(callId, recordingId, blob, durationMs, show);
      await forget(recordingId);
      announce(strings.sent);
      await look();
    } catch (error) {
      setText(problem, whyNotKept(error));
      problem.hidden = false;
    }
    progress.hidden = true;
    keep.removeAttribute("aria-busy");
  }

  /**
   * @param {HTMLElement} element
   * @param {string} url
   * @param {string} type
   */
  function play(element, url, type) {
    const player = /** @type {HTMLMediaElement} */ (need(type.startsWith("video/") ? "video" : "audio", element));
    player.src = url;
    player.hidden = false;
  }

  /**
   * @param {HTMLElement} element
   * @param {string} url
   * @param {string} type
   * @param {Recording} item
   */
  function offer(element, url, type, item) {
    const link = /** @type {HTMLAnchorElement} */ (need("[data-download]", element));
    const when = (item.started_at ?? item.asked_at).slice(0, 16).replace("T", " ").replace(":", ".");
    link.href = url;
    link.download = `Ringback ${when}.${type.split("/")[1]}`;
    link.hidden = false;
  }

  let shown = "";
  session.on("change", () => {
    const { phase } = session.view;
    if (phase !== shown && phase === "ended") look();
    shown = phase;
  });
  if (session.view.phase === "ended") look();
  return look;
}

/**
 * @param {string} callId
 * @param {string} userId
 * @returns {Promise<StoredRecording[]>} nothing where a browser stores nothing
 */
async function storedHere(callId, userId) {
  return (await withStore((store) => store.ofCall(callId, userId))) ?? [];
}

/** @param {StoredRecording} stored */
async function blobOf(stored) {
  return (await withStore((store) => store.blob(stored))) ?? new Blob();
}

/** @param {string} recordingId */
async function forget(recordingId) {
  await withStore((store) => store.remove(recordingId));
}

/**
 * @template T
 * @param {(store: RecordingStore) => Promise<T>} act
 * @returns {Promise<T | null>}
 */
async function withStore(act) {
  try {
    const store = await RecordingStore.open();
    try {
      return await act(store);
    } finally {
      store.close();
    }
  } catch (error) {
    console.debug("what this browser has recorded is not known", error);
    return null;
  }
}
