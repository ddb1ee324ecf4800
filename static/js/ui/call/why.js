/**
 * «Why did my call fail?»: a line while a connection does not come about, and afterwards what went wrong, what can be done
 * about it, and a report that can be copied.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../media/diagnosis.js").Cause} Cause
 * @typedef {import("../../media/quality_watch.js").QualityWatch} QualityWatch
 */
import { causesOf, troublesOf } from "../../media/diagnosis.js";
import { Diary } from "../../media/diary.js";
import { reportText } from "../../media/report.js";
import { causeWords } from "../../strings/failures.js";
import { quality as strings } from "../../strings/quality.js";
import { copyOf, need, setText } from "../dom.js";
import { toast } from "../toasts.js";
import { isRunning } from "./context.js";
import { keepDiary, keptDiary } from "./kept_diary.js";

/**
 * @param {CallContext} context
 * @param {QualityWatch} watch
 */
export function startWhy({ boot, session, media, page }, watch) {
  const callId = boot.call.call_id;
  const diary = new Diary(session, media, { kept: keptDiary(callId), ice: boot.ice });
  const trouble = need("#call-trouble");
  const section = need("#call-why");
  const report = need("#call-report");
  let shown = "";

  function draw() {
    const running = isRunning(session) && session.view.phase !== "in_call";
    const [cause] = running ? troublesOf(facts()) : [];
    trouble.hidden = !cause;
    setText(trouble, cause ? causeWords(cause).title : "");
    if (session.view.phase === "ended") drawCauses(causesOf(facts()));
  }

  function facts() {
    const { call, over } = session.view;
    return { call, over, ownId: boot.user.id, diary: diary.facts };
  }

  /** @param {Cause[]} causes */
  function drawCauses(causes) {
    // A call that goes on on another device has not failed, and the card says where it is.
    const words = causes.filter(({ kind }) => kind !== "replaced").map(causeWords);
    const { call } = session.view;
    section.hidden = words.length === 0;
    report.hidden = call.answered_at === null && words.length === 0;
    page.dataset.failed = words.length > 0 ? "yes" : "no";
    setText(need("pre", report), written(words.map(({ title }) => title)));
    if (JSON.stringify(words) === shown) return;
    shown = JSON.stringify(words);
    need("[data-causes]", section).replaceChildren(...words.map(drawCause));
  }

  /** @param {string[]} sentences */
  function written(sentences) {
    const { userAgent: browser } = navigator;
    return reportText({ ...facts(), sentences, browser, version: page.dataset.version ?? "" });
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(need("pre", report).textContent ?? "");
      toast(strings.copied);
    } catch {
      /** @type {HTMLDetailsElement} */ (need("details", report)).open = true;
      toast(strings.notCopied, "error");
    }
  }

  need("[data-copy]", report).addEventListener("click", copy);
  watch.on("change", () => {
    for (const { legId } of session.view.others) {
      const { heard } = watch.of(legId);
      if (heard) diary.noteQuality(legId, heard);
    }
  });
  diary.on("change", () => keepDiary(callId, diary.facts));
  diary.on("change", draw);
  session.on("change", draw);
  draw();
}

/** @param {{title: string, text: string}} words */
function drawCause({ title, text }) {
  const item = copyOf("cause-template");
  setText(need("[data-title]", item), title);
  setText(need("[data-text]", item), text);
  return item;
}
