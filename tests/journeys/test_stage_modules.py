"""The stage of a call, module by module: a screen beside the camera, who speaks, where the tiles stand, links."""

from __future__ import annotations

import json

import pytest

from tests.journeys.test_modules import Run, files, page, run

__all__ = ["files", "page", "run"]

pytestmark = pytest.mark.journey

# ── a screen beside the camera ──

# Two peers that keep what comes to them; a picture that is no camera's, and how wide each picture is that arrives.
SCREENS = """
  const streams = { a: {}, b: {} };
  const keep = (name) => ({
    onStream: (stream) => { streams[name].camera = stream; },
    onScreen: (stream) => { streams[name].screen = stream; },
  });
  const picture = (width) => {
    const canvas = Object.assign(document.createElement("canvas"), { width, height: 90 });
    const context = canvas.getContext("2d");
    setInterval(() => context.fillRect(0, 0, Math.random() * width, 90), 50);
    return canvas.captureStream(20).getVideoTracks()[0];
  };
  const until = async (is) => {
    const endMs = performance.now() + 15_000;
    while (!is()) {
      if (performance.now() > endMs) throw new Error(`never: ${is}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const width = async (stream) => {
    const video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true });
    await video.play();
    return video.videoWidth;
  };
"""


def test_a_screen_comes_beside_the_camera_and_is_told_from_it(run: Run) -> None:
    body = """
      const p = h.pair({ a: keep("a"), b: keep("b") });
      for (const side of [p.a, p.b]) { await side.setTrack("video", picture(160)); side.begin(); }
      await until(() => streams.a.camera && streams.b.camera);
      await p.b.setTrack("screen", picture(320)); await until(() => streams.a.screen);
      const seen = [await width(streams.a.camera), await width(streams.a.screen), streams.b.screen ?? null];
      p.a.close(); p.b.close(); return seen;
    """
    assert run(SCREENS + body) == [160, 320, None]


def test_a_screen_that_is_shown_already_reaches_whoever_comes(run: Run) -> None:
    body = """
      const p = h.pair({ a: keep("a"), b: keep("b") });
      await p.b.setTrack("screen", picture(320)); p.a.begin(); p.b.begin();
      await until(() => streams.a.screen); const seen = await width(streams.a.screen);
      p.a.close(); p.b.close(); return [seen, streams.a.camera ?? null];
    """
    assert run(SCREENS + body) == [320, None]


def test_two_screens_at_once_reach_the_other_side_each(run: Run) -> None:
    body = """
      const p = h.pair({ a: keep("a"), b: keep("b") });
      for (const side of [p.a, p.b]) { await side.setTrack("video", picture(160)); side.begin(); }
      await until(() => streams.a.camera && streams.b.camera);
      await Promise.all([p.a.setTrack("screen", picture(320)), p.b.setTrack("screen", picture(480))]);
      await until(() => streams.a.screen && streams.b.screen);
      const seen = [await width(streams.a.screen), await width(streams.b.screen), await width(streams.a.camera)];
      p.a.close(); p.b.close(); return seen;
    """
    assert run(SCREENS + body) == [480, 320, 160]


def test_a_screen_that_is_shown_no_more_is_not_sent(run: Run) -> None:
    body = """
      const p = h.pair({ a: keep("a"), b: keep("b") });
      p.a.begin(); p.b.begin(); await p.b.setTrack("screen", picture(320)); await until(() => streams.a.screen);
      await width(streams.a.screen); const [track] = streams.a.screen.getTracks();
      await p.b.setTrack("screen", null); await until(() => track.muted);
      p.a.close(); p.b.close(); return true;
    """
    assert run(SCREENS + body) is True


def test_a_call_of_sound_can_have_a_screen_and_later_a_camera(run: Run) -> None:
    body = """
      const sound = { receive: ["audio"] };
      const p = h.pair({ a: { ...keep("a"), ...sound }, b: { ...keep("b"), ...sound } });
      p.a.begin(); p.b.begin(); await p.b.setTrack("screen", picture(320)); await until(() => streams.a.screen);
      await p.b.setTrack("video", picture(160)); await until(() => streams.a.camera);
      const seen = [await width(streams.a.camera), await width(streams.a.screen)];
      p.a.close(); p.b.close(); return seen;
    """
    assert run(SCREENS + body) == [160, 320]


