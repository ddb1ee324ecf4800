/**
 * The sentences of tasks. What a task reports has a `code` with `values`: here it becomes a sentence in the person's
 * language. A code that is not known here, of a program elsewhere, say, is told by the `message` that came with it.
 *
 * @typedef {import("../types.js").Task} Task
 * @typedef {import("../types.js").TaskEvent} TaskEvent
 * @typedef {import("../types.js").TaskState} TaskState
 * @typedef {Record<string, any>} Values
 */
import { _, ngettext } from "../i18n.js";
import { sentenceFor } from "../strings.js";

/** @type {Record<TaskState, string>} */
export const STATE = {
  queued: _("Waiting"),
  running: _("Running"),
  waiting_review: _("Waiting for you"),
  completed: _("Done"),
  failed: _("Failed"),
  cancelled: _("Stopped"),
};

/** Stages, by kind. Those of a task from elsewhere are shown as they are called there. @type {Record<string, Record<string, string>>} */
const STAGE = {
  call_roadmap: {
    collect: _("Collect"),
    outline: _("Outline"),
    parts: _("Write the parts"),
    review: _("Review"),
    document: _("Document"),
  },
  history_export: { collect: _("Collect"), media: _("Recordings"), write: _("Write the files"), keep: _("Keep the file") },
  book_import: { read: _("Reading"), finish: _("Finishing") },
};

/** What is reported, by its code. @type {Record<string, (values: Values) => string>} */
const REPORT = {
  queued: () => tasks.queued,
  started: () => _("The work has begun"),
  continued: () => _("The work goes on"),
  taken_up_again: () => _("The work goes on from where it was"),
  step_retried: () => _("A step did not succeed and is tried again"),
  stalled: () => tasks.stalled,
  cancel_requested: () => _("You asked it to stop"),
  approved: () => _("You approved the draft"),
  revise: () => _("You asked for another round"),
  completed: () => STATE.completed,
  cancelled: () => STATE.cancelled,
  roadmap_collected: ({ count }) =>
    ngettext("Read %(count)s message or line of the transcript", "Read %(count)s messages and lines of the transcript", count),
  roadmap_outlined: ({ count }) =>
    ngettext("Divided the call into %(count)s part", "Divided the call into %(count)s parts", count),
  roadmap_part_read: ({ number, count }) => _("Read part %(number)s of %(count)s", { number, count }),
  export_collected: ({ number, count }) => _("Collected %(number)s of %(count)s kinds of data", { number, count }),
  export_media: ({ count }) => ngettext("Copied %(count)s recording", "Copied %(count)s recordings", count),
  export_written: () => _("Writing the files"),
  export_kept: () => _("Keeping the file where only you can fetch it"),
  chapter_read: ({ number, title }) =>
    title ? _("Read chapter %(number)s: %(title)s", { number, title }) : _("Read chapter %(number)s", { number }),
  book_ready: ({ title }) => _("“%(title)s” can be read and asked about", { title }),
};

/** Why a task failed. @type {Record<string, () => string>} */
const FAILURE = {
  deadline_passed: () => _("It took longer than it may."),
  review_expired: () => _("Nobody looked at the draft in time."),
  begun_in_vain: () => _("It was begun again and again, and could not be done. Please try again later."),
  given_up: () => _("The server died several times while it worked at this."),
  internal_error: () => _("The server failed. Please try again; if it fails again, tell whoever runs this server."),
  out_of_memory: () => _("This needs more memory than one task may have."),
  worker_killed: () => _("The process that worked at this was ended from outside. Please try again."),
  not_here: () => _("Another program does this work."),
  nothing_said: () => _("Nothing was written in this call, and nothing of it was transcribed."),
  roadmap_exists: () => _("Somebody else has made the roadmap of this call."),
  roadmap_gone: () => _("The roadmap was deleted while it was kept."),
  call_removed: () => _("The call was removed meanwhile, and its roadmap with it."),
  too_many_rounds: () => _("Another round was asked for more often than is possible."),
  not_found: () => _("What this was about is there no more, or is not yours to see."),
  forbidden: () => _("You may not do that."),
  bad_state: () => _("What this was about has changed, so that it cannot be done any more."),
  book_gone: () => _("The book was deleted before it was read."),
  unreadable: () => _("The file is damaged, or not what it seems to be; it cannot be read."),
  encrypted: () => _("The book is locked by a password or copy protection; a copy without one can be read."),
  no_text: () => _("There is no text in this book; pages that are only pictures cannot be read."),
  too_much_text: () => _("There is more text in this book than Ringback takes."),
  too_costly: () => _("Reading this book takes more time or memory than a book may."),
  interrupted: () => _("Reading this book was broken off; it can be uploaded again."),
};

