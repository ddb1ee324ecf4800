"""The stage of a call, module by module: a screen beside the camera, who speaks, where the tiles stand, links."""

from __future__ import annotations

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
