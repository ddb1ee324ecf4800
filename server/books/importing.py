"""The kind of task that reads a book in: part by part, in a process with little memory and time, so that whatever was
sent can do no more than fail."""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from server.books.failures import Unreadable, sentence_of
from server.books.model import Book, Chapter, Passage
from server.books.reading import Part, read_part
from server.clock import Clock
from server.errors import BadRequest, NotFound
from server.languages.sentences import N_
from server.realtime.background import Background
from server.realtime.frames import UserRef
from server.settings import BookSettings
from server.store.books import BookStore
from server.store.driver import NoSuchFile
from server.tasks.endings import Retry, TaskFailed
from server.tasks.work import Work

BOOK_IMPORT = "book_import"
STAGES = ("read", "finish")
DEADLINE_S = 3600.0
PART_WITHIN_S = 300.0
"""For one part of a book; an honest one takes seconds, on a machine that is busy with calls."""
MAX_CHAPTERS = 2_000
READ_SHARE = 0.95
"""How much of the bar is reading."""


class ImportParams(msgspec.Struct, forbid_unknown_fields=True):
    """What the task is given."""

    book_id: str


class PartResult(msgspec.Struct):
    """What is kept of a part that was read: its chapters, and where the next one begins."""

    chapters: list[Chapter]
    next_place: int | None
    done: float
    characters: int
    title: str | None
    author: str | None
    language: str | None


