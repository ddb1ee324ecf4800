"""Reads a file into passages, some chapters at a time. Runs in a process of its own, with little memory and time: what
a stranger sent may be made to use up both."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import NamedTuple

from server.books.failures import Unreadable
from server.books.model import Format
from server.books.passages import Piece, length, pieces
from server.books.readers.source import RawChapter, Source

PART_LETTERS = 1_000_000
"""How much is read in one go at least, if there is so much: some seconds of work."""
CHAPTER_PIECES = 150
"""A longer chapter goes on in another one of the same title: nobody scrolls through a thousand passages."""


class ReadChapter(NamedTuple):
    """A chapter as it is stored; there is something in it."""

    title: str
    pieces: list[Piece]


class Part(NamedTuple):
    """Some chapters of a book. ``next_place`` is where reading goes on, ``None`` at the end; ``done`` is how much of
    the book was read by then, from 0 to 1."""

    title: str | None
    author: str | None
    language: str | None
    chapters: list[ReadChapter]
    next_place: int | None
    done: float


def read_part(path: str, form: Format, start: int, max_characters: int) -> Part:
    """The chapters of the file from the place ``start`` on, at most ``max_characters`` of text; raises
    :class:`Unreadable`, and nothing else for whatever stands in it."""
    try:
        return _read_part(path, form, start, max_characters)
    except Unreadable:
        raise
    except (MemoryError, RecursionError):
        raise Unreadable("too_costly") from None
    except Exception:  # readers are many thousand lines of others, and files are made to find what those overlooked
        raise Unreadable("unreadable") from None


def _read_part(path: str, form: Format, start: int, max_characters: int) -> Part:
    source = opened(path, form)
    read: list[ReadChapter] = []
    letters, next_place = 0, None
    for chapter in source.chapters(start):
        if letters >= PART_LETTERS:
            next_place = chapter.place
            break
        if letters + sum(len(block.text) for block in chapter.blocks) > max_characters:
            raise Unreadable("too_much_text")
        for part in _chapters(chapter):
            read.append(part)
            letters += sum(length(piece.text) for piece in part.pieces)
    done = 1.0 if next_place is None else next_place / max(1, source.places)
    return Part(source.title, source.author, source.language, read, next_place, done)


def opened(path: str, form: Format) -> Source:
    """The file, ready to be read. A reader is loaded when it is needed: each brings a library."""
    if form == "pdf":
        from server.books.readers.pdf import PdfSource

        return PdfSource(path)
    if form == "epub":
        from server.books.readers.epub import EpubSource

        return EpubSource(path)
    from server.books.readers.plain import TextSource, decoded

    text = decoded(Path(path).read_bytes())
    if form == "markdown":
        from server.books.readers.markdown import MarkdownSource

        return MarkdownSource(text)
    return TextSource(text)


def _chapters(chapter: RawChapter) -> list[ReadChapter]:
    found = iter(pieces(chapter.blocks))
    parts: list[ReadChapter] = []
    while batch := list(islice(found, CHAPTER_PIECES)):
        title = chapter.title if not parts else f"{chapter.title} ({len(parts) + 1})".strip()
        parts.append(ReadChapter(title, batch))
    return parts
