/**
 * The page of one call: what the session says, drawn; what the person does, passed on.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../types.js").User} User
 * @typedef {import("../media/call.js").CallView} CallView
 * @typedef {import("../media/call.js").OtherView} OtherView
 * @typedef {import("../media/phase.js").Phase} Phase
 */
import { readBoot } from "../boot.js";
import { isolated } from "../i18n.js";
import { takeAnswer } from "../push/answered.js";
import { closeRule } from "../realtime/close_codes.js";
import { call as strings, CLOSED, incoming, media as mediaStrings, NOTICE, sentenceFor } from "../strings.js";
import { endedWords, hintWords, peerOf, phaseWords, ringsSoftly } from "../strings/ringing.js";
import { announce } from "../ui/announcer.js";
import { need, setText } from "../ui/dom.js";
import { duration } from "../ui/format.js";
import { offerStep } from "../ui/next_steps.js";
import { startShell } from "../ui/shell.js";
import { showsPicture, Tiles } from "../ui/tiles.js";
import { toast } from "../ui/toasts.js";
import { VoicemailRecorder } from "../ui/voicemail_recorder.js";

/** Answered without the camera: a reload does not switch it on. */
const WITHOUT_CAMERA = "#audio";

/** Answer may have been pressed in a notification. That alone proves nothing: anybody can send such a link. */
const ANSWERED = "#answer";

const boot = /** @type {Required<import("../types.js").Boot> & {user: User}} */ (readBoot());
const shell = startShell(boot, { callHere: boot.call.call_id, busy: isBusy, beforeAnswer: () => session.hangUp() });
const { session, media } = shell.client.room(boot.call, boot.leg_id, location.hash !== WITHOUT_CAMERA);
const { inbox } = shell.client;

const page = need("#call");
const statusLine = need("#call-status");
const hint = need("#call-hint");
const timer = need("#call-timer");
/** @type {HTMLVideoElement} */
const ownVideo = need("#self video");
/** @type {HTMLButtonElement} */
const muteButton = need("#mute");
/** @type {HTMLButtonElement} */
const cameraButton = need("#camera");
const problemPanel = need("#media-problem");
const tapToHear = need("#tap-to-hear");
const recorder = new VoicemailRecorder(shell.client.api, boot.call, boot.voicemail);
const tiles = new Tiles(need("#tiles"), () => {
  tapToHear.hidden = false;
});

/** Reasons after which the same person can be called again, though the server's own word is still on its way. */
const LEFT_BY_ME = new Set(["hangup", "cancelled", "media_denied"]);

/** Twice in a second, so that no second is skipped. */
const TICK_MS = 500;
/** While one waits, one sees oneself. @type {Set<Phase>} */
const BEFORE = new Set(["calling", "trying", "ringing", "connecting"]);

/** @type {Phase | null} */
let shownPhase = null;
/** The problems that the person has read and put aside. */
let acceptedProblems = "";

/** @returns {User} whom this call is with */
function partner() {
  return peerOf(session.view.call, boot.user.id).user;
}

function isBusy() {
  return session.view.phase !== "ended" && session.view.phase !== "incoming";
}

// ---- drawing

function draw() {
  const view = session.view;
  const running = view.phase !== "ended" && view.phase !== "incoming";
  const tiled = running && (view.others.length > 1 || view.others.some(showsPicture));
  page.dataset.phase = view.phase;
  page.dataset.stage = tiled ? "tiles" : running && media.camera && BEFORE.has(view.phase) ? "preview" : "plain";
  page.dataset.self = running && media.camera ? "yes" : "no";
  tiles.draw(view.phase === "ended" ? [] : view.others);
  drawStatus(view);
  drawBadges(view);
  drawControls();
  drawProblems(view.phase);
  drawSelf();
  drawTimer();
  if (view.phase !== shownPhase) enter(view.phase);
  if (view.phase === "ended") recorder.offer(view.call);
}

/** @param {CallView} view */
function drawStatus(view) {
  setText(statusLine, statusWords(view));
  setText(hint, hintWords(view.phase));
}

/**
 * @param {CallView} view
 * @returns {string}
 */
function statusWords({ phase, call, over }) {
  if (phase === "incoming") return call.media === "video" ? incoming.video : incoming.audio;
  if (phase !== "ended") return phaseWords(call, boot.user.id, phase);
  if (over && "code" in over) return CLOSED[closeRule(over.code).name] ?? CLOSED.unknown;
  return endedWords(call, boot.user.id, over?.reason ?? null);
}

/** @param {CallView} view */
function drawBadges({ others, phase, link }) {
  const [only] = others.length === 1 ? others : [];
  const live = phase === "in_call" || phase === "reconnecting";
  badge("muted", live && only !== undefined && !only.media.audio);
  badge("camera", live && only !== undefined && !only.media.video && boot.call.media === "video");
  badge("poor", live && others.some(({ quality }) => quality === "poor"));
  badge("away", phase === "in_call" && others.some(({ reconnecting }) => reconnecting));
  badge("link", phase === "in_call" && link !== "open");
}

