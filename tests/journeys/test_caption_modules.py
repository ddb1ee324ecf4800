"""The modules of captions by themselves: what is cut out of a voice, and what is shown of it for how long."""

from __future__ import annotations

from tests.journeys.test_modules import Run, files, page, run

__all__ = ["files", "page", "run"]

import pytest

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
