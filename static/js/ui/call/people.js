/**
 * Who is in the call.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../types.js").User} User
 */
import { _ } from "../../i18n.js";
import { drawAvatar } from "../avatar.js";
import { copyOf, need, setText } from "../dom.js";

/** @param {CallContext} context */
export function startPeople({ boot, session, media, panel, shortcuts }) {
  const list = need("#panel-people [data-list]");
  /** @type {Map<string, HTMLElement>} */
  const rows = new Map();

  function draw() {
    const { others, call } = session.view;
    const here = new Set(others.map(({ user }) => user.id).concat(boot.user.id));
    for (const [id, row] of rows) {
      if (here.has(id)) continue;
      row.remove();
      rows.delete(id);
    }
    drawOne(boot.user, _("You"), !media.muted);
    for (const { user, reconnecting, media: sent } of others) {
      drawOne(user, reconnecting ? _("Reconnecting…") : `@${user.username}`, sent.audio);
    }
    panel.count("people", call.state === "ended" || others.length < 2 ? 0 : others.length + 1);
  }

  /**
   * @param {User} user
   * @param {string} note
   * @param {boolean} heard
   */
  function drawOne(user, note, heard) {
    const row = rows.get(user.id) ?? add(user);
    setText(need("[data-note]", row), note);
    need("[data-muted]", row).hidden = heard;
  }

  /** @param {User} user */
  function add(user) {
    const row = copyOf("in-call-template");
    setText(need("[data-name]", row), user.display_name);
    drawAvatar(need(".avatar", row), user);
    rows.set(user.id, row);
    list.append(row);
    return row;
  }

  shortcuts.add({ key: "p", words: _("Who is in the call"), run: () => panel.toggle("people") });
  session.on("change", draw);
  draw();
}
