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
