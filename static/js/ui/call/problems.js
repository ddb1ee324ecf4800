/**
 * What is wrong with this person's microphone or camera, and what can be done about it.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 *
 * @typedef {object} Problems
 * @property {() => void} reconsider what was put aside is shown again, if it is still so
 * @property {() => Promise<void>} retry asks for microphone and camera once more
 * @property {() => void} hangUp ends the call; while a refused microphone is what the page speaks of, for that reason
 */
import { media as strings } from "../../strings.js";
import { need, setText } from "../dom.js";

/**
 * @param {CallContext} context
 * @returns {Problems}
 */
export function startProblems({ session, media }) {
  const panel = need("#media-problem");
  /** The problems that the person has read and put aside. */
  let accepted = "";

  function draw() {
    const { problems } = media;
    const shown = problems.length > 0 && session.view.phase !== "ended" && JSON.stringify(problems) !== accepted;
    if (shown) {
      const { title, text } = strings.problem(problems);
      setText(need("[data-title]", panel), title);
      setText(need("[data-help]", panel), text);
      const deaf = problems.some(({ device }) => device === "microphone");
      setText(need("[data-meanwhile]", panel), deaf ? strings.onlyListening : strings.withoutCamera);
    }
    panel.hidden = !shown;
  }

  function reconsider() {
    accepted = "";
  }

  async function retry() {
    reconsider();
    await session.retryMedia();
  }

  function goOn() {
    accepted = JSON.stringify(media.problems);
    draw();
  }

  function hangUp() {
    const refused = media.problems.some(({ device, kind }) => device === "microphone" && kind === "denied");
    session.hangUp(refused && !panel.hidden ? "media_denied" : undefined);
  }

  need("#retry-media").addEventListener("click", retry);
  need("#listen-only").addEventListener("click", goOn);
  need("#end-denied").addEventListener("click", hangUp);
  session.on("change", draw);
  draw();
  return { reconsider, retry, hangUp };
}
