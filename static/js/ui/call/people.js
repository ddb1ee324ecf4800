/**
 * Who is in the call, who is called into it and who is not there any more; and what the host can do about them.
 *
 * @typedef {import("./context.js").CallContext} CallContext
 * @typedef {import("../../types.js").Leg} Leg
 * @typedef {import("../../types.js").MediaState} MediaState
 */
import { _ } from "../../i18n.js";
import { drawAvatar } from "../avatar.js";
import { copyOf, need, setText } from "../dom.js";
import { isRunning } from "./context.js";
import { startHostMenu } from "./host_menu.js";
import { startInviting } from "./inviting.js";
import { troublesOf } from "./troubles.js";

const THERE = new Set(["joined", "reconnecting"]);
const CALLED = new Set(["invited", "ringing"]);

/** Why somebody who was called is not there. @type {Record<string, () => string>} */
const GONE = {
  left: () => _("Has left"),
  declined: () => _("Declined"),
  missed: () => _("Did not answer"),
  busy: () => _("Is in another call"),
  do_not_disturb: () => _("Does not want to be disturbed"),
  unreachable: () => _("Could not be reached"),
};

/** @param {CallContext} context */
export function startPeople(context) {
  const { boot, session, media, panel, shortcuts } = context;
  const ownId = boot.user.id;
  const section = need("#panel-people");
  const places = { there: need("[data-list]", section), gone: need("[data-gone]", section) };
  /** By leg. @type {Map<string, HTMLElement>} */
  const rows = new Map();
  const callIn = startInviting(context);
  const openHostMenu = startHostMenu(context);

  function draw() {
    const { others, call } = session.view;
    const byLeg = new Map(others.map((other) => [other.legId, other]));
    const own = call.legs.find(({ user }) => user.id === ownId);
    const isHost = own !== undefined && call.host === own.leg_id;
    const there = call.legs.filter(({ state }) => THERE.has(state));
    const legs = [...there, ...call.legs.filter(({ state }) => !THERE.has(state))];
    for (const leg of legs) {
      const other = byLeg.get(leg.leg_id);
      const sent = leg === own ? ownMedia() : (other?.media ?? null);
      drawOne(leg, { sent, note: noteOf(leg, leg === own, other?.reconnecting ?? false), isOwn: leg === own, isHost });
    }
    for (const [legId, row] of rows) {
      if (call.legs.some(({ leg_id }) => leg_id === legId)) continue;
      row.remove();
      rows.delete(legId);
    }
    need("[data-gone-head]", section).hidden = places.gone.childElementCount === 0;
    drawTroubles(troublesOf(others, own?.leg_id ?? ""));
    panel.count("people", isRunning(session) && there.length > 2 ? there.length : 0);
  }

  /** @returns {MediaState} */
  function ownMedia() {
    const { hand } = session.view;
    return { audio: !media.muted, video: media.camera !== null, screen: session.screen.track !== null, hand };
  }

  /**
   * @param {Leg} leg
   * @param {{sent: MediaState | null, note: string, isOwn: boolean, isHost: boolean}} looks
   */
  function drawOne(leg, { sent, note, isOwn, isHost }) {
    const row = rows.get(leg.leg_id) ?? add(leg);
    const { state } = leg;
    const [there, called] = [THERE.has(state), CALLED.has(state)];
    const { call } = session.view;
    const place = there || called ? places.there : places.gone;
    if (row.parentElement !== place) place.append(row);
    setText(need("[data-note]", row), note);
    need("[data-host]", row).hidden = !there || call.host !== leg.leg_id || call.legs.length < 3;
    need("[data-muted]", row).hidden = !there || sent === null || sent.audio;
    need("[data-hand]", row).hidden = !there || !sent?.hand;
    need("[data-screen]", row).hidden = !there || !sent?.screen;
    need("[data-menu]", row).hidden = !isHost || isOwn || !(there || called) || call.legs.length < 3;
    need("[data-call-in]", row).hidden = there || called || isOwn || call.answered_at === null;
  }

  /** @param {Leg} leg */
  function add({ leg_id: legId, user }) {
    const row = copyOf("in-call-template");
    const name = user.display_name;
    setText(need("[data-name]", row), name);
    drawAvatar(need(".avatar", row), user);
    const more = need("[data-menu]", row);
    more.setAttribute("aria-label", _("More for %(name)s", { name }));
    more.addEventListener("click", () => {
      const heard = session.view.others.some((other) => other.legId === legId && other.media.audio);
      openHostMenu(more, { legId, name, heard });
    });
    need("[data-call-in]", row).setAttribute("aria-label", _("Call %(name)s into this call", { name }));
    need("[data-call-in]", row).addEventListener("click", () => callIn(user));
    rows.set(legId, row);
    return row;
  }

  /** @param {string[]} sentences */
  function drawTroubles(sentences) {
    const list = need("[data-troubles]", section);
    const shown = [...list.children].map(({ textContent }) => textContent);
    if (shown.join("\n") === sentences.join("\n")) return;
    list.replaceChildren(...sentences.map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence })));
  }

  shortcuts.add({ key: "p", words: _("Who is in the call"), run: () => panel.toggle("people") });
  session.on("change", draw);
  draw();
}

/**
 * @param {Leg} leg
 * @param {boolean} isOwn
 * @param {boolean} isAway the server misses them
 */
function noteOf({ state, reason, user }, isOwn, isAway) {
  if (CALLED.has(state)) return state === "ringing" ? _("Ringing…") : _("Being called…");
  if (isAway || state === "reconnecting") return _("Reconnecting…");
  if (isOwn) return _("You");
  if (THERE.has(state)) return `@${user.username}`;
  return reason === "removed" ? _("Was removed") : (GONE[state] ?? GONE.left)();
}
