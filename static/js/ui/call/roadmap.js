/**
 * The roadmap of a call that is over: made where something was written or said that can be read, opened where there is one.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 */
import { NEXT, sentenceFor } from "../../strings.js";
import { roadmaps as say } from "../../strings/roadmaps.js";
import { need } from "../dom.js";
import { toast } from "../toasts.js";

/** @param {CallContext} context */
export function startRoadmap({ boot, shell }) {
  const { api } = shell.client;
  const make = need("#make-roadmap");
  /** @type {HTMLAnchorElement} */
  const open = need("#open-roadmap");
  /** Where what was written and said is read: whoever can, can make a roadmap of it. */
  const sources = [need("#read-chat"), need("#read-transcript")];

  if (boot.roadmap_task) {
    /** @type {HTMLAnchorElement} */
    const making = need("#roadmap-task");
    making.href = `/tasks/${boot.roadmap_task}`;
    making.hidden = false;
    return;
  }
  if (typeof boot.roadmap === "string") {
    open.href = `/roadmaps/${boot.roadmap}`;
    open.hidden = false;
    return;
  }

  const offer = () => {
    make.hidden = sources.every(({ hidden }) => hidden);
  };
  const watched = new MutationObserver(offer);
  for (const source of sources) watched.observe(source, { attributeFilter: ["hidden"] });
  offer();

  make.addEventListener("click", async () => {
    make.setAttribute("aria-busy", "true");
    try {
      const { task_id } = await api.makeRoadmap(boot.call.call_id, titleOf(boot.call, boot.user?.id));
      location.assign(`/tasks/${task_id}`);
    } catch (error) {
      make.removeAttribute("aria-busy");
      toast(...whyNot(error));
    }
  });
}

/**
 * @param {any} error
 * @returns {Parameters<typeof toast>} It may be that there is one by now, or that it is being made: then the server says
 *   which, and this page, loaded anew, shows the way to it.
 */
function whyNot(error) {
  if (error.code !== "bad_state") return [sentenceFor(error), "error"];
  return [error.message, "error", { label: NEXT.reload, run: () => location.reload() }];
}

/**
 * @param {import("../../types.js").Call} call
 * @param {string | undefined} ownId
 * @returns {string} whose call it was
 */
function titleOf({ legs }, ownId) {
  const others = legs.filter(({ user }) => user.id !== ownId).map(({ user }) => user.display_name);
  return say.taskTitle(new Intl.ListFormat(document.documentElement.lang).format(new Set(others)));
}
