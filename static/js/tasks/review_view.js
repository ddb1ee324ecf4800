/**
 * The draft that a task shows to the person, and what they say of it: good, or another round, perhaps with a comment.
 *
 * @typedef {import("../types.js").Task} Task
 * @typedef {import("../api.js").Api} Api
 */
import { tasks as strings, whyNot } from "../strings/tasks.js";
import { announce } from "../ui/announcer.js";
import { need, setText } from "../ui/dom.js";
import { toast } from "../ui/toasts.js";

export class ReviewView {
  #api;
  #onDecided;
  #panel = need("#review");
  #form = need("#revision");
  #choice = need("#choice");
  /** @type {HTMLTextAreaElement} */
  #comment = need("#comment");
  #taskId = "";
  /** The round whose draft is on show; 0: none. */
  #round = 0;
  #deciding = false;

  /**
   * @param {Api} api
   * @param {(task: Task) => void} onDecided with the task as it stands then
   */
  constructor(api, onDecided) {
    this.#api = api;
    this.#onDecided = onDecided;
    need("#approve").addEventListener("click", () => this.#decide("approve", need("#approve")));
    need("#revise").addEventListener("click", () => this.#ask(true));
    need("#revision-back").addEventListener("click", () => this.#ask(false));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#decide("revise", need("button:not([type])", this.#form));
    });
    this.#form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#ask(false);
    });
  }

  /** @param {Task} task */
  draw({ task_id, review, cancel_requested }) {
    this.#taskId = task_id;
    const round = cancel_requested || review?.document === undefined ? 0 : review.round; // it may come after the notice
    if (round === this.#round) return;
    this.#round = round;
    this.#panel.hidden = round === 0;
    if (review?.document === undefined || round === 0) return;
    setText(need("#round"), round > 1 ? strings.round(round) : "");
    this.#show(review.document, round);
    this.#comment.value = "";
    this.#fold();
  }

  /**
   * @param {string} document
   * @param {number} round
   */
  async #show(document, round) {
    /** @type {HTMLButtonElement} */
    const approve = need("#approve");
    const paper = need("#document");
    approve.disabled = true; // until one can read of what one approves
    paper.replaceChildren();
    const draw = await papers().catch(() => plain); // not loaded, after an update, say: it can be read all the same
    if (round !== this.#round) return;
    draw(paper, document);
    approve.disabled = false;
  }

  /** @param {boolean} open whether the comment is asked for */
  #ask(open) {
    this.#form.hidden = !open;
    this.#choice.hidden = open;
    need("#revise").setAttribute("aria-expanded", String(open));
    (open ? this.#comment : need("#revise")).focus();
  }

  #fold() {
    this.#form.hidden = true;
    this.#choice.hidden = false;
    need("#revise").setAttribute("aria-expanded", "false");
  }

  /**
   * @param {"approve" | "revise"} decision
   * @param {HTMLElement} button that shows that something goes on
   */
  async #decide(decision, button) {
    if (this.#deciding) return;
    this.#deciding = true;
    button.setAttribute("aria-busy", "true");
    try {
      const comment = decision === "revise" ? this.#comment.value.trim() : "";
      const task = await this.#api.reviewTask(this.#taskId, { decision, comment, round: this.#round });
      announce(decision === "approve" ? strings.approved : strings.revised);
      need("#title").focus();
      this.#onDecided(task);
    } catch (error) {
      toast(whyNot(error), "error");
    } finally {
      this.#deciding = false;
      button.removeAttribute("aria-busy");
    }
  }
}

/** @returns {Promise<(paper: HTMLElement, text: string) => void>} only who has something to read waits for it */
async function papers() {
  const { drawPaper } = await import("../roadmaps/paper.js");
  return (paper, text) => {
    drawPaper(paper, text, () => {});
    for (const box of paper.querySelectorAll("input")) box.disabled = true; // what is ticked is ticked in the result
    paper.removeAttribute("data-plain");
  };
}

/**
 * @param {HTMLElement} paper
 * @param {string} text
 */
function plain(paper, text) {
  paper.dataset.plain = "yes";
  paper.textContent = text;
}
