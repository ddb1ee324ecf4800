/**
 * Calling others into the call that goes on.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../types.js").User} User
 * @typedef {import("../../types.js").Found} Found
 */
import { _ } from "../../i18n.js";
import { presenceWords } from "../../people/presence.js";
import { API_ERROR, sentenceFor } from "../../strings.js";
import { drawAvatar } from "../avatar.js";
import { copyOf, need, setText } from "../dom.js";
import { toast } from "../toasts.js";
import { isComposing, whenTyped } from "../typing.js";

/** A pause in typing that means: look now. */
const TYPING_PAUSE_MS = 200;
/** The panel is no telephone book: whoever is not among these is found by their name. */
const SHOWN = 12;

/** What the room refuses, in words. @type {Record<string, () => string>} */
const REFUSED = {
  call_full: () => _("The call is full. Somebody has to leave before others can come."),
  forbidden: () => _("Only the host of the call can do that."),
  user_not_found: () => API_ERROR.user_not_found,
};

/**
 * @param {CallContext} context
 * @returns {(user: User) => Promise<void>} calls somebody into the call
 */
export function startInviting({ shell, session, panel }) {
  const section = need("#panel-people [data-invite]");
  const opener = need("[data-open]", section);
  const form = need("[data-search]", section);
  const found = need("[data-found]", section);
  /** @type {HTMLInputElement} */
  const field = need("input", form);
  /** @type {AbortController | null} */
  let looking = null;

  function draw() {
    const { call } = session.view;
    section.hidden = call.answered_at === null || call.state === "ended";
  }

  /** @param {boolean} open */
  function show(open) {
    form.hidden = !open;
    opener.hidden = open;
    opener.setAttribute("aria-expanded", String(open));
    field.value = "";
    found.replaceChildren();
    need("[data-nobody]", section).hidden = true;
    if (!open) return;
    field.focus();
    look();
  }

  async function look() {
    looking?.abort();
    looking = new AbortController();
    try {
      const { items } = await shell.client.api.users(field.value.trim(), looking.signal);
      drawFound(items);
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") toast(sentenceFor(error), "error");
    }
  }

  /** @param {Found[]} items */
  function drawFound(items) {
    const listed = new Set(session.view.call.legs.map(({ user }) => user.id)); // whoever has left can be called there
    const others = items.filter(({ id, blocked }) => !blocked && !listed.has(id)).slice(0, SHOWN);
    found.replaceChildren(...others.map(rowOf));
    need("[data-nobody]", section).hidden = others.length > 0;
  }

  /** @param {Found} person */
  function rowOf(person) {
    const row = copyOf("in-call-template");
    const name = person.display_name;
    setText(need("[data-name]", row), name);
    setText(need("[data-note]", row), presenceWords(person.presence));
    drawAvatar(need(".avatar", row), person);
    const button = need("[data-call-in]", row);
    button.hidden = false;
    button.setAttribute("aria-label", _("Call %(name)s into this call", { name }));
    button.addEventListener("click", async () => {
      button.setAttribute("aria-busy", "true");
      await callIn(person);
      show(false);
      opener.focus();
    });
    return row;
  }

  /** @param {User} user */
  async function callIn({ username, display_name: name }) {
    await asked(async () => {
      const ack = await session.request("invite", { usernames: [username] });
      if (ack.call) session.apply(ack.call);
    }, _("Calling %(name)s…", { name }));
  }

  opener.addEventListener("click", () => show(true));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    look();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || isComposing(event)) return;
    event.stopPropagation(); // closes the search, not the panel
    show(false);
    opener.focus();
  });
  whenTyped(field, TYPING_PAUSE_MS, look);
  panel.on("shown", (name) => {
    if (name === null && !form.hidden) show(false);
  });
  for (const button of document.querySelectorAll("[data-add-people]")) {
    button.addEventListener("click", () => {
      panel.open("people");
      show(true);
    });
  }
  session.on("change", draw);
  draw();
  return callIn;
}

/**
 * Asks the room for something, and says what came of it.
 *
 * @param {() => Promise<unknown>} ask
 * @param {string} [done] what to say if it was taken
 */
export async function asked(ask, done) {
  try {
    await ask();
    if (done) toast(done);
  } catch (error) {
    const code = /** @type {{code?: string}} */ (error).code ?? "";
    toast(REFUSED[code]?.() ?? sentenceFor(error), "error");
  }
}