# ── who speaks ──

# What is heard of several at a time: a level for each name, every 200 ms; then who is looked at.
SPEAKING = """
  const { Speaking } = await import("/js/media/speaking.js");
  const speaking = new Speaking(); let nowMs = 0; let now = [];
  const hear = (forMs, levels) => {
    const heard = new Map(Object.entries(levels));
    for (const endMs = nowMs + forMs; nowMs < endMs; nowMs += 200) now = speaking.hear(heard, nowMs);
  };
"""


def test_whoever_is_heard_first_is_looked_at_at_once(run: Run) -> None:
    assert run(f"{SPEAKING} hear(200, {{ a: 0.001, b: 0.1 }}); return [now, speaking.active];") == [["b"], "b"]


def test_a_quiet_room_is_nobody_who_speaks(run: Run) -> None:
    assert run(f"{SPEAKING} hear(2_000, {{ a: 0.01, b: 0 }}); return [now, speaking.active];") == [[], None]


def test_whoever_speaks_on_stays_though_another_one_is_louder(run: Run) -> None:
    body = "hear(2_000, { a: 0.1, b: 0 }); hear(2_000, { a: 0.05, b: 0.9 }); return [now, speaking.active];"
    assert run(SPEAKING + body) == [["a", "b"], "a"]


def test_a_word_between_two_others_does_not_change_whom_one_looks_at(run: Run) -> None:
    body = (
        "hear(2_000, { a: 0.1, b: 0 }); hear(400, { a: 0, b: 0.2 }); hear(400, { a: 0, b: 0 }); return speaking.active;"
    )
    assert run(SPEAKING + body) == "a"


def test_the_next_one_who_goes_on_speaking_is_looked_at(run: Run) -> None:
    body = "hear(2_000, { a: 0.1, b: 0 }); hear(1_600, { a: 0, b: 0.2 }); return [now, speaking.active];"
    assert run(SPEAKING + body) == [["b"], "b"]


def test_whoever_has_left_is_looked_at_no_more(run: Run) -> None:
    assert run(f"{SPEAKING} hear(400, {{ a: 0.1 }}); hear(200, {{ b: 0 }}); return speaking.active;") is None


# ── where the tiles stand ──


@pytest.mark.parametrize(
    ("count", "width", "height", "columns"),
    [(1, 1280, 640, 1), (2, 1280, 640, 2), (2, 360, 640, 1), (4, 1280, 640, 2), (5, 1280, 640, 3), (5, 360, 640, 2)],
)
def test_tiles_are_as_large_as_can_be(run: Run, count: int, width: int, height: int, columns: int) -> None:
    body = 'const { bestColumns } = await import("/js/ui/call/grid.js");'
    assert run(f"{body} return bestColumns({count}, {width}, {height});") == columns


# ── whom it is with ──

NAMES = """
  const { namesOf } = await import("/js/ui/call/names.js");
  const leg = (name, state = "joined") => ({ user: { id: name, display_name: name }, state });
  const names = (state, ...others) => namesOf({ state, legs: [leg("me"), ...others] }, "me");
"""


def test_the_names_are_those_of_who_is_there_or_may_come(run: Run) -> None:
    body = 'return names("active", leg("Bob"), leg("Carol", "ringing"), leg("Dan", "left"), leg("Eve", "declined"));'
    assert run(NAMES + body) == "Bob and Carol"


@pytest.mark.parametrize(("others", "said"), [("BCD", "B, C and 1 other"), ("BCDE", "B, C and 2 others")])
def test_of_many_names_two_are_said(run: Run, others: str, said: str) -> None:
    assert run(f'{NAMES} return names("active", ...[..."{others}"].map((name) => leg(name)));') == said


def test_afterwards_and_where_nobody_came_all_are_named(run: Run) -> None:
    body = 'return [names("ended", leg("Bob", "left"), leg("Carol", "missed")), names("active", leg("Bob", "left"))];'
    assert run(NAMES + body) == ["Bob and Carol", "Bob"]


# ── what is written ──

