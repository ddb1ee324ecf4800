"""What a reply quotes of a passage: which of its sentences, and how Markdown shows just them."""

from __future__ import annotations

import re
import textwrap

from server.books.model import Found
from server.books.words import words

QUOTE_CHARACTERS = 600
"""Of a passage that stands beside a reply and is not quoted in it; the whole of it is a link away."""

_SENTENCE = re.compile(r"[^\n.!?。！？]*(?:[.!?。！？]+[\"'”’)」』]*(?=\s|$|[^\x00-\x7f])|\n+|$|[.!?])")
_MARKS = re.compile(r"([\\`*_~&|\[\]<>])")
_BLANKS = re.compile(r"^[ \t]+", re.MULTILINE)
_LINE_MARKS = re.compile(r"^(\s*)([#+=-]|\d+(?=[.)]))", re.MULTILINE)


def excerpt(found: Found, question: str, characters: int) -> str:
    """Of a passage the sentences in a row with most of the question in them, at most about so many characters; of a
    sentence that is longer, what stands around its words. «…» stands where something was left out."""
    text = found.passage.text
    if len(text) <= characters:
        return text
    pieces: list[str] = []
    asked = set(words(question))
    sentences = [each for each in _SENTENCE.findall(text) if each]
    for sentence in sentences:
        pieces += [sentence] if len(sentence) <= characters else _parts(sentence, max(1, characters // 8))
    rows = _best([len(piece) for piece in pieces], [asked.intersection(words(piece)) for piece in pieces], characters)
    is_cut = len(pieces) > len(sentences)
    begin, end = rows[len(rows) // 2 if is_cut else 0]  # the words in the middle, where nothing begins with them
    return ("… " if begin else "") + "".join(pieces[begin:end]).strip() + (" …" if end < len(pieces) else "")


def plain(text: str) -> str:
    """``text`` as Markdown that shows just that."""
    text = _MARKS.sub(r"\\\1", text)
    text = _LINE_MARKS.sub(_escaped, text)
    # Blanks at the beginning of a line make code of it, or a list; those that do not break are only seen.
    return _BLANKS.sub(lambda blanks: blanks[0].expandtabs(4).replace(" ", "\u00a0"), text)


def _escaped(mark: re.Match[str]) -> str:
    blanks, sign = mark.groups()
    return f"{blanks}{sign}\\" if sign.isdigit() else f"{blanks}\\{sign}"


def _parts(sentence: str, characters: int) -> list[str]:
    """A sentence in parts that long, cut between words where there are any; together they are the sentence."""
    return textwrap.wrap(
        sentence,
        characters,
        expand_tabs=False,
        replace_whitespace=False,
        drop_whitespace=False,
        break_on_hyphens=False,
    )


def _best(lengths: list[int], matched: list[set[str]], characters: int) -> list[tuple[int, int]]:
    """The rows of pieces that have most of the question in them; only the first one if none has any of it."""
    rows: list[tuple[int, int]] = []
    most = -1
    for begin in range(len(lengths)):
        end, length = begin, 0
        while end < len(lengths) and (length + lengths[end] <= characters or end == begin):
            length += lengths[end]
            end += 1
        worth = len(set().union(*matched[begin:end]))
        if worth > most:
            rows, most = [], worth
        if worth == most:
            rows.append((begin, end))
    return rows if most else rows[:1]
