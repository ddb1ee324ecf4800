"""From what somebody said or wrote to its sentences."""

from __future__ import annotations

import re

from server.languages.sentences import HAN

MAX_CHARACTERS = 400
"""Of a sentence that rules look at: nobody promises in more; what is longer was pasted."""

MAX_SENTENCES = 200
"""Of one message: as many as somebody writes in a longest one; what has more was made to cost time."""

LONGEST_ABBREVIATION = 12
"""Characters at the end of a piece, with what stands before it."""

_LIST_MARK = re.compile(r"^\s*(?:[-*•–]\s+(?:\[[ xX]\]\s*)?|\(?\d{1,2}[.)、]\s*|#{1,6}\s+)")
_END = re.compile(r"(?<=[。！？；!?])(?![。！？!?])\s*|(?<=[.;…])\s+(?=[^\s])|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|no|dr|mr|mrs|ms|prof|st|jr)|^[A-Z]|\s[A-Z])\.$", re.IGNORECASE
)
_HAN = re.compile(HAN)
_LETTER = re.compile(r"[^\W\d_]")


def sentences_of(text: str) -> list[str]:
    """The sentences of ``text`` in order, with their signs at the end and without the marks of a list."""
    found: list[str] = []
    for line in text.splitlines():
        begun = ""
        for piece in _END.split(_LIST_MARK.sub("", line)):
            begun = f"{begun} {piece}" if begun else piece
            if _ABBREVIATION.search(begun[-LONGEST_ABBREVIATION:]):
                continue
            found.append(begun)
            begun = ""
        found.append(begun)
    return [each.strip()[:MAX_CHARACTERS] for each in found[:MAX_SENTENCES] if _LETTER.search(each)]


def is_chinese(text: str) -> bool:
    """Whether ``text`` is rather Chinese than written with letters: a Han character says as much as three of them."""
    han = len(_HAN.findall(text))
    return 3 * han > len(_LETTER.findall(text)) - han
