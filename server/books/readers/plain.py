"""Reads plain text: finds out how it is encoded, where paragraphs end, and what is the beginning of a chapter."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from charset_normalizer import from_bytes

from server.books.failures import Unreadable
from server.books.passages import Block, title_of
from server.books.readers.source import RawChapter

SAMPLE_BYTES = 64 * 1024
"""How much of a text is looked at to guess its encoding."""
WRAPPED_CHARACTERS = 100
"""A text whose lines are mostly shorter is broken into lines; paragraphs are then apart by empty ones."""

_NUMBER = "[0-9ivxlcdm]+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_CHAPTER = re.compile(
    rf"\s*(?:(?:chapter|part|book|canto|act|kapitel|chapitre)\s+(?:{_NUMBER})\b.{{0,80}}"
    "|第\\s*[\u3007零一二三四五六七八九十百千两0-9]+\\s*[章回节卷部篇集].{0,60})\\s*",
    re.IGNORECASE,
)
_HAN_END = re.compile("[\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]$")


class TextSource:
    """A plain text as a book."""

    title: str | None = None
    author: str | None = None
    language: str | None = None

    def __init__(self, text: str) -> None:
        self._chapters = list(_chapters(list(paragraphs(text))))
        self.places = len(self._chapters)

    def chapters(self, start: int) -> Iterator[RawChapter]:
        """See :class:`~server.books.readers.source.Source`."""
        yield from self._chapters[start:]


def decoded(content: bytes) -> str:
    """``content`` as text: Unicode if it says so or is nothing else, else what it is most like (GB 18030, Big5,
    Windows' Latin …)."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode(_guess(content), "replace")


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a text, whose lines may be broken or not."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    written = [line for line in lines if line]
    is_wrapped = "" in lines[:-1] and sum(len(line) < WRAPPED_CHARACTERS for line in written) > 0.9 * len(written)
    if not is_wrapped:
        yield from written
        return
    held: list[str] = []
    for line in [*lines, ""]:
        if line and not _CHAPTER.fullmatch(line):
            held.append(line.strip())
            continue
        if held:
            yield _unwrapped(held)
            held = []
        if line:
            yield line.strip()


def unwrapped(text: str) -> list[str]:
    """The paragraphs of a piece of text as they come out of a page: lines that go on belong together."""
    return list(paragraphs(text + "\n\n"))


def _unwrapped(lines: list[str]) -> str:
    text = lines[0]
    for line in lines[1:]:
        if text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower():
            text = text[:-1] + line  # a word that was broken at the end of a line
        else:
            text += ("" if _HAN_END.search(text) else " ") + line
    return text


def _guess(content: bytes) -> str:
    sample = content[:SAMPLE_BYTES]
    if len(sample) < len(content):  # in no encoding is the end of a line in the middle of a character
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    decoder = codecs.getincrementaldecoder("gb18030")()
    try:
        # Chinese first: of the encodings that are no Unicode it is the one that is really met with.
        decoder.decode(sample)
        half, _ = decoder.getstate()  # of the character in which one endless line is cut; of Big5 it is the same
        sample = sample[: len(sample) - len(half)]
        likely = ["gb18030", "big5"]
    except UnicodeDecodeError:
        likely = []
    best = from_bytes(sample, cp_isolation=[*likely, "cp1252", "cp1251", "shift_jis", "euc_kr", "big5"]).best()
    if best is None:
        raise Unreadable("unreadable")
    return best.encoding


def _chapters(found: list[str]) -> Iterator[RawChapter]:
    beginnings = sum(_CHAPTER.fullmatch(paragraph) is not None for paragraph in found)
    place, title, held = 0, "", list[Block]()
    for paragraph in found:
        if beginnings > 1 and _CHAPTER.fullmatch(paragraph):
            if held:
                yield RawChapter(place, title, held)
                place += 1
            title, held = title_of(paragraph), []
        else:
            held.append(Block(paragraph))
    if held:
        yield RawChapter(place, title, held)