LINKS = 'const { linked, pieces } = await import("/js/ui/links.js");'
HREFS = "return pieces(text).filter(({ href }) => href).map(({ text, href }) => [text, href]);"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://example.org/a?b=c#d", [["https://example.org/a?b=c#d", "https://example.org/a?b=c#d"]]),
        ("(http://example.org/a).", [["http://example.org/a", "http://example.org/a"]]),
        ("https://example.org/a_(b)", [["https://example.org/a_(b)", "https://example.org/a_(b)"]]),
        ("看 https://example.org/。", [["https://example.org/", "https://example.org/"]]),
        ("HTTPS://EXAMPLE.ORG", [["HTTPS://EXAMPLE.ORG", "https://example.org/"]]),
    ],
)
def test_an_address_in_a_message_becomes_a_link(run: Run, text: str, found: list[list[str]]) -> None:
    assert run(f"{LINKS} const text = {text!r}; {HREFS}") == found


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "data:text/html,hi",
        "example.org",
        "https://",
        "https://bank.example@evil.example/",
        "file:///",
    ],
)
def test_nothing_else_becomes_one(run: Run, text: str) -> None:
    assert run(f"{LINKS} const text = {text!r}; {HREFS}") == []


def test_a_link_gives_the_other_page_no_hand_on_this_one(run: Run) -> None:
    body = 'const [link] = linked("https://example.org"); return [link.rel, link.target, link.textContent];'
    assert run(LINKS + body) == ["noopener noreferrer", "_blank", "https://example.org"]


def test_markup_in_a_message_stays_text(run: Run) -> None:
    body = """
      const p = document.createElement("p"); p.append(...linked("<img src=x> https://a.example/<b>bold</b>"));
      return [p.querySelectorAll("img, b").length, p.textContent];
    """
    assert run(LINKS + body) == [0, "<img src=x> https://a.example/<b>bold</b>"]


def test_messages_stand_in_the_order_of_their_ids_each_once(run: Run) -> None:
    body = """
      const { ChatLog } = await import("/js/chat/log.js"); const log = new ChatLog();
      const message = (id) => ({ message_id: id, user: { id: "u" }, text: id, sent_at: "" });
      const fresh = [log.add([message("3"), message("1")]), log.add([message("1"), message("2")])];
      return [log.messages.map(({ text }) => text), fresh.map((each) => each.length), log.oldest];
    """
    assert run(body) == [["1", "2", "3"], [2, 1], "1"]


# ── who cannot hear whom ──

TROUBLES = """
  const { troublesOf } = await import("/js/ui/call/troubles.js");
  const other = (legId, paths, path = "connected") => ({ legId, path, paths, user: { display_name: legId } });
"""


def test_a_pair_that_is_apart_is_named(run: Run) -> None:
    body = 'return troublesOf([other("Bob", { Carol: "failed" }), other("Carol", { Bob: "disconnected" })], "me");'
    assert run(TROUBLES + body) == ["Bob and Carol cannot hear each other"]


def test_what_only_one_of_a_pair_says_is_said_of_that_one(run: Run) -> None:
    body = 'return troublesOf([other("Bob", {}), other("Carol", { Bob: "failed" })], "me");'
    assert run(TROUBLES + body) == ["Carol cannot hear Bob"]


@pytest.mark.parametrize("bob", ['other("Bob", { me: "failed" })', 'other("Bob", {}, "disconnected")'])
def test_a_pair_that_one_belongs_to_oneself_is_said_so(run: Run, bob: str) -> None:
    assert run(f'{TROUBLES} return troublesOf([{bob}], "me");') == ["You and Bob cannot hear each other at the moment"]


def test_a_path_that_is_still_being_made_is_no_trouble(run: Run) -> None:
    body = 'return troublesOf([other("Bob", { Carol: "checking" }, "checking"), other("Carol", {}, null)], "me");'
    assert run(TROUBLES + body) == []


@pytest.mark.parametrize(
    ("dialled", "came", "address"),
    [
        ("audio", {"media": "video", "merged": True}, "/call/k#audio"),
        ("video", {"media": "video", "merged": True}, "/call/k"),
        ("audio", {"media": "audio"}, "/call/k"),
    ],
)
def test_whoever_dials_by_sound_is_not_shown_in_the_call_of_another(
    run: Run, dialled: str, came: dict[str, object], address: str
) -> None:
    body = f"""
      const {{ addressOf }} = await import("/js/ui/call_address.js");
      return addressOf({{ call_id: "k", ...{json.dumps(came)} }}, "{dialled}");
    """
    assert run(body) == address