export const tasks = {
  queued: _("Waiting for its turn"),
  running: _("Under way"),
  stalled: _("Nothing was heard of it for a while"),
  stopping: _("Being stopped…"),
  stopTitle: _("Stop this task?"),
  stopText: _("It ends where it is. That cannot be taken back."),
  stopAction: _("Stop the task"),
  approved: _("Approved. The task goes on."),
  revised: _("Another round was asked for. The task goes on."),
  round: (/** @type {number} */ round) => _("Round %(round)s", { round }),
  stageDone: _("done"),
  took: (/** @type {string} */ span) => _("took %(span)s", { span }),
  open: _("Open"),
  download: _("Download"),
  review: _("Review"),
  show: _("Show"),
  of: (/** @type {string} */ action, /** @type {string} */ title) => _("%(action)s: %(title)s", { action, title }),
  moreEvents: (/** @type {number} */ count) => ngettext("Show %(count)s earlier entry", "Show %(count)s earlier entries", count),
  late: _("That cannot be done any more: the task has gone on meanwhile."),
  notLoaded: _("The tasks could not be loaded. Please try again."),
};

/** What a notice says of a task. @type {Partial<Record<TaskState, (title: string) => string>>} */
export const NOTICE = {
  waiting_review: (title) => _("“%(title)s” waits for your review", { title }),
  completed: (title) => _("“%(title)s” is done", { title }),
  failed: (title) => _("“%(title)s” has failed", { title }),
};

/**
 * @param {unknown} error
 * @returns {string} why a decision about a task was not taken
 */
export function whyNot(error) {
  return /** @type {{code?: string}} */ (error)?.code === "bad_state" ? tasks.late : sentenceFor(error);
}

/**
 * @param {string} kind
 * @param {string} stage
 * @returns {string} the stage as people call it
 */
export function stageName(kind, stage) {
  return STAGE[kind]?.[stage] ?? capitalised(stage.replaceAll("_", " "));
}

/** @param {string} text */
function capitalised(text) {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

/**
 * @param {TaskEvent} event
 * @returns {string} what happened
 */
export function eventSentence({ type, code, values, message, progress, data }) {
  if (type === "failed") return failureSentence({ code: code ?? "", message: message ?? "" });
  if (type === "review_requested") return draftSentence(data?.round);
  return REPORT[code ?? ""]?.(values) ?? message ?? _("%(percent)s % done", { percent: Math.round(progress * 100) });
}

/** @param {number} round */
function draftSentence(round) {
  return round > 1 ? _("A new draft is ready for your review") : _("A draft is ready for your review");
}

/**
 * @param {import("../types.js").TaskError} error
 * @returns {string}
 */
export function failureSentence({ code, message }) {
  return FAILURE[code]?.() ?? (message || _("Something went wrong."));
}

/**
 * @param {Task} task
 * @returns {string} how it stands, in one sentence; empty where the state says all
 */
export function taskSentence({ state, code, values, message, error, review, result, cancel_requested: stopping }) {
  if (state === "failed") return failureSentence(error ?? { code: code ?? "", message: message ?? "" });
  if (state === "completed") return typeof result?.title === "string" ? result.title : "";
  if (state === "cancelled") return "";
  if (stopping) return tasks.stopping;
  if (state === "waiting_review") return draftSentence(review?.round ?? 1);
  return REPORT[code ?? ""]?.(values) ?? message ?? "";
}
