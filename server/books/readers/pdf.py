"""Reads the text of PDF by pypdf, which is Python alone: a file that is made to harm meets no memory to overwrite."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from server.books.failures import Unreadable
from server.books.passages import Block, title_of
from server.books.readers.plain import unwrapped
from server.books.readers.source import RawChapter

PAGES_IN_A_CHAPTER = 20
"""Where a file has no table of contents."""
MAX_PAGES = 10_000
MAX_ENTRIES = 1_000
"""Of a table of contents."""
OF_A_BROKEN_PAGE = (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError)
"""What pypdf raises for pages that do not keep to the standard: such a page is left out."""

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it says of a file is not for our log


class Range(NamedTuple):
    """A chapter: its title, and its pages from ``first`` up to and without ``end``, counted from 0."""

    title: str
    first: int
    end: int


class PdfSource:
    """A PDF as a book: a chapter for each entry of its table of contents, else for each twenty pages."""

    def __init__(self, path: str) -> None:
        try:
            self._reader = PdfReader(path)
            if self._reader.is_encrypted and not self._reader.decrypt(""):
                raise Unreadable("encrypted")
            pages = len(self._reader.pages)
        except OF_A_BROKEN_PAGE:
            raise Unreadable("unreadable") from None
        if pages > MAX_PAGES:
            raise Unreadable("too_costly")
        self.title = self._said("/Title")
        self.author = self._said("/Author")
        self.language = self._language()
        self._ranges = _ranges(self._entries(), pages)
        self.places = len(self._ranges)

    def chapters(self, start: int) -> Iterator[RawChapter]:
        """See :class:`~server.books.readers.source.Source`."""
        for place, each in enumerate(self._ranges[start:], start):
            blocks = [block for page in range(each.first, each.end) for block in self._page(page)]
            yield RawChapter(place, each.title, blocks)

    def _page(self, page: int) -> Iterator[Block]:
        try:
            text = self._reader.pages[page].extract_text()
        except OF_A_BROKEN_PAGE:
            return
        found = unwrapped(text)
        if found:
            yield Block(f"p. {page + 1}", 6)
            yield from map(Block, found)

    def _said(self, key: str) -> str | None:
        try:
            metadata: Any = self._reader.metadata or {}
            given = metadata.get(key)
        except OF_A_BROKEN_PAGE:
            return None
        return title_of(given) or None if isinstance(given, str) else None

    def _language(self) -> str | None:
        try:
            given = self._reader.root_object.get("/Lang")
        except OF_A_BROKEN_PAGE:
            return None
        return title_of(given) or None if isinstance(given, str) else None

    def _entries(self) -> list[tuple[str, int]]:
        """The title and page of each entry of the highest level of which there are several."""
        try:
            level: Any = self._reader.outline
            while len(level) == 2 and isinstance(level[1], list):  # one entry, with what stands below it
                level = level[1]
            found = [entry for entry in level[:MAX_ENTRIES] if not isinstance(entry, list)]
            return [
                (title_of(str(entry.title)), page)
                for entry in found
                if (page := self._reader.get_destination_page_number(entry)) is not None and page >= 0
            ]
        except OF_A_BROKEN_PAGE:
            return []


def _ranges(entries: list[tuple[str, int]], pages: int) -> list[Range]:
    begins = sorted({page: title for title, page in reversed(entries) if page < pages}.items())
    if len(begins) < 2:
        firsts = range(0, pages, PAGES_IN_A_CHAPTER)
        ends = [min(first + PAGES_IN_A_CHAPTER, pages) for first in firsts]
        return [Range(f"pp. {first + 1}–{end}", first, end) for first, end in zip(firsts, ends, strict=True)]
    if begins[0][0] > 0:
        begins.insert(0, (0, ""))
    ends = [*(page for page, _ in begins[1:]), pages]
    return [Range(title, first, end) for (first, title), end in zip(begins, ends, strict=True)]
