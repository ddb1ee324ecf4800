"""What a book is: chapters of passages, and how it looks on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from server.books.failures import sentence_of
from server.languages.sentences import Translate, said
from server.wire import rfc3339

Format = Literal["markdown", "text", "epub", "pdf"]
State = Literal["importing", "ready", "failed"]

HANDBOOK_ID = "01900000-0000-7000-8000-68616e64626b"
"""Ringback's own handbook, on every server: a UUIDv7 whose end reads «handbk» in ASCII."""


class Chapter(msgspec.Struct, frozen=True):
    """A chapter: its number from 1, its title, and how many passages it has."""

    number: int
    title: str
    passages: int


class Book(msgspec.Struct, frozen=True):
    """A book; ``user_id`` is whose it is, ``None`` for those that are everybody's.

    ``edition`` names the passages that count now: those of another edition are on their way in, or out. ``failure``
    is a code of :mod:`server.books.failures`.
    """

    book_id: str
    user_id: str | None
    title: str
    format: Format
    size_bytes: int
    state: State
    edition: str
    created_at: datetime
    updated_at: datetime
    author: str | None = None
    language: str | None = None
    chapters: tuple[Chapter, ...] = ()
    task_id: str | None = None
    failure: str | None = None

    @property
    def is_built_in(self) -> bool:
        """Whether it came with Ringback."""
        return self.user_id is None

    @property
    def passages(self) -> int:
        """How many passages it has."""
        return sum(chapter.passages for chapter in self.chapters)


class Passage(msgspec.Struct, frozen=True):
    """A piece of a book that can be quoted: ``number`` counts from 1 through the whole book, ``heading`` is under what
    it stands in its chapter (empty where there is nothing), ``text`` is plain text, paragraphs apart by empty lines."""

    passage_id: str
    book_id: str
    number: int
    chapter: int
    chapter_title: str
    heading: str
    text: str

    @property
    def path(self) -> str:
        """Where it is read: the address of its page, with its place on it."""
        return f"/books/{self.book_id}?chapter={self.chapter}#p{self.number}"


class Found(NamedTuple):
    """A passage that was found for a question. ``score`` is BM25's, comparable within one answer; ``coverage`` is how
    much of the question stands in it, from 0 to 1, rare words counting more."""

    passage: Passage
    score: float
    coverage: float


def book_view(book: Book, translate: Translate = str) -> dict[str, Any]:
    """The book as the wire has it (``docs/protocol.md``, «Books»); what it says is in the language of ``translate``."""
    return {
        "book_id": book.book_id,
        "title": said(book.title, translate) if book.is_built_in else book.title,
        "author": book.author,
        "language": book.language,
        "format": book.format,
        "size_bytes": book.size_bytes,
        "built_in": book.is_built_in,
        "state": book.state,
        "error": None
        if book.failure is None
        else {"code": book.failure, "message": said(sentence_of(book.failure), translate)},
        "chapters": [
            {"number": chapter.number, "title": chapter.title, "passages": chapter.passages}
            for chapter in book.chapters
        ],
        "chapter_count": len(book.chapters),
        "passages": book.passages,
        "task_id": book.task_id,
        "created_at": rfc3339(book.created_at),
    }


def book_brief(book: Book, translate: Translate = str) -> dict[str, Any]:
    """As :func:`book_view`, without its chapters: how it stands in a list."""
    view = book_view(book, translate)
    del view["chapters"]
    return view


def passage_view(passage: Passage) -> dict[str, Any]:
    """The passage as the wire has it."""
    return {
        "passage_id": passage.passage_id,
        "number": passage.number,
        "heading": passage.heading,
        "text": passage.text,
    }