# ── the lock screen and the small window ──

# A call that goes on, without its page, and what the browser was given for its own buttons.
ELSEWHERE = """
  const handlers = {}; const { mediaSession } = navigator;
  mediaSession.setActionHandler = (name, act) => { handlers[name] = act; };
  const other = { user: { id: "other", display_name: "Bob" }, state: "joined" };
  const me = { user: { id: "me", display_name: "Me" }, state: "joined" };
  const call = { caller: me.user, legs: [me, other], state: "active" };
  const session = { view: { phase: "in_call", call, others: [] }, on: () => {} };
  const media = { muted: false, camera: null };
  const context = { session, media, boot: { user: me.user, call }, shortcuts: { add: () => {} } };
  const rejected = []; const keep = (event) => { event.preventDefault(); rejected.push(String(event.reason)); };
"""
PICTURE = """
  document.body.innerHTML = `<button id="small-picture-entry"><span data-label></span></button>
    <video id="small-picture"></video>`;
  const video = document.querySelector("video"); const watched = new MediaStream();
  video.requestPictureInPicture = async () => {};
  Object.defineProperty(document, "pictureInPictureEnabled", { value: true, configurable: true });
  Object.defineProperty(document, "pictureInPictureElement", { value: video, configurable: true });
  document.exitPictureInPicture = () => Promise.reject(new Error("closed by hand"));
  let played = 0; video.play = () => { played += 1; return Promise.reject(new DOMException("", "AbortError")); };
  window.addEventListener("unhandledrejection", keep);
  const { startPicture } = await import("/js/ui/call/picture.js");
  startPicture(context, { watched: () => watched });
"""


def test_hanging_up_on_the_lock_screen_asks_nothing(run: Run) -> None:
    body = """
      const { startLockScreen } = await import("/js/ui/call/lock_screen.js"); let left = 0;
      startLockScreen(context, { hangUp: () => { left += 1; } });
      handlers.hangup(); delete mediaSession.setActionHandler; return left;
    """
    assert run(ELSEWHERE + body) == 1


def test_the_buttons_of_the_browser_are_those_of_the_lock_screen_alone(run: Run) -> None:
    body = "delete mediaSession.setActionHandler; return Object.keys(handlers);"
    assert run(ELSEWHERE + PICTURE + body) == ["enterpictureinpicture"]


def test_a_small_picture_that_changes_while_it_begins_is_no_fault(run: Run) -> None:
    body = """
      while (played === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      document.querySelector("#small-picture-entry").click(); await new Promise((resolve) => setTimeout(resolve, 50));
      delete mediaSession.setActionHandler; window.removeEventListener("unhandledrejection", keep); return rejected;
    """
    assert run(ELSEWHERE + PICTURE + body) == []


# ── the panel ──

# A panel with one part, that has a field and a menu in it; `escape` presses the key in one of them.
PANEL = """
  document.body.innerHTML = `<main id="call"></main><button id="more"></button>
    <template id="panel-tab-template"><button><span data-label></span></button></template>
    <aside id="panel" hidden><div data-tabs></div><button data-close-panel></button>
      <div id="part" data-panel="people"><input><div popover><button></button></div></div></aside>`;
  const { SidePanel } = await import("/js/ui/call/panel.js");
  const panel = new SidePanel(); panel.open("people");
  const escape = (selector, more = {}) => document.querySelector(`#part ${selector}`).dispatchEvent(
    new KeyboardEvent("keydown", { key: "Escape", bubbles: true, ...more }));
"""


def test_escape_closes_the_panel(run: Run) -> None:
    assert run(f'{PANEL} escape("input"); return panel.shown;') is None


@pytest.mark.parametrize("pressed", ['escape("input", { isComposing: true })', 'escape("[popover] button")'])
def test_escape_that_is_meant_for_a_word_or_a_menu_leaves_the_panel(run: Run, pressed: str) -> None:
    assert run(f"{PANEL} {pressed}; return panel.shown;") == "people"