/**
 * @param {string} name
 * @param {boolean} shown
 */
function badge(name, shown) {
  need(`#call-badges [data-badge=${name}]`).hidden = !shown;
}

function drawControls() {
  const muted = media.muted;
  const cameraOn = media.camera !== null;
  muteButton.dataset.on = muted ? "no" : "yes";
  cameraButton.dataset.on = cameraOn ? "yes" : "no";
  setText(need("[data-label]", muteButton), muted ? strings.unmute : strings.mute);
  setText(need("[data-label]", cameraButton), cameraOn ? strings.cameraOff : strings.cameraOn);
}

/** @param {Phase} phase */
function drawProblems(phase) {
  const { problems } = media;
  const shown = problems.length > 0 && phase !== "ended" && JSON.stringify(problems) !== acceptedProblems;
  if (shown) {
    const { title, text } = mediaStrings.problem(problems);
    setText(need("[data-title]", problemPanel), title);
    setText(need("[data-help]", problemPanel), text);
    const deaf = problems.some(({ device }) => device === "microphone");
    setText(need("[data-meanwhile]", problemPanel), deaf ? mediaStrings.onlyListening : mediaStrings.withoutCamera);
  }
  problemPanel.hidden = !shown;
}

function drawSelf() {
  // An element with an empty stream would wait for a picture, and the page's load event with it.
  const picture = media.camera ? media.preview : null;
  if (ownVideo.srcObject !== picture) ownVideo.srcObject = picture;
  need("#self [data-muted]").hidden = !media.muted;
}

function drawTimer() {
  const { phase, startedAtMs } = session.view;
  const running = (phase === "in_call" || phase === "reconnecting") && startedAtMs !== null;
  timer.hidden = !running; // afterwards the sentence says how long it was
  if (running) setText(timer, duration((Date.now() - startedAtMs) / 1000));
}

// ---- from one phase to the next

/** @param {Phase} phase */
function enter(phase) {
  const before = shownPhase;
  shownPhase = phase;
  document.title = titleOf(phase);
  if (phase === "ringing") shell.tones.play("ringback");
  else if (before === "ringing") shell.tones.stop();
  if (phase === "in_call") keepAwake();
  if (phase === "ended") ended();
}

/** @param {Phase} phase */
function titleOf(phase) {
  const { display_name: name } = partner();
  if (phase === "incoming") return `${incoming.title(name)} · Ringback`;
  if (phase === "ended") return `${isolated(name)} · Ringback`;
  return `${phaseWords(session.view.call, boot.user.id, phase)} · ${isolated(name)} · Ringback`;
}

function ended() {
  clearInterval(ticking);
  tapToHear.hidden = true;
  releaseScreen();
  const { call, over } = session.view;
  offerStep(/** @type {HTMLButtonElement} */ (need("#next-step")), over && "code" in over ? stepAfter(over.code) : "none");
  need("#call-again").hidden = call.state !== "ended" && over !== null && !LEFT_BY_ME.has("reason" in over ? over.reason : "");
  need("#back").focus(); // and not on the button that would call again
}

/** @param {number} code the way home is always there */
function stepAfter(code) {
  const { next } = closeRule(code);
  return next === "home" ? "none" : next;
}

/** @type {WakeLockSentinel | null} */
let wakeLock = null;

/**
 * A phone's screen must not go dark over a call; a browser that cannot do that just does not. Of a page that is hidden the
 * browser takes the lock away, so it is asked for anew when it shows again.
 */
async function keepAwake() {
  if (boot.call.media !== "video" || !talking() || document.visibilityState === "hidden") return;
  if (wakeLock && !wakeLock.released) return;
  try {
    wakeLock = await navigator.wakeLock.request("screen");
    if (!talking()) releaseScreen(); // it ended meanwhile
  } catch {
    wakeLock = null;
  }
}

function talking() {
  return session.view.phase === "in_call" || session.view.phase === "reconnecting";
}

function releaseScreen() {
  wakeLock?.release().catch(() => {});
  wakeLock = null;
}

// ---- what the person does

function toggleMute() {
  if (!media.microphone) return void retryMedia();
  session.toggleMute();
  announce(media.muted ? strings.nowMuted : strings.nowUnmuted);
}

async function toggleCamera() {
  if (cameraButton.getAttribute("aria-busy") === "true") return;
  cameraButton.setAttribute("aria-busy", "true");
  acceptedProblems = "";
  await session.toggleCamera();
  cameraButton.removeAttribute("aria-busy");
  if (media.problems.length === 0) announce(media.camera ? strings.cameraNowOn : strings.cameraNowOff);
}

