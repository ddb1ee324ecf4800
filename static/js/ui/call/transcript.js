/**
 * The tab with what was said: all that was kept, and what comes while one looks; also when the call is over.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../types.js").TranscriptLine} TranscriptLine
 */
import { captions as strings } from "../../strings/captions.js";
import { copyOf, need, setText } from "../dom.js";
import { toast } from "../toasts.js";
import { nameOf } from "./captions.js";
import { onPhase } from "./context.js";

/** @param {CallContext} context */
export function startTranscript({ boot, shell, session, panel }) {
  const { api } = shell.client;
  const body = need("#panel-transcript");
  const list = need("[data-list]", body);
  const after = need("#read-transcript");
  /** @type {string | null} */
  let older = null;
  /** What was said is loaded once; from then on the room tells. @type {Promise<void> | null} */
  let loading = null;
  let anything = boot.transcript;
  /** What stands there, by participant and segment: the room tells also what is just being loaded. @type {Map<string, HTMLElement>} */
  const lines = new Map();

  /** @param {Pick<TranscriptLine, "leg_id" | "segment" | "text" | "said_at"> & {name: string}} line */
  function drawn({ leg_id, segment, name, text, said_at }) {
    const line = copyOf("transcript-template");
    const key = `${leg_id}:${segment}`;
    lines.get(key)?.remove();
    lines.set(key, line);
    const time = /** @type {HTMLTimeElement} */ (need("[data-time]", line));
    setText(need("[data-name]", line), name);
    setText(need("[data-text]", line), text);
    time.dateTime = said_at;
    setText(time, new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "short" }).format(new Date(said_at)));
    return line;
  }

  function sum() {
    const empty = list.childElementCount === 0;
    need("[data-empty]", body).hidden = !empty;
    need("[data-foot]", body).hidden = empty;
    need("[data-more]", body).hidden = older === null;
  }

  /** @param {string | null} before */
  async function load(before) {
    try {
      const { items, next } = await api.transcript(boot.call.call_id, before);
      list.prepend(...items.map((line) => drawn({ ...line, name: line.user?.display_name ?? "" })));
      older = next;
      sum();
    } catch {
      toast(strings.notLoaded, "error");
      if (before === null) loading = null; // looking again tries again
    }
  }

  async function copy() {
    const written = [...list.children].map((line) => {
      const part = (/** @type {string} */ name) => need(`[data-${name}]`, line).textContent;
      return `${part("time")} ${part("name")}: ${part("text")}`;
    });
    try {
      await navigator.clipboard.writeText(written.join("\n"));
      toast(strings.copied);
    } catch {
      toast(strings.notCopied, "error");
    }
  }

  session.on("frame", (frame) => {
    if (frame.type !== "caption" || !frame.final || frame.text === "") return;
    anything = true;
    if (!loading) return; // it is loaded with the rest
    const nearEnd = body.scrollHeight - body.scrollTop - body.clientHeight < 80;
    const { leg_id, segment, text, timestamp: said_at } = frame;
    list.append(drawn({ leg_id, segment, text, said_at, name: nameOf(session, leg_id) }));
    if (nearEnd) body.scrollTop = body.scrollHeight;
    sum();
  });
  panel.on("shown", async (name) => {
    if (name !== "transcript") return;
    await (loading ??= load(null));
    body.scrollTop = body.scrollHeight;
  });
  need("[data-older]", body).addEventListener("click", () => load(older));
  need("[data-copy]", body).addEventListener("click", copy);
  onPhase(session, (phase) => {
    if (phase === "ended") after.hidden = !anything;
  });
}
