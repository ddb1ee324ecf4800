"""From the blocks of a chapter to its passages: pieces that are long enough to answer something and short enough to be
quoted. Nothing is left out and nothing stands in two of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

LETTERS = 1_000
"""How long a passage becomes: some 160 words of English, or 330 characters of Chinese."""
HAN_IN_LETTERS = 3
"""A Chinese character says as much as about three letters."""
MAX_TITLE_CHARACTERS = 200

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_END_OF_SENTENCE = re.compile(r"(?<=[.!?;:])\s+|(?<=[。！？；：…])|\n")
# Control characters but for tab and line feed, halves of surrogate pairs, and what no character is (Unicode 23.7).
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]")


class Block(NamedTuple):
    """A paragraph or, with a ``level`` from 1 to 6, a heading. Items of a list and rows of a table are rows."""

    text: str
    level: int = 0
    is_row: bool = False


class Piece(NamedTuple):
    """A passage that has no number yet."""

    heading: str
    text: str


def clean(text: str) -> str:
    """``text`` without what no reader can see: normalised (NFC), lines stripped, no runs of blanks, no control
    characters."""
    text = _UNPRINTABLE.sub(" ", unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def title_of(text: str) -> str:
    """``text`` as a title: one line, not too long."""
    title = " ".join(clean(text).split())
    return title if len(title) <= MAX_TITLE_CHARACTERS else title[: MAX_TITLE_CHARACTERS - 1].rstrip() + "…"


def pieces(blocks: Iterable[Block]) -> Iterator[Piece]:
    """The passages of a chapter. Each stands under one heading; those above it stand before it: ``Calls › Busy``."""
    trail: list[tuple[int, str]] = []
    held: list[Block] = []
    for block in blocks:
        if block.level:
            yield from _flushed(trail, held)
            trail = [each for each in trail if each[0] < block.level] + [(block.level, title_of(block.text))]
            continue
        for part in _parts(clean(block.text)):
            if length(_joined([*held, Block(part)])) > LETTERS:
                yield from _flushed(trail, held)
            held.append(Block(part, is_row=block.is_row))
    yield from _flushed(trail, held)


def length(text: str) -> int:
    """How long a text is, in letters."""
    return len(text) + (HAN_IN_LETTERS - 1) * len(_HAN.findall(text))


def _flushed(trail: list[tuple[int, str]], held: list[Block]) -> Iterator[Piece]:
    if held:
        yield Piece(" › ".join(text for _, text in trail if text), _joined(held))
        held.clear()


def _joined(blocks: list[Block]) -> str:
    """Paragraphs apart by an empty line, rows one below the other."""
    text = ""
    for before, block in zip([Block(""), *blocks], blocks, strict=False):
        text += ("" if not text else "\n" if before.is_row and block.is_row else "\n\n") + block.text
    return text


def _parts(text: str) -> Iterator[str]:
    """A block in parts that are not too long: cut between sentences, else between words, else anywhere."""
    if not text:
        return
    if length(text) <= LETTERS:
        yield text
        return
    begin = end = 0
    cuts = [found.end() for found in _END_OF_SENTENCE.finditer(text)] + [len(text)]
    for cut in cuts:
        if length(text[begin:cut]) > LETTERS and end > begin:
            yield from _cut(text[begin:end])
            begin = end
        end = cut
    yield from _cut(text[begin:])


def _cut(text: str) -> Iterator[str]:
    """A text without an end of a sentence, between words where it can be. Nobody writes so, and it may be 50 MB."""
    begin = 0
    while begin < len(text):
        window = text[begin : begin + LETTERS]
        if length(window) > LETTERS:
            window = window[: LETTERS // HAN_IN_LETTERS]
        if begin + len(window) < len(text):
            at = window.rfind(" ", len(window) // 2)
            window = window[:at] if at > 0 else window
        if window.strip():
            yield window.strip()
        begin += len(window)
