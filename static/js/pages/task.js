/** One task: how it stands, what happened to it, and what the person can do. Live, without a gap and without a double. */
import { readBoot } from "../boot.js";
import { STATE, stageName, tasks as strings, whyNot } from "../strings/tasks.js";
import { NowView } from "../tasks/now_view.js";
import { ReviewView } from "../tasks/review_view.js";
import { isOver, TaskStory } from "../tasks/story.js";
import { StoryView } from "../tasks/story_view.js";
import { announce } from "../ui/announcer.js";
import { coalesced } from "../ui/coalescing.js";
import { confirm } from "../ui/confirm.js";
import { need } from "../ui/dom.js";
import { startShell } from "../ui/shell.js";
import { toast } from "../ui/toasts.js";

/** What the socket brings comes before that; only what it does not bring is asked for. */
const PATIENCE_MS = 1_500;

const boot = readBoot();
const { events, ...task } = /** @type {NonNullable<typeof boot.task>} */ (boot.task);
const { client, start } = startShell(boot);
const { api } = client;
const story = new TaskStory(task, events);
const now = new NowView();
const storyView = new StoryView(task.kind);
const review = new ReviewView(api, (reviewed) => story.hear(reviewed));

function draw() {
  now.draw(story.task);
  review.draw(story.task);
  storyView.draw(story.events);
}

/** What is said aloud: another state, another stage; never the percents between. */
let said = "";

function say() {
  const { state, stage, kind } = story.task;
  const sentence = state === "running" && stage ? stageName(kind, stage) : STATE[state];
  if (sentence !== said && said !== "") announce(sentence);
  said = sentence;
}

/** The user's socket tells that there is more than came here: the task's own does not come through. */
const catchUp = coalesced(async () => {
  if (story.whole) return;
  const { events, ...task } = await api.task(story.task.task_id);
  story.hear(task, events);
}, PATIENCE_MS);

story.on("change", () => {
  draw();
  say();
});

function follow() {
  const link = client.taskLink(story.task.task_id, story.task.number);
  link.on("frame", (frame) => {
    if (frame.type === "current_status") story.hear(frame.task);
    else if (frame.number !== undefined) story.take(/** @type {any} */ (frame));
  });
  link.on("snapshot", ({ snapshot }) => story.hear(snapshot.current_status));
  link.start();
}

client.link.on("frame", (frame) => {
  if (frame.type !== "task" || frame.task.task_id !== story.task.task_id) return;
  story.hear(frame.task);
  catchUp();
});

need("#cancel").addEventListener("click", async () => {
  const agreed = await confirm({ title: strings.stopTitle, text: strings.stopText, action: strings.stopAction });
  if (!agreed) return;
  const button = need("#cancel");
  button.setAttribute("aria-busy", "true");
  try {
    story.hear(await api.cancelTask(story.task.task_id));
  } catch (error) {
    toast(whyNot(error), "error");
  } finally {
    button.removeAttribute("aria-busy");
  }
});

draw();
say();
start();
if (!isOver(story.task)) follow();
if (location.hash === "#review" && story.task.review) need("#review-title").focus();
