"""Sentences that are said in another language later."""

from __future__ import annotations

import pytest

from server.errors import BadRequest, NotFound, TooLarge
from server.languages.sentences import N_, filled, said

GERMAN = {
    "At most %(count)s bytes": "Höchstens %(count)s Bytes",
    "%(field)s: %(rule)s": "%(field)s – %(rule)s",
    "There is no such call": "Diesen Anruf gibt es nicht",
    "100 % sure": "100 % sicher",
}


def german(sentence: str) -> str:
    return GERMAN.get(sentence, sentence)


def test_a_sentence_is_the_english_one() -> None:
    assert N_("At most %(count)s bytes", count=3) == "At most 3 bytes"


def test_a_sentence_is_said_with_its_values() -> None:
    assert said(N_("At most %(count)s bytes", count=3), german) == "Höchstens 3 Bytes"


def test_a_value_that_is_a_sentence_is_translated_too() -> None:
    rule = N_("At most %(count)s bytes", count=3)
    assert said(N_("%(field)s: %(rule)s", field="name", rule=rule), german) == "name – Höchstens 3 Bytes"


def test_a_value_that_is_only_text_stays() -> None:
    assert said(N_("%(field)s: %(rule)s", field="There is no such call", rule="-"), german) == (
        "There is no such call – -"
    )


def test_a_plain_text_is_translated_as_it_is() -> None:
    assert (said("There is no such call", german), said("unheard of", german)) == (
        "Diesen Anruf gibt es nicht",
        "unheard of",
    )


def test_a_percent_sign_is_one_where_there_are_no_values() -> None:
    assert said(N_("100 % sure"), german) == "100 % sicher"


def test_nothing_is_said_as_nothing() -> None:
    # For the empty sentence gettext has the head of the catalogue.
    assert said("", lambda _: "Language: de") == ""


def test_a_sentence_without_one_of_its_values_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        N_("At most %(count)s bytes", number=3)


# --- Errors


def test_an_error_is_english_until_it_is_answered() -> None:
    error = TooLarge(N_("At most %(count)s bytes", count=3))
    assert (error.detail, str(error), error.detail_in(german)) == (*["At most 3 bytes"] * 2, "Höchstens 3 Bytes")


def test_an_error_without_values_is_translated() -> None:
    assert NotFound("There is no such call").detail_in(german) == "Diesen Anruf gibt es nicht"


def test_an_error_of_a_field_says_field_and_rule() -> None:
    error = BadRequest.of("text", N_("At most %(count)s bytes", count=3))
    assert (error.detail, error.fields) == ("text: At most 3 bytes", {"text": "At most 3 bytes"})
    assert error.fields_in(german) == {"text": "Höchstens 3 Bytes"}


def test_a_kind_of_error_keeps_its_code_when_made_for_a_field() -> None:
    assert TooLarge.of("text", "long").code == "too_large"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("王嘉怡", "与王嘉怡通话"),
        ("bob", "与 bob 通话"),
        ("bob王", "与 bob王通话"),
        ("\u2068王\u2069", "与\u2068王\u2069通话"),
    ],
)
def test_between_chinese_characters_stands_no_space(name: str, words: str) -> None:
    assert filled("与 %(name)s 通话", {"name": name}) == words


def test_the_space_between_a_chinese_name_and_a_latin_word_stays() -> None:
    assert filled("%(name)s is calling", {"name": "王嘉怡"}) == "王嘉怡 is calling"


def test_what_is_said_in_chinese_has_no_space_after_a_chinese_name() -> None:
    assert said(N_("%(name)s hung up", name="王嘉怡"), lambda _: "%(name)s 已挂断") == "王嘉怡已挂断"
