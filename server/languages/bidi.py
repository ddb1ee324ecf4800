"""Names within sentences: whichever way a name is written, the sentence around it keeps its own direction."""

from __future__ import annotations

import unicodedata

FIRST_STRONG_ISOLATE, POP_DIRECTIONAL_ISOLATE = "\u2068", "\u2069"
TURNS = frozenset({"R", "AL", "AN"})
"""The directions of letters and numbers that are written from right to left."""
MARKS = dict.fromkeys(map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
"""What turns text without being seen (Unicode UAX #9); in a name it is left out."""


def isolated(name: str) -> str:
    """``name`` as it can stand in a sentence: set apart where it is written from right to left, as ``<bdi>`` does."""
    plain = name.translate(MARKS)
    if plain == name and not any(unicodedata.bidirectional(letter) in TURNS for letter in name):
        return name
    return f"{FIRST_STRONG_ISOLATE}{plain}{POP_DIRECTIONAL_ISOLATE}"
