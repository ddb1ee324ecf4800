/**
 * Recording with consent: asking, agreeing or not, seeing all the time that it goes on, ending it. Who agrees is a matter
 * of the call, which the server keeps; it is made here where this page has asked.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../types.js").Recording} Recording
 * @typedef {import("../../media/call_recorder.js").Source} Source
 * @typedef {import("../../media/local_recording.js").CutShort} CutShort
 */
import { callRecordingType } from "../../media/call_recorder.js";
import { agrees, awaited } from "../../media/consent.js";
import { LocalRecording } from "../../media/local_recording.js";
import { RecordingStore } from "../../media/recording_store.js";
import { endedWords, recording as strings, together } from "../../strings/recording.js";
import { announce } from "../announcer.js";
import { confirm } from "../confirm.js";
import { need, setText } from "../dom.js";
import { duration } from "../format.js";
import { markTitle } from "../title.js";
import { toast } from "../toasts.js";
import { isRunning, isTalking } from "./context.js";

const LIVE = new Set(["asked", "on", "paused"]);
/** Twice in a second, so that no second is skipped. */
const TICK_MS = 500;

/**
 * @param {CallContext} context
 * @param {() => void} onKept whenever another recording of this browser's is whole
 */
export function startRecording({ boot, session, media, page }, onKept) {
  const ownId = boot.user.id;
  const bar = need("#recording");
  /** @type {HTMLDialogElement} */
  const dialog = need("#consent");
  const entry = need("#record");

  /** What this page has asked for: a recording of one's own that it knows nothing of was made by a page before. */
  const askedHere = new Set();
  /** Names of those who do not agree, which the server could not store yet, by recording. @type {Map<string, string[]>} */
  const refusing = new Map();
  let asking = false;
  /** @type {RecordingStore | null} */
  let store = null;
  /** @type {LocalRecording | null} */
  let local = null;
  /** Which one the person was shown the question for. */
  let shownFor = "";
  /** Which one was live when we last looked. @type {Recording | null} */
  let before = null;
  /** Which one this page has ended already, as nobody here makes it. */
  let interrupted = "";
  /** Those that could be made here no longer, and why. @type {Map<string, CutShort>} */
  const cutShort = new Map();

  // ---- where it stands

  /** @returns {Recording | null} the one that goes on, or may */
  function live() {
    const { recording } = session.view.call;
    return recording && LIVE.has(recording.state) && isRunning(session) ? recording : null;
  }

  function look() {
    const recording = live();
    if (before && recording?.recording_id !== before.recording_id) over(before);
    before = recording;
    record(recording);
    ask(recording);
    draw(recording);
  }

  /** @param {Recording} ended */
  function over(ended) {
    const { recording } = session.view.call;
    const words = endedWords(recording?.recording_id === ended.recording_id ? recording : ended, ownId);
    if (words && isRunning(session)) toast(local ? together(words, strings.onThePage) : words);
  }

  // ---- made here

  /** @param {Recording | null} recording */
  function record(recording) {
    if (local && local.recordingId !== recording?.recording_id) return void finish(local);
    if (!recording || recording.by.id !== ownId || asking) return;
    if (!askedHere.has(recording.recording_id)) cutShort.set(recording.recording_id, "interrupted");
    if (cutShort.has(recording.recording_id)) return end(recording);
    if (!local && recording.state === "on" && store) local = begun(recording, store);
    // While the server is away nobody could tell us that they agree no longer.
    const goesOn = recording.state === "on" && session.view.upToDate && !refusing.has(recording.recording_id);
    local?.take(goesOn ? sources(recording) : []);
  }

  /**
   * @param {Recording} recording
   * @param {RecordingStore} into
   * @returns {LocalRecording | null} null where the browser refuses: the recording ends
   */
  function begun(recording, into) {
    const { recording_id: recordingId, media: kind } = recording;
    /** @param {CutShort} why */
    const onCutShort = (why) => {
      cutShort.set(recordingId, why);
      const still = live();
      if (still?.recording_id === recordingId) end(still);
    };
    try {
      return new LocalRecording({ store: into, recordingId, callId: boot.call.call_id, userId: ownId, media: kind, onCutShort });
    } catch (error) {
      console.warn("this browser does not record", error);
      onCutShort("interrupted");
      return null;
    }
  }

  /** @param {Recording} recording one's own that is not made here: by a page before this one, on another device, or no more */
  function end({ recording_id }) {
    if (interrupted === recording_id || session.view.link !== "open") return;
    interrupted = recording_id;
    session.request("recording", { action: "stop", reason: cutShort.get(recording_id) }).catch(ignored);
  }

  /** @param {LocalRecording} ended */
  async function finish(ended) {
    local = null;
    await ended.stop();
    onKept();
  }

  /**
   * @param {Recording} recording
   * @returns {Source[]} oneself and whoever agrees; somebody who has just come is left out until they do
   */
  function sources(recording) {
    const own = { key: "own", name: boot.user.display_name, audio: media.microphone, video: media.camera };
    const { call } = session.view;
    const others = session.view.others.filter(({ legId }) =>
      agrees(recording, call.legs.find((leg) => leg.leg_id === legId)),
    );
    return [
      { ...own, screen: session.screen.track },
      ...others.map(({ legId, user, media: sent, stream, screen }) => ({
        key: legId,
        name: user.display_name,
        audio: stream?.getAudioTracks()[0] ?? null,
        video: sent.video ? (stream?.getVideoTracks()[0] ?? null) : null,
        screen: sent.screen ? (screen?.getVideoTracks()[0] ?? null) : null,
      })),
    ];
  }

  // ---- asking and being asked

  async function toggle() {
    const recording = live();
    if (recording?.by.id === ownId) return stop();
    const { media: kind } = boot.call;
    if (!callRecordingType(kind)) return toast(strings.unsupported, "error");
    if (!(await confirm({ title: strings.ask.title, text: strings.ask[kind], action: strings.ask.action }))) return;
    asking = true;
    try {
      store ??= await RecordingStore.open();
    } catch (error) {
      console.debug("there is no storage", error);
      asking = false;
      return toast(strings.noStorage, "error");
    }
    try {
      askedHere.add((await session.request("recording", { action: "ask", media: kind })).recording_id);
    } catch (error) {
      toast(strings.askFailed(error), "error");
    }
    asking = false;
    look();
  }

  function stop() {
    session.request("recording", { action: "stop" }).catch((error) => toast(strings.askFailed(error), "error"));
  }

  /** @param {boolean} agree */
  function decide(agree) {
    const recording = live();
    if (dialog.open) dialog.close();
    if (!recording) return;
    const fields = { recording_id: recording.recording_id, agree };
    session.request("consent", fields).catch((error) => toast(strings.askFailed(error), "error"));
  }

  /** @param {Recording | null} recording shows the question once; afterwards the bar has it */
  function ask(recording) {
    const asked = recording !== null && recording.by.id !== ownId && isTalking(session) && ownAwaited(recording);
    if (!asked && dialog.open) dialog.close();
    if (!asked || shownFor === recording.recording_id || document.querySelector("dialog[open]")) return;
    shownFor = recording.recording_id;
    setText(need("[data-title]", dialog), strings.wants(recording.by.display_name));
    setText(need("[data-what]", dialog), strings.what[recording.media]);
    setText(need("[data-then]", dialog), strings.then(recording.by.display_name));
    dialog.showModal();
  }

  /** @param {Recording} recording */
  function ownAwaited(recording) {
    return awaited(session.view.call, recording).some((leg) => leg.user.id === ownId);
  }

  // ---- drawing

  /** @param {Recording | null} recording */
  function draw(recording) {
    const mine = recording?.by.id === ownId;
    const mayAsk = boot.recording !== null && isTalking(session) && session.view.others.length > 0;
    entry.hidden = recording ? !mine : !mayAsk;
    setText(need("[data-label]", entry), mine ? strings.menuStop : strings.menuAsk);
    markTitle(recording && recording.state !== "asked" ? `● ${strings.mark}` : "");
    bar.hidden = recording === null;
    if (!recording) return void delete page.dataset.recording;
    const toAnswer = !mine && ownAwaited(recording);
    page.dataset.recording = bar.dataset.state = recording.state;
    const words = wordsOf(recording, mine, toAnswer);
    if (need("[data-words]", bar).textContent !== words) announce(words);
    setText(need("[data-words]", bar), words);
    part("agree").hidden = part("refuse").hidden = !toAnswer;
    part("withdraw").hidden = mine || toAnswer;
    part("stop").hidden = !mine || recording.state === "asked";
    part("cancel").hidden = !mine || recording.state !== "asked";
    drawTime();
  }

  /**
   * @param {Recording} recording
   * @param {boolean} mine
   * @param {boolean} toAnswer
   */
  function wordsOf(recording, mine, toAnswer) {
    const name = recording.by.display_name;
    const names = awaited(session.view.call, recording).map((leg) => leg.user.display_name);
    const refused = refusing.get(recording.recording_id);
    if (refused) return strings.paused(refused);
    const away = mine && recording.state !== "asked" && !session.view.upToDate;
    if (away) return strings.pausedAwayMine;
    if (recording.state === "on") return mine ? strings.onMine : strings.on(name);
    if (toAnswer) return recording.state === "asked" ? strings.wants(name) : strings.pausedForYou(name);
    if (names.length === 0) return mine ? strings.pausedAwayMine : strings.pausedAway(name);
    return recording.state === "asked" ? strings.waiting(names) : strings.paused(names);
  }

  function drawTime() {
    const time = need("[data-time]", bar);
    time.hidden = local === null;
    if (local) setText(time, duration(local.elapsedMs / 1000));
  }

  /** @param {string} name */
  function part(name) {
    return need(`[data-${name}]`, bar);
  }

  setInterval(drawTime, TICK_MS);
  entry.addEventListener("click", toggle);
  part("stop").addEventListener("click", stop);
  part("cancel").addEventListener("click", stop);
  part("withdraw").addEventListener("click", () => decide(false));
  for (const root of [bar, dialog]) {
    need("[data-agree]", root).addEventListener("click", () => decide(true));
    need("[data-refuse]", root).addEventListener("click", () => decide(false));
  }
  session.on("frame", (frame) => {
    if (frame.type !== "recording") return;
    const names = refused(frame.consents);
    if (names.length > 0) refusing.set(frame.recording_id, names);
    else refusing.delete(frame.recording_id);
    look();
  });
  session.on("change", look);
  look();
}

/** @param {import("../../types.js").Consent[]} consents */
function refused(consents) {
  return consents.filter(({ refused_at }) => refused_at !== null).map(({ user }) => user.display_name);
}

/** @param {unknown} error */
function ignored(error) {
  console.debug("the recording had ended already", error);
}
