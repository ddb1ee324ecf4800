"""The words of a text: English stems, Chinese pairs, and nothing that only carries a sentence."""

from __future__ import annotations

import pytest

from server.books.words import units, words


def test_forms_of_an_english_word_are_the_same_word() -> None:
    assert words("Ringing rings RING") == ["ring", "ring", "ring"]


def test_words_that_only_make_a_question_are_left_out() -> None:
    assert words("How do I call two people?") == ["call", "two", "peopl"]


def test_names_of_settings_are_the_words_they_are_made_of() -> None:
    assert words("recordings.max_bytes") == ["record", "max", "byte"]


def test_chinese_is_read_by_pairs_of_characters() -> None:
    assert words("通话记录") == ["通话", "话记", "记录"]


def test_a_character_that_stands_alone_is_a_word() -> None:
    assert words("响") == ["响"]


@pytest.mark.parametrize("question", ["怎么录音？", "请问如何录音呢", "我可以录音吗"])
def test_characters_that_only_carry_a_sentence_part_the_others(question: str) -> None:
    assert words(question) == ["录音"]


def test_latin_words_within_chinese_are_words() -> None:
    assert words("用TURN服务器") == ["用", "turn", "服务", "务器"]


def test_full_width_letters_are_letters() -> None:
    assert words("\uff34\uff35\uff32\uff2e") == ["turn"]


def test_words_of_other_languages_stay_as_they_are() -> None:
    assert words("Größe звонок") == ["grösse", "звонок"]


def test_what_is_too_long_for_a_word_is_none() -> None:
    assert words("a" * 65) == []


@pytest.mark.parametrize(("asked", "stem"), [("rung", "ring"), ("seen", "see"), ("phones", "telephon")])
def test_irregular_forms_are_the_same_word(asked: str, stem: str) -> None:
    assert words(asked) == [stem]


def test_a_question_is_its_words_and_its_characters_with_their_pairs() -> None:
    assert units("用TURN打电话") == [("用",), ("turn",), ("打电",), ("打电", "电话"), ("电话",)]
