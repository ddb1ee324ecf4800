/**
 * What is written in the call: read, written, and read again when it is over.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../chat/log.js").ChatMessage} ChatMessage
 *
 * @typedef {{clientId: string, text: string, failed: boolean}} Waiting what the server has not taken yet
 */
import { ChatLog } from "../../chat/log.js";
import { _ } from "../../i18n.js";
import { API_ERROR, sentenceFor } from "../../strings.js";
import { announce } from "../announcer.js";
import { copyOf, need, setText } from "../dom.js";
import { timeOfDay } from "../format.js";
import { linked } from "../links.js";
import { toast } from "../toasts.js";
import { isComposing } from "../typing.js";
import { isRunning, onPhase } from "./context.js";

/** What one person writes within this time stands under one name. */
const TOGETHER_MS = 5 * 60_000;
/** Less than this from the end, one reads along. */
const NEAR_END_PX = 80;
/** Of a message that is told in passing. */
const TOLD_CHARACTERS = 120;

/** @type {Record<string, () => string>} */
const REFUSED = {
  chat_full: () => _("So much has been written in this call that nothing more is kept."),
  too_large: () => _("This message is too long."),
  timeout: () => API_ERROR.network,
};

/** @param {CallContext} context */
export function startChat(context) {
  const { boot, shell, session, panel, shortcuts } = context;
  const section = need("#panel-chat");
  const scroll = need("[data-scroll]", section);
  const list = need("[data-messages]", section);
  const older = need("[data-older]", section);
  const form = need("[data-form]", section);
  /** @type {HTMLTextAreaElement} */
  const field = need("textarea", form);
  const send = /** @type {HTMLButtonElement} */ (need(".chat-send", form));
  const afterwards = need("#read-chat");
  const log = new ChatLog();
  /** @type {Waiting[]} */
  let waiting = [];
  /** By the id of the message, or of what waits. @type {Map<string, HTMLElement>} */
  const rows = new Map();
  let unread = 0;
  /** Where still older ones begin; null: there are none. @type {string | null} */
  let before = null;

  function draw() {
    const follows = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX;
    const { messages } = log;
    const written = messages.map((message, at) => {
      const row = rows.get(message.message_id) ?? rowOfMessage(message);
      row.dataset.begins = at === 0 || begins(messages[at - 1], message) ? "yes" : "no";
      return row;
    });
    inPlace(list, [...written, ...waiting.map(rowOfWaiting)]);
    need("[data-empty]", section).hidden = list.childElementCount > 0;
    older.hidden = before === null;
    if (follows) scroll.scrollTop = scroll.scrollHeight;
    drawAround();
  }

  function drawAround() {
    const written = log.messages.length;
    form.hidden = !isRunning(session);
    afterwards.hidden = isRunning(session) || written === 0;
    panel.count("chat", unread);
  }

  /** @param {ChatMessage} message */
  function rowOfMessage({ message_id: id, user, text, sent_at: sentAt }) {
    const own = user.id === boot.user.id;
    const row = rowOf(text, own);
    setText(need("[data-name]", row), own ? _("You") : user.display_name);
    const time = /** @type {HTMLTimeElement} */ (need("time", row));
    time.dateTime = sentAt;
    setText(time, timeOfDay(new Date(sentAt), document.documentElement.lang));
    rows.set(id, row);
    return row;
  }

  /** @param {Waiting} one */
  function rowOfWaiting(one) {
    const row = rows.get(one.clientId) ?? rowOf(one.text, true);
    if (!rows.has(one.clientId)) {
      row.dataset.begins = "no";
      need("[data-again]", row).addEventListener("click", () => deliver(one));
      rows.set(one.clientId, row);
    }
    row.dataset.waiting = one.failed ? "failed" : "yes";
    need("[data-failed]", row).hidden = !one.failed;
    return row;
  }

  /** @param {ChatMessage[]} messages from the room, or from before */
  function take(messages) {
    const fresh = log.add(messages);
    // Ours comes back by the room, perhaps before the server has said that it took it.
    const taken = new Set(fresh.filter(({ user }) => user.id === boot.user.id).map((message) => message.client_id));
    waiting = waiting.filter(({ clientId }) => !taken.has(clientId));
    if (fresh.length > 0) draw();
    return fresh;
  }

  /** @param {ChatMessage} message */
  function came(message) {
    const [fresh] = take([message]);
    if (!fresh || fresh.user.id === boot.user.id) return;
    if (panel.shown === "chat" && document.visibilityState === "visible") return;
    unread += 1;
    drawAround();
    const text = fresh.text.length > TOLD_CHARACTERS ? `${fresh.text.slice(0, TOLD_CHARACTERS)}…` : fresh.text;
    const sentence = _("%(name)s: %(text)s", { name: fresh.user.display_name, text });
    if (panel.shown === "chat") announce(sentence);
    else toast(sentence, "info", { label: _("Read"), run: () => panel.open("chat") });
  }

  /** @param {string} text */
  async function write(text) {
    const one = { clientId: crypto.randomUUID(), text, failed: false };
    waiting = [...waiting, one];
    scroll.scrollTop = scroll.scrollHeight;
    await deliver(one);
  }

  /** @param {Waiting} one sent again, it is the same message */
  async function deliver(one) {
    one.failed = false;
    draw();
    try {
      await session.request("chat", { text: one.text, client_id: one.clientId });
      // What the room tells brings it, if it has not already.
    } catch (error) {
      if (!waiting.includes(one)) return;
      one.failed = true;
      draw();
      const code = /** @type {{code?: string}} */ (error).code ?? "";
      toast(REFUSED[code]?.() ?? sentenceFor(error), "error");
    }
  }

  async function loadOlder() {
    older.setAttribute("aria-busy", "true");
    try {
      const height = scroll.scrollHeight;
      await load(before);
      scroll.scrollTop += scroll.scrollHeight - height; // what one reads stays where it is
    } catch (error) {
      toast(sentenceFor(error), "error");
    } finally {
      older.removeAttribute("aria-busy");
    }
  }

  /** @param {string | null} from where older ones begin; null: the newest */
  async function load(from) {
    const page = await shell.client.api.chat(boot.call.call_id, from);
    before = page.next;
    take(page.items);
    draw();
  }

  /** Over: what was written can be read by whoever took part. */
  function lookBack() {
    const { call } = session.view;
    const own = call.legs.find(({ user }) => user.id === boot.user.id);
    if (call.answered_at !== null && own?.joined_at && log.messages.length === 0) load(null).catch(() => {});
    draw();
  }

  function submit() {
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    fit();
    write(text);
  }

  /** As high as what is written, up to what the style sheet allows. */
  function fit() {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
    send.disabled = field.value.trim() === "";
  }

  session.on("snapshot", ({ chat = [] }) => {
    take(chat);
    // As many as fit into a snapshot: there may be more.
    if (before === null && chat.length > 0 && log.oldest === chat[0].message_id) before = chat.length >= 50 ? chat[0].message_id : null;
    drawAround();
  });
  session.on("frame", (frame) => {
    if (frame.type === "chat") came(/** @type {any} */ (frame));
  });
  session.on("change", drawAround);
  panel.on("shown", (name) => {
    if (name !== "chat") return;
    unread = 0;
    drawAround();
    scroll.scrollTop = scroll.scrollHeight;
  });
  older.addEventListener("click", loadOlder);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
    field.focus();
  });
  field.addEventListener("input", fit);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    submit();
  });
  shortcuts.add({ key: "c", words: _("Write something"), run: () => panel.toggle("chat") });
  draw();
  onPhase(session, (phase) => {
    if (phase === "ended") lookBack();
  });
}

/**
 * @param {ChatMessage} previous
 * @param {ChatMessage} message
 * @returns {boolean} whether the name stands above it again
 */
function begins(previous, message) {
  return previous.user.id !== message.user.id || Date.parse(message.sent_at) - Date.parse(previous.sent_at) > TOGETHER_MS;
}

/**
 * What is there already is not touched: it would be read out again, and lose the focus.
 *
 * @param {HTMLElement} list
 * @param {HTMLElement[]} wanted
 */
function inPlace(list, wanted) {
  for (const row of [...list.children]) if (!wanted.includes(/** @type {HTMLElement} */ (row))) row.remove();
  for (const [at, row] of wanted.entries()) {
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
  }
}

/**
 * @param {string} text
 * @param {boolean} own
 */
function rowOf(text, own) {
  const row = copyOf("message-template");
  row.dataset.own = own ? "yes" : "no";
  need("[data-text]", row).replaceChildren(...linked(text));
  return row;
}
