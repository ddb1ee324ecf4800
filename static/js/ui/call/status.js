/**
 * Where the call stands, in words: the card, the page's title, the timer.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../media/call.js").CallView} CallView
 * @typedef {import("../../media/phase.js").Phase} Phase
 */
import { isolated } from "../../i18n.js";
import { closeRule } from "../../realtime/close_codes.js";
import { CLOSED, incoming, NOTICE } from "../../strings.js";
import { goesOnWords } from "../../strings/moving.js";
import { endedWords, hintWords, phaseWords } from "../../strings/ringing.js";
import { announce } from "../announcer.js";
import { need, setText } from "../dom.js";
import { duration } from "../format.js";
import { setTitle } from "../title.js";
import { isTalking, onPhase, partnerOf } from "./context.js";
import { companyWords, namesOf } from "./names.js";

/** Twice in a second, so that no second is skipped. */
const TICK_MS = 500;

/** @param {CallContext} context */
export function startStatus(context) {
  const { session, boot, shell } = context;
  const ownId = boot.user.id;
  const name = need("#call-name bdi");
  const statusLine = need("#call-status");
  const hint = need("#call-hint");
  const timer = need("#call-timer");

  function draw() {
    const { view } = session;
    setText(name, namesOf(view.call, ownId));
    setText(statusLine, statusWords(view, ownId, boot.device));
    const company = companyWords(view.call, ownId);
    setText(hint, company.status || company.hint ? company.hint : hintWords(view.phase));
    drawBadges(view);
    drawTimer();
  }

  /** @param {CallView} view */
  function drawBadges({ others, phase, link }) {
    const [only] = others.length === 1 ? others : [];
    const live = isTalking(session);
    badge("muted", live && only !== undefined && !only.media.audio);
    badge("camera", live && only !== undefined && !only.media.video && boot.call.media === "video");
    badge("away", phase === "in_call" && others.some(({ reconnecting }) => reconnecting));
    badge("link", phase === "in_call" && link !== "open");
  }

  function drawTimer() {
    const { startedAtMs } = session.view;
    const running = isTalking(session) && startedAtMs !== null;
    timer.hidden = !running; // afterwards the sentence says how long it was
    if (running) setText(timer, duration((Date.now() - startedAtMs) / 1000));
  }

  /** @param {Phase} phase */
  function titleOf(phase) {
    const { call } = session.view;
    if (phase === "incoming") return `${incoming.title(partnerOf(context).display_name)} · Ringback`;
    const names = isolated(namesOf(call, ownId));
    return phase === "ended" ? `${names} · Ringback` : `${phaseWords(call, ownId, phase)} · ${names} · Ringback`;
  }

  const ticking = setInterval(drawTimer, TICK_MS);
  session.on("change", draw);
  session.on("notice", ({ kind, user }) => announce(NOTICE[kind](user.display_name)));
  draw();
  onPhase(session, (phase, before) => {
    setTitle(titleOf(phase));
    if (phase === "ringing") shell.tones.play("ringback");
    else if (before === "ringing") shell.tones.stop();
    if (phase === "ended") clearInterval(ticking);
  });
}

/**
 * @param {CallView} view
 * @param {string} ownId
 * @param {string} device the name of this one
 * @returns {string}
 */
function statusWords({ phase, call, over }, ownId, device) {
  if (phase === "incoming") return call.media === "video" ? incoming.video : incoming.audio;
  if (phase !== "ended") return companyWords(call, ownId).status || phaseWords(call, ownId, phase);
  if (over && "code" in over && !isRemoved(call, ownId)) {
    const { name } = closeRule(over.code);
    return (name === "replaced" && goesOnWords(call, ownId, device)) || (CLOSED[name] ?? CLOSED.unknown);
  }
  return endedWords(call, ownId, over && "reason" in over ? over.reason : null);
}

/**
 * @param {CallView["call"]} call
 * @param {string} ownId
 */
function isRemoved({ state, legs }, ownId) {
  return state !== "ended" && legs.some(({ user, reason }) => user.id === ownId && reason === "removed");
}

/**
 * @param {string} name
 * @param {boolean} shown
 */
function badge(name, shown) {
  need(`#call-badges [data-badge=${name}]`).hidden = !shown;
}
