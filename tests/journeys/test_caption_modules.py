"""The modules of captions by themselves: what is cut out of a voice, and what is shown of it for how long."""

from __future__ import annotations

from tests.journeys.test_modules import Run, files, page, run

__all__ = ["files", "page", "run"]

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.journey

# A voice that says what the test lets it say: `say(ms, loudness)` gives the pieces that came of it.
VOICE = """
  const { FRAME_SAMPLES, SAMPLE_RATE, Segmenter } = await import("/js/captions/segmenter.js");
  const segmenter = new Segmenter();
  const frameMs = 1_000 * FRAME_SAMPLES / SAMPLE_RATE;
  const say = (ms, loudness) => {
    const pieces = [];
    for (let at = 0; at < ms; at += frameMs) {
      // A square wave: each frame is as loud as the others.
      const frame = Float32Array.from({ length: FRAME_SAMPLES }, (_, at) => (at % 64 < 32 ? loudness : -loudness));
      const piece = segmenter.push(frame);
      if (piece) pieces.push(piece);
    }
    return pieces;
  };
  const finals = (pieces) => pieces.filter(({ final }) => final);
  const seconds = ({ samples }) => samples.length / SAMPLE_RATE;
  const QUIET = 0.0005, SPEECH = 0.1;
"""
BOARD = """
  const { CaptionBoard } = await import("/js/captions/board.js");
  const board = new CaptionBoard();
  const say = (leg_id, segment, text, final, nowMs) => board.add({ leg_id, segment, text, final }, nowMs);
  const seen = (nowMs) => board.shown(nowMs).map(({ leg_id, text }) => `${leg_id}: ${text}`);
"""


# ── what is said in one breath ──


def test_a_quiet_room_says_nothing(run: Run) -> None:
    assert run(f"{VOICE} return say(5_000, QUIET).length + say(5_000, 0).length;") == 0


def test_a_click_is_nobody_speaking(run: Run) -> None:
    assert run(f"{VOICE} say(1_000, QUIET); return [...say(40, SPEECH), ...say(2_000, QUIET)].length;") == 0


def test_a_piece_ends_with_a_pause_and_begins_a_little_before_it_is_loud(run: Run) -> None:
    body = "say(1_000, QUIET); const said = finals([...say(2_000, SPEECH), ...say(1_000, QUIET)]);"
    count, length_s = run(f"{VOICE} {body} return [said.length, seconds(said[0])];")
    assert count == 1
    assert 2.8 < length_s < 3.1  # 0.3 s before, 2 s of speech, 0.6 s of the pause


def test_a_short_pause_is_within_a_piece(run: Run) -> None:
    body = "say(1_000, QUIET); const said = [...say(900, SPEECH), ...say(300, QUIET), ...say(900, SPEECH)];"
    assert run(f"{VOICE} {body} return finals(said).length;") == 0


def test_what_has_become_long_ends_at_a_short_pause(run: Run) -> None:
    body = "say(1_000, QUIET); const said = [...say(8_000, SPEECH), ...say(300, QUIET)];"
    assert run(f"{VOICE} {body} return finals(said).length;") == 1


def test_whoever_never_pauses_is_cut(run: Run) -> None:
    body = "say(1_000, QUIET); const said = finals(say(30_000, SPEECH));"
    lengths = run(f"{VOICE} {body} return said.map(seconds);")
    assert len(lengths) == 2
    assert max(lengths) < 14.1


def test_what_is_being_said_is_told_once_a_second_with_the_same_number(run: Run) -> None:
    body = "say(1_000, QUIET); const said = [...say(3_500, SPEECH), ...say(1_000, QUIET), ...say(1_500, SPEECH)];"
    told = run(f"{VOICE} {body} return said.map(({{ segment, final }}) => [segment, final]);")
    assert told == [[0, False], [0, False], [0, False], [0, True], [1, False]]


def test_a_fan_that_is_switched_on_becomes_the_new_quiet(run: Run) -> None:
    body = "say(1_000, QUIET); say(20_000, 0.02); const said = say(5_000, 0.02);"
    assert run(f"{VOICE} {body} return said.length;") == 0


def test_one_who_stops_listening_gets_what_was_being_said(run: Run) -> None:
    body = "say(1_000, QUIET); say(700, SPEECH); return [segmenter.flush()?.final, segmenter.flush()];"
    assert run(f"{VOICE} {body}") == [True, None]


# ── what is shown ──


def test_of_each_speaker_the_newest_is_shown(run: Run) -> None:
    body = "say('a', '1', 'Good', false, 0); say('b', '1', 'Hello', true, 1); say('a', '1', 'Good day', true, 2);"
    assert run(f"{BOARD} {body} return seen(3);") == ["a: Good day", "b: Hello"]


