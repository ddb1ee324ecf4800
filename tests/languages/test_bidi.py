"""Names that are written from right to left, in sentences that are not."""

from __future__ import annotations

from server.languages.bidi import isolated


def test_a_name_from_left_to_right_stays_as_it_is() -> None:
    assert [isolated("Bob"), isolated("王嘉怡")] == ["Bob", "王嘉怡"]


def test_a_name_from_right_to_left_is_set_apart() -> None:
    assert isolated("\u05d1\u05d5\u05d1") == "\u2068\u05d1\u05d5\u05d1\u2069"


def test_marks_that_turn_the_text_are_left_out() -> None:
    assert isolated("\u05d1\u05d5\u05d1") == "\u2068\u05d1\u05d5\u05d1\u2069"
