/**
 * How one task stands: in a word, in a sentence, as a bar, as stages; and what can be done about it.
 *
 * @typedef {import("../types.js").Task} Task
 */
import { stageName, STATE, taskSentence, tasks as strings } from "../strings/tasks.js";
import { copyOf, need, setText } from "../ui/dom.js";
import { moment, spanOf } from "../ui/format.js";
import { markTitle } from "../ui/title.js";
import { percent } from "./list.js";
import { lead, resultLink } from "./result.js";
import { isOver } from "./story.js";

export class NowView {
  #main = need("#main");
  #locale = document.documentElement.lang;
  /** Which stages are drawn. */
  #stages = "";

  /** @param {Task} task */
  draw(task) {
    const { state, stalled, progress, kind } = task;
    const over = isOver(task);
    need(".task-icon").dataset.kind = kind;
    Object.assign(this.#main.dataset, { state, stalled: stalled ? "yes" : "no" });
    setText(need("#about"), this.#about(task));
    setText(need("#now"), this.#headline(task));
    const sentence = taskSentence(task);
    const isSaid = sentence === this.#headline(task) || (stalled && !over); // by the notice below, in the latter case
    setText(need("#sentence"), isSaid ? "" : sentence);
    this.#drawBar(need("#bar"), task);
    setText(need("#percent"), over ? "" : percent(progress, this.#locale));
    this.#drawStages(task);
    need("#stalled").hidden = !stalled || over;
    this.#drawResult(need("#result"), task);
    const cancel = need("#cancel");
    cancel.hidden = over || task.cancel_requested;
    markTitle(state === "running" ? percent(progress, this.#locale) : STATE[state]);
  }

  /** @param {Task} task @returns {string} the stage that goes on, or the state where there is none */
  #headline(task) {
    if (task.state !== "running") return STATE[task.state];
    if (task.cancel_requested) return strings.stopping;
    return task.stage ? stageName(task.kind, task.stage) : strings.running;
  }

  /** @param {Task} task @returns {string} when it was asked for, and how long it took */
  #about({ created_at, started_at, ended_at }) {
    const began = moment(new Date(created_at), new Date(), this.#locale);
    if (!ended_at) return began;
    const tookS = (Date.parse(ended_at) - Date.parse(started_at ?? created_at)) / 1000;
    return `${began} · ${strings.took(spanOf(tookS, this.#locale))}`;
  }

  /**
   * @param {HTMLProgressElement} bar
   * @param {Task} task
   */
  #drawBar(bar, { state, progress }) {
    bar.value = progress;
    bar.hidden = state === "failed" || state === "cancelled";
  }

  /** @param {Task} task */
  #drawStages({ kind, stages, stage, state }) {
    const list = need("#stages");
    if (this.#stages !== stages.join("\n")) {
      this.#stages = stages.join("\n");
      list.replaceChildren(...stages.map((name) => stageItem(stageName(kind, name))));
    }
    const at = state === "completed" ? stages.length : stages.indexOf(stage ?? "");
    for (const [index, item] of [...list.children].entries()) {
      const how = index < at ? "past" : index === at ? "now" : "later";
      /** @type {HTMLElement} */ (item).dataset.stage = how;
      if (how === "now") item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
      setText(need("[data-words]", item), how === "past" ? strings.stageDone : "");
    }
  }

  /**
   * @param {HTMLAnchorElement} anchor
   * @param {Task} task
   */
  #drawResult(anchor, task) {
    const link = resultLink(task);
    anchor.hidden = link === null;
    if (!link) return;
    lead(anchor, link);
    anchor.dataset.does = link.does;
    setText(need("[data-label]", anchor), link.label);
  }
}

/** @param {string} name */
function stageItem(name) {
  const item = copyOf("stage-template");
  setText(need("[data-name]", item), name);
  return item;
}
