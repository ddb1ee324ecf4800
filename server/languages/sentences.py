"""Sentences that a person reads. The English one is the name under which its translations are found."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

HAN = "[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
"""Chinese characters: what Unicode calls the script Han, without its radicals."""
PLACE = re.compile(rf"((?<={HAN}) )?(%\((\w+)\)s)( (?={HAN}))?")
"""A place in a sentence, with the space that sets a filled-in Latin word apart from the Chinese ones around it."""
MARKS = "\u2068\u2069"
"""What may stand around a name to keep its direction to itself."""

Translate = Callable[[str], str]
"""From an English sentence to the same in somebody's language; ``str`` is the one for English."""


class Sentence(str):
    """The English sentence, with what is needed to say it in another language: ``message``, in which what varies stands
    as ``%(name)s``, and the ``values`` for these places."""

    message: str
    values: dict[str, Any]

    def __new__(cls, message: str, values: dict[str, Any]) -> Sentence:
        """The sentence with its places filled in; raises ``KeyError`` if a value is missing."""
        sentence = super().__new__(cls, message % values if values else message)
        sentence.message = message
        sentence.values = values
        return sentence


def N_(message: str, **values: Any) -> Sentence:
    """A sentence to be said later, in the language of whoever reads it: ``N_("%(count)s to go", count=3)``.

    ``message`` is a literal, so that it is found by whoever collects what is to be translated.
    """
    return Sentence(message, values)


def said(sentence: str, translate: Translate) -> str:
    """``sentence`` by ``translate``, with its values, which may be sentences themselves."""
    if not sentence:  # which is where gettext keeps the head of a catalogue
        return ""
    if not isinstance(sentence, Sentence) or not sentence.values:
        return translate(str(sentence))
    values = {
        name: said(value, translate) if isinstance(value, Sentence) else value
        for name, value in sentence.values.items()
    }
    return filled(translate(sentence.message), values)


def filled(sentence: str, values: dict[str, Any]) -> str:
    """``sentence`` with its places filled in; between two Chinese characters stands no space."""

    def spaced(place: re.Match[str]) -> str:
        before, itself, name, after = place.groups(default="")
        value = str(values[name]).strip(MARKS)
        begins, ends = re.match(HAN, value), re.match(HAN, value[-1:])
        return f"{'' if begins else before}{itself}{'' if ends else after}"

    return PLACE.sub(spaced, sentence) % values
