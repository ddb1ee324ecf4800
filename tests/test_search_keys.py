"""Under which texts a person is found."""

from __future__ import annotations

import pytest

from server.search_keys import MAX_KEY_CHARACTERS, folded, search_keys


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Åsa", "asa"),
        ("A\u030asa", "åsa"),
        ("STRASSE", "straße"),
        ("İstanbul", "istanbul"),
        ("ﬁn", "fin"),
        ("\uff21nna", "anna"),
        ("ｶﾞ", "カ"),
        ("\ufe8d", "\u0627"),
        ("  Anna   Lena ", "anna lena"),
    ],
    ids=ascii,
)
def test_case_accents_width_and_spaces_do_not_count(text: str, other: str) -> None:
    assert folded(text) == folded(other)


@pytest.mark.parametrize(("text", "other"), [("a", "b"), ("и", "i"), ("한", "하"), ("कि", "की")], ids=ascii)
def test_other_letters_are_others(text: str, other: str) -> None:
    assert folded(text) != folded(other)


def test_a_user_name_is_found_by_its_beginning_only() -> None:
    assert search_keys("anna.schmidt", "x") == ["anna.schmidt", "x"]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Anna Lena Oz", ["anna lena oz", "lena oz", "oz"]),
        ("Anna-Lena", ["anna-lena", "lena"]),
        ("O'Brien", ["brien", "o'brien"]),
        ("(Bob)", ["(bob)", "bob)"]),
        ("王小明", ["小明", "明", "王小明"]),
        ("Anna王 Oz", ["anna王 oz", "oz", "王 oz"]),
        ("王Anna", ["anna", "王anna"]),
        ("さくら", ["くら", "さくら", "ら"]),
        ("किरण", ["किरण"]),
        ("...", ["..."]),
    ],
    ids=ascii,
)
def test_a_display_name_is_found_from_every_beginning_in_it(name: str, keys: list[str]) -> None:
    assert search_keys("_", name) == sorted([*keys, "_"])


def test_a_korean_name_is_found_by_every_syllable_and_by_what_is_typed_of_one() -> None:
    keys = search_keys("_", "김민준")
    assert all(any(key.startswith(folded(text)) for key in keys) for text in ("김", "민", "준", "미"))


def test_names_of_any_length_have_keys_that_are_not_long() -> None:
    keys = search_keys("a" * 64, "ﷺ" * 100)
    assert max(map(len, keys)) == MAX_KEY_CHARACTERS


def test_a_text_longer_than_a_key_is_compared_as_far_as_keys_go() -> None:
    assert folded("x" * 5000) == "x" * MAX_KEY_CHARACTERS
