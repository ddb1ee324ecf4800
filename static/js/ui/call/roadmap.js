/**
 * The roadmap of a call that is over: made where something was written or said that can be read, opened where there is one.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 */
import { sentenceFor } from "../../strings.js";
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
      // Somebody else has made it meanwhile: then it is there to be opened.
      if (/** @type {{code?: string}} */ (error).code === "bad_state") location.reload();
      else toast(sentenceFor(error), "error");
    }
  });
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
