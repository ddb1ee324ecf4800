"""From blocks to passages: nothing is lost, nothing doubled, no passage too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.books.passages import LETTERS, Block, Piece, clean, length, pieces, title_of
from tests.helpers import property_of


def test_a_passage_stands_under_its_headings() -> None:
    blocks = [Block("Calls", 1), Block("Busy", 2), Block("One."), Block("Free", 2), Block("Two.")]
    assert list(pieces(blocks)) == [Piece("Calls › Busy", "One."), Piece("Calls › Free", "Two.")]


def test_short_paragraphs_under_one_heading_are_one_passage() -> None:
    assert list(pieces([Block("One."), Block("Two.")])) == [Piece("", "One.\n\nTwo.")]


def test_rows_and_items_follow_each_other_without_an_empty_line() -> None:
    blocks = [Block("Fruit:"), Block("• apples", is_row=True), Block("• pears", is_row=True), Block("That is all.")]
    assert list(pieces(blocks)) == [Piece("", "Fruit:\n\n• apples\n• pears\n\nThat is all.")]


def test_what_is_too_long_for_one_passage_goes_on_in_the_next() -> None:
    paragraph = "x" * (LETTERS // 2 + 1)
    assert [piece.text for piece in pieces([Block(paragraph), Block(paragraph)])] == [paragraph, paragraph]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    sentence = "The quick brown fox jumps over the lazy dog."
    found = [piece.text for piece in pieces([Block(" ".join([sentence] * 60))])]
    assert len(found) > 2
    assert all(text.startswith("The") and text.endswith("dog.") for text in found)


def test_a_long_chinese_paragraph_is_cut_between_sentences() -> None:
    found = [piece.text for piece in pieces([Block("这是一个句子。" * 200)])]
    assert len(found) > 2
    assert all(text.endswith("。") for text in found)


def test_what_has_no_end_of_a_sentence_is_cut_between_words() -> None:
    found = [piece.text for piece in pieces([Block("word " * 10_000)])]
    assert all(text.startswith("word") and text.endswith("word") for text in found)
    assert sum(text.count("word") for text in found) == 10_000


@property_of(60)
@given(st.lists(st.text(alphabet="a 。.!\n通话", max_size=3000), max_size=5))
def test_nothing_is_lost_and_no_passage_is_too_long(texts: list[str]) -> None:
    found = [piece.text for piece in pieces([Block(text) for text in texts])]
    assert "".join("".join(found).split()) == "".join("".join(texts).split())
    assert all(length(text) <= LETTERS for text in found)


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\ud800", "\ufffe", "\u2028"])
def test_what_no_reader_can_see_is_taken_out(character: str) -> None:
    assert clean(f"a{character}b") == "a b"


def test_a_title_is_one_line_that_is_not_too_long() -> None:
    assert title_of("Two\nlines") == "Two lines"
    assert len(title_of("x" * 500)) == 200
