"""What a reader makes of a file: a book whose chapters are read one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from server.books.passages import Block


class RawChapter(NamedTuple):
    """A chapter: its place in the file (from 0, with gaps where there is nothing to read), its title, its blocks."""

    place: int
    title: str
    blocks: list[Block]


class Source(Protocol):
    """A book that is being read. Whatever cannot be read raises :class:`~server.books.failures.Unreadable`."""

    title: str | None
    author: str | None
    language: str | None
    places: int
    """How many places there are in it; each may hold a chapter."""

    def chapters(self, start: int) -> Iterator[RawChapter]:
        """The chapters from that place on; those before it cost little."""
        ...