class BookImport:
    """Reads an uploaded file: ``{book_id}`` → ``{book_id, title, url}``."""

    name = BOOK_IMPORT
    stages = STAGES
    deadline_s = DEADLINE_S

    def __init__(self, store: BookStore, background: Background, clock: Clock, settings: BookSettings) -> None:
        self._store = store
        self._background = background
        self._clock = clock
        self._settings = settings

    def title(self, params: dict[str, Any]) -> str:
        """See :class:`server.tasks.kinds.Kind`."""
        return N_("Reading a book in")

    async def check(self, params: dict[str, Any], user: UserRef) -> dict[str, Any]:
        """See :class:`server.tasks.kinds.Kind`: the book is this person's, and not read yet."""
        try:
            given = msgspec.convert(params, ImportParams)
        except msgspec.ValidationError:
            raise BadRequest.of("params", N_("only book_id, the id of a book")) from None
        book = await self._store.get(given.book_id)
        if book is None or book.user_id != user.id:
            raise NotFound("There is no such book")
        if book.state != "importing":
            raise BadRequest.of("book_id", N_("a book that is not read in yet"))
        return {"book_id": book.book_id}

    async def run(self, work: Work) -> dict[str, Any]:
        """See :class:`server.tasks.kinds.Kind`."""
        book = await self._store.get(work.params["book_id"])
        if book is None:
            raise gone()
        if book.state == "failed":
            raise failed(book.failure)
        if book.task_id is None:  # whoever took the book in could not say so
            await self._store.set_task(book.book_id, work.task.task_id)
        try:
            if book.state == "importing":
                await self._read(work, book)
        except Unreadable as unreadable:
            # Of a book that was read meanwhile, as by another task, everything stays.
            if await self._store.set_failed(book.book_id, unreadable.code, self._clock.now()):
                self._background.start(partial(self._store.remove_content, book.book_id), "book")
            raise failed(unreadable.code) from None
        return await self._ready(work, book.book_id)

    async def _read(self, work: Work, book: Book) -> None:
        parts: list[PartResult] = []
        with tempfile.TemporaryDirectory(prefix="ringback-book-") as folder:
            file = Path(folder, "book")
            place: int | None = 0
            while place is not None:
                part = await self._part(work, book, file, place, parts)
                parts.append(part)
                await self._tell(work, part)
                place = part.next_place
        await work.step("ready", partial(self._finish, book, parts))

    async def _ready(self, work: Work, book_id: str) -> dict[str, Any]:
        """Says what the book has become, which need not be what this task has made of it."""
        book = await self._store.get(book_id)
        if book is None:
            raise gone()
        if book.state != "ready":
            raise failed(book.failure)
        await self._store.remove_file(book_id)
        await work.progress(1.0, "finish", "book_ready", "The book is ready: %(title)s", title=book.title)
        return {"book_id": book_id, "title": book.title, "url": f"/books/{book_id}"}

    async def _part(self, work: Work, book: Book, file: Path, place: int, before: list[PartResult]) -> PartResult:
        async def make() -> Any:
            await self._fetch(book, file)
            part = await self._in_time(work, file, book, place)
            return msgspec.to_builtins(await self._store_part(book, part, before))

        try:
            result = msgspec.convert(await work.step(f"part {place}", make), PartResult)
        except Retry:  # its process was killed again and again
            raise Unreadable("too_costly") from None
        if sum(part.characters for part in [*before, result]) > self._settings.max_characters:
            raise Unreadable("too_much_text")
        if sum(len(part.chapters) for part in [*before, result]) > MAX_CHAPTERS:
            raise Unreadable("too_much_text")
        return result

    async def _fetch(self, book: Book, file: Path) -> None:
        """Brings the file to this machine, if it is not there from the part before."""
        if file.exists():
            return
        whole = file.with_suffix(".part")
        try:
            with whole.open("wb") as out:
                async for piece in self._store.read_file(book.book_id, book.size_bytes):
                    out.write(piece)
        except NoSuchFile:
            raise gone() from None
        whole.rename(file)

    async def _in_time(self, work: Work, file: Path, book: Book, place: int) -> Part:
        try:
            async with asyncio.timeout(PART_WITHIN_S):
                return await work.cpu(read_part, str(file), book.format, place, self._settings.max_characters)
        except TimeoutError:
            raise Unreadable("too_costly") from None
        except Retry:
            raise
        except TaskFailed:  # it needs more memory than it may have
            raise Unreadable("too_costly") from None

    async def _store_part(self, book: Book, part: Part, before: list[PartResult]) -> PartResult:
        """Stores what was read. The same part has the same numbers each time, so twice is once."""
        known = [chapter for each in before for chapter in each.chapters]
        number = sum(chapter.passages for chapter in known)
        chapters: list[Chapter] = []
        passages: list[Passage] = []
        for chapter_number, chapter in enumerate(part.chapters, len(known) + 1):
            chapters.append(Chapter(chapter_number, chapter.title, len(chapter.pieces)))
            for piece in chapter.pieces:
                number += 1
                passages.append(
                    Passage(
                        passage_id=f"{book.book_id}.{book.edition}.{number}",
                        book_id=book.book_id,
                        number=number,
                        chapter=chapter_number,
                        chapter_title=chapter.title,
                        heading=piece.heading,
                        text=piece.text,
                    )
                )
        characters = sum(len(passage.text) for passage in passages)
        if sum(each.characters for each in before) + characters <= self._settings.max_characters:
            await self._store.insert_passages(passages, book.edition)
            if await self._store.get(book.book_id) is None:
                await self._store.remove_content(book.book_id)
                raise gone()
        return PartResult(chapters, part.next_place, part.done, characters, part.title, part.author, part.language)

    async def _tell(self, work: Work, part: PartResult) -> None:
        for chapter in part.chapters:
            await work.progress(
                READ_SHARE * part.done,
                "read",
                "chapter_read",
                "Chapter %(number)s was read: %(title)s" if chapter.title else "Chapter %(number)s was read",
                number=chapter.number,
                title=chapter.title,
            )

    async def _finish(self, book: Book, parts: list[PartResult]) -> Any:
        chapters = [chapter for part in parts for chapter in part.chapters]
        if not chapters:
            raise Unreadable("no_text")
        about = parts[0]
        await self._store.set_ready(
            book.book_id, about.title or book.title, about.author, about.language, chapters, self._clock.now()
        )
        return {"chapters": len(chapters)}


def gone() -> TaskFailed:
    """There is no book any more."""
    return TaskFailed("book_gone", "The book was deleted before it was read")


def failed(code: str | None) -> TaskFailed:
    """The book cannot be read; ``code`` is one of :data:`~server.books.failures.FAILURES`."""
    code = code or "interrupted"
    return TaskFailed(code, sentence_of(code))