def test_whoever_began_last_stands_last(run: Run) -> None:
    body = "say('a', '1', 'Good', true, 0); say('b', '1', 'Hello', true, 1); say('a', '2', 'Day', true, 2);"
    assert run(f"{BOARD} {body} return seen(3);") == ["b: Hello", "a: Day"]


def test_what_was_said_goes_after_some_seconds(run: Run) -> None:
    body = "say('a', '1', 'Good day', true, 0); return [seen(5_999), seen(6_000)];"
    assert run(f"{BOARD} {body}") == [["a: Good day"], []]


def test_what_nobody_finished_goes_later(run: Run) -> None:
    body = "say('a', '1', 'Good', false, 0); return [seen(14_999), seen(15_000)];"
    assert run(f"{BOARD} {body}") == [["a: Good"], []]


def test_what_was_nothing_is_taken_back(run: Run) -> None:
    body = "say('a', '1', 'Hm', false, 0); say('a', '1', '', true, 1);"
    assert run(f"{BOARD} {body} return seen(2);") == []


def test_what_is_late_and_empty_takes_nothing_else_back(run: Run) -> None:
    body = "say('a', '2', 'Good', false, 0); say('a', '1', '', true, 1);"
    assert run(f"{BOARD} {body} return seen(2);") == ["a: Good"]


def test_no_more_than_three_cover_the_call(run: Run) -> None:
    body = "for (const leg of ['a', 'b', 'c', 'd']) say(leg, '1', 'Yes', true, 0);"
    assert run(f"{BOARD} {body} return seen(1);") == ["b: Yes", "c: Yes", "d: Yes"]


# ── switched on and off ──

# A worker that the test speaks for: what it was sent, and whether it still runs.
CAPTIONER = """
  const { Captioner } = await import("/js/captions/captioner.js");
  const RealWorker = Worker; let worker;
  globalThis.Worker = class { sent = []; runs = true; constructor() { worker = this; }
    postMessage(message) { this.sent.push(message); } terminate() { this.runs = false; }
    say(data) { if (this.runs) this.onmessage({ data }); } };
  const captioner = new Captioner(); const captions = []; captioner.on("caption", ({ text }) => captions.push(text));
  const begun = captioner.start(); globalThis.Worker = RealWorker;
"""


def test_what_was_said_just_before_switching_off_is_still_told(run: Run) -> None:
    body = """
      worker.say({ ready: true }); await begun; captioner.stop(); const asked = worker.sent.at(-1);
      worker.say({ segment: 0, text: "good bye", final: true }); worker.say({ ended: true });
      return [asked, captions, worker.runs, captioner.state];
    """
    assert run(CAPTIONER + body) == [None, ["good bye"], False, "off"]


def test_captions_that_are_switched_off_while_they_load_leave_nothing_behind(run: Run) -> None:
    assert run(f"{CAPTIONER} captioner.stop(); return [worker.runs, captioner.state];") == [False, "off"]


def test_a_model_that_cannot_be_had_is_a_failure_and_no_fault_of_the_page(run: Run) -> None:
    body = """
      const faults = []; const keep = (event) => { event.preventDefault(); faults.push(String(event.reason)); };
      window.addEventListener("unhandledrejection", keep); worker.say({ failed: "no model" }); await begun;
      await new Promise((resolve) => setTimeout(resolve, 50)); window.removeEventListener("unhandledrejection", keep);
      return [captioner.state, faults];
    """
    assert run(CAPTIONER + body) == ["failed", []]


# The worker as it is, with a model that says how long a piece is.
WORKER = """
  const worker = new Worker("/js/captions/worker.js", { type: "module" }); const told = [];
  const until = async (is) => { while (!is()) await new Promise((resolve) => setTimeout(resolve, 10)); };
  worker.onmessage = ({ data }) => told.push(data); await until(() => told.length > 0);
  const { port1, port2 } = new MessageChannel(); worker.postMessage(port2, [port2]);
  for (let at = 0; at < 30; at += 1) port1.postMessage(new Float32Array(512).fill(at < 10 ? 0.0005 : 0.1));
  await new Promise((resolve) => setTimeout(resolve, 100));
"""
MODEL = """
  export const Settings = { BASE_ASSET_PATH: {} };
  export class MoonshineModel { async loadModel() {} async generate(samples) { return `said ${samples.length > 0}`; } }
"""


def test_the_recogniser_tells_what_was_being_said_and_then_that_it_is_over(page: Page, run: Run) -> None:
    page.context.route("**/moonshine.min.js", lambda route: route.fulfill(body=MODEL, content_type="text/javascript"))
    said = run(f"{WORKER} worker.postMessage(null); await until(() => told.at(-1).ended); return told.slice(-2);")
    page.context.unroute("**/moonshine.min.js")
    assert said == [{"segment": 0, "text": "said true", "final": True}, {"ended": True}]