function hangUp() {
  const refused = media.problems.some(({ device, kind }) => device === "microphone" && kind === "denied");
  session.hangUp(refused && !problemPanel.hidden ? "media_denied" : undefined);
}

/** @param {boolean} camera */
async function answer(camera) {
  await decide(camera ? "#answer" : "#answer-audio", incoming.failed, async () => {
    const call = await inbox.answer(boot.call.call_id);
    if (!camera) history.replaceState(null, "", WITHOUT_CAMERA);
    session.answered(call, camera);
  });
}

async function decline() {
  await decide("#decline", incoming.declineFailed, async () => session.apply(await inbox.decline(boot.call.call_id)));
}

/** While the person's own decision is under way, what is heard of the call may be its result. */
let deciding = false;

/**
 * @param {string} pressed its button
 * @param {string} failed what to say if nothing came of it
 * @param {() => Promise<void>} act
 */
async function decide(pressed, failed, act) {
  if (deciding) return;
  deciding = true;
  need(pressed).setAttribute("aria-busy", "true");
  shell.ringer.silence();
  enableIncoming(false);
  try {
    await act();
  } catch (error) {
    if (session.view.phase === "incoming") toast(failed, "error");
  } finally {
    deciding = false;
    enableIncoming(true);
  }
}

/** @param {boolean} enabled the one that was pressed keeps the focus */
function enableIncoming(enabled) {
  for (const id of ["#answer", "#answer-audio", "#decline"]) {
    const button = /** @type {HTMLButtonElement} */ (need(id));
    if (enabled) button.removeAttribute("aria-busy");
    button.disabled = !enabled && button.getAttribute("aria-busy") !== "true";
  }
}

async function callAgain() {
  const button = need("#call-again");
  button.setAttribute("aria-busy", "true");
  try {
    const { call_id } = await shell.client.api.startCall(partner().username, boot.call.media);
    location.assign(`/call/${call_id}`);
  } catch (error) {
    button.removeAttribute("aria-busy");
    toast(sentenceFor(error), "error");
  }
}

async function retryMedia() {
  acceptedProblems = "";
  await session.retryMedia();
}

function goOnListening() {
  acceptedProblems = JSON.stringify(media.problems);
  draw();
}

/** @type {Record<string, () => void>} */
const ACTIONS = {
  "#mute": toggleMute,
  "#camera": toggleCamera,
  "#hang-up": hangUp,
  "#answer": () => answer(true),
  "#answer-audio": () => answer(false),
  "#decline": decline,
  "#call-again": callAgain,
  "#retry-media": retryMedia,
  "#listen-only": goOnListening,
  "#end-denied": hangUp,
};

for (const [selector, action] of Object.entries(ACTIONS)) need(selector).addEventListener("click", action);

tapToHear.addEventListener("click", () => {
  tapToHear.hidden = true;
  tiles.play();
});

/** @type {Record<string, () => void>} */
const SHORTCUTS = { m: toggleMute, v: toggleCamera };

document.addEventListener("visibilitychange", keepAwake);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || document.querySelector("dialog[open]")) return;
  if (isBusy()) SHORTCUTS[event.key.toLowerCase()]?.();
});

// ---- what happens

session.on("change", draw);
session.on("notice", ({ kind, user }) => announce(NOTICE[kind](user.display_name)));

inbox.on("call", (call) => {
  if (!deciding) session.apply(call);
});
inbox.on("stopped", ({ call, reason }) => {
  if (call.call_id !== boot.call.call_id) return;
  shell.ringer.stop();
  if (reason !== "handled") session.stopRinging(reason);
});
inbox.on("incoming", ({ call }) => {
  recorder.interrupt();
  if (call.call_id !== boot.call.call_id || session.view.phase !== "incoming") return;
  if (location.hash === ANSWERED) answerOrRing(call);
  else ring(call);
});
// The page rang already, in the background.
window.addEventListener("hashchange", () => {
  if (location.hash === ANSWERED && inbox.isRinging(boot.call.call_id)) answerOrRing(session.view.call);
});

/** @param {Call} call */
async function answerOrRing(call) {
  history.replaceState(null, "", location.pathname);
  const answered = await takeAnswer(call.call_id);
  if (session.view.phase !== "incoming") return;
  if (answered) answer(true);
  else ring(call);
}

/** @param {Call} call */
function ring(call) {
  const tone = ringsSoftly(call, boot.user.id) ? "callWaiting" : "ringtone";
  shell.ringer.start(call.call_id, `${incoming.title(partner().display_name)} · Ringback`, tone);
  inbox.ringing(call.call_id).catch(() => {}); // it stopped ringing meanwhile: that is told separately
}

const ticking = setInterval(drawTimer, TICK_MS);
draw();
session.start();
shell.start();
