"""The books that somebody can read and ask: their own, and those that are everybody's."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from server.books.cpu import on_a_thread
from server.books.handbook_keeper import HandbookKeeper
from server.books.importing import BookImport
from server.books.indexes import Indexes
from server.books.model import HANDBOOK_ID, Book, Found, Passage
from server.books.tidying import TIDY_EVERY_S, Tidying
from server.books.uploads import Uploads
from server.clock import Clock
from server.errors import BadState, Forbidden, NotFound, Unavailable
from server.jobs import Job
from server.paths import docs_dir
from server.realtime.background import Background
from server.settings import BookSettings
from server.store.books import BookStore
from server.tasks.assembly import TaskArea
from server.tasks.tasks import Tasks

NO_SUCH_BOOK = "There is no such book"
CLEAN_EVERY_S = 3600.0
"""Files that are nobody's take room, and nothing else."""


class Page(NamedTuple):
    """Some books, and the ``before`` of the next page: ``None`` on the last."""

    items: list[Book]
    next: str | None


class Books:
    """The shelf: whoever asks for a book gets it if it is theirs, or everybody's."""

    def __init__(
        self,
        store: BookStore,
        handbook: HandbookKeeper,
        indexes: Indexes,
        uploads: Uploads,
        tidying: Tidying,
        tasks: Tasks,
        background: Background,
        clock: Clock,
    ) -> None:
        self._store = store
        self._handbook = handbook
        self._indexes = indexes
        self.uploads = uploads
        self._tidying = tidying
        self._tasks = tasks
        self._background = background
        self._clock = clock

    def jobs(self, sweep_interval_s: float) -> list[Job]:
        """What has to be done again and again; where sweeps are rarer than that, books wait for one, too."""
        return [
            Job("books", max(TIDY_EVERY_S, sweep_interval_s), self._tidying.tidy),
            Job("book_files", CLEAN_EVERY_S, self._tidying.clean),
        ]

    async def list_for(self, user_id: str) -> list[Book]:
        """Every book that person can read: the handbook, and then their own, newest first. Their chapters are without
        titles."""
        await self._handbook.settled()
        return await self._store.shelf(None) + await self._store.shelf(user_id)

    async def page(self, user_id: str, *, limit: int, before: str | None = None) -> Page:
        """The newest ``limit`` books of that person with ids below ``before``, as :meth:`list_for`; those that are
        everybody's stand before the first of them, besides."""
        await self._handbook.settled()
        own = await self._store.shelf(user_id, before=before, limit=limit + 1)
        everybodys = await self._store.shelf(None) if before is None else []
        return Page(everybodys + own[:limit], own[limit - 1].book_id if len(own) > limit else None)

    async def keep_handbook(self) -> None:
        """Brings the handbook of this version among everybody's books; raises :class:`~server.errors.Unavailable`."""
        await self._handbook.keep()

    async def get(self, book_id: str, user_id: str) -> Book:
        """The book, whatever its state; raises :class:`NotFound` also for somebody else's."""
        book = await self._stored(book_id)
        if not book.is_built_in and book.user_id != user_id:
            raise NotFound(NO_SUCH_BOOK)
        return book

    async def chapter(self, book_id: str, number: int, user_id: str) -> list[Passage]:
        """What stands in a chapter; raises :class:`NotFound`, and :class:`BadState` while the book is not ready."""
        book = await self.get(book_id, user_id)
        require_ready(book)
        if not 1 <= number <= len(book.chapters):
            raise NotFound("There is no such chapter")
        return await self._store.chapter(book, number)

    async def find(self, book_id: str, question: str, limit: int = 6) -> list[Found]:
        """The passages that have to do with ``question``, best first, at most ``limit``; none is an answer, too.

        Who may ask is the caller's question. Raises :class:`NotFound`, and :class:`BadState` while the book is not
        ready.
        """
        book = await self._stored(book_id)
        require_ready(book)
        index = await self._indexes.of(book)
        hits = await asyncio.to_thread(index.best, question, limit)
        passages = await self._store.passages(book, [hit.number for hit in hits])
        return [Found(passages[hit.number], hit.score, hit.coverage) for hit in hits if hit.number in passages]

    async def delete(self, book_id: str, user_id: str) -> None:
        """Removes a book for good; raises :class:`NotFound`, and :class:`Forbidden` for one that is everybody's."""
        book = await self.get(book_id, user_id)
        if book.is_built_in:
            raise Forbidden("This book is everybody's; it cannot be deleted")
        await self._store.remove(book_id, self._clock.now())
        self._forget(book_id)
        try:
            await self._stop_reading(book)
        except Unavailable:  # the book is gone all the same; the task is stopped when the database is back
            self._background.start(partial(self._stop_reading, book), "book")

    async def _stop_reading(self, book: Book) -> None:
        if book.state == "importing" and book.task_id is not None:
            with suppress(NotFound, BadState):  # it is over
                await self._tasks.cancel(book.task_id, book.user_id or "")

    async def remove_of(self, user_id: str) -> int:
        """Removes every book of that person; returns how many there were."""
        book_ids = await self._store.ids_of(user_id)
        for book_id in book_ids:
            await self._store.remove(book_id, self._clock.now())
            self._forget(book_id)
        return len(book_ids)

    def _forget(self, book_id: str) -> None:
        self._indexes.forget(book_id)
        self._background.start(partial(self._store.remove_content, book_id), "book")

    async def _stored(self, book_id: str) -> Book:
        if book_id == HANDBOOK_ID:
            await self._handbook.settled()
        book = await self._store.get(book_id)
        if book is None:
            raise NotFound(NO_SUCH_BOOK)
        return book


def open_shelf(
    store: BookStore, tasks: TaskArea, background: Background, clock: Clock, settings: BookSettings
) -> Books:
    """The books of a server, put together; makes the task known that reads them in."""
    tasks.kinds.register(BookImport(store, background, clock, settings))
    return Books(
        store,
        HandbookKeeper(store, on_a_thread, docs_dir(), clock),
        Indexes(store, on_a_thread, tasks.processes.run),
        Uploads(store, tasks.tasks, background, clock, settings),
        Tidying(store, tasks.tasks, clock),
        tasks.tasks,
        background,
        clock,
    )


def require_ready(book: Book) -> None:
    """Raises :class:`BadState` unless the book can be read and asked."""
    if book.state == "importing":
        raise BadState("This book is still being read in; wait until it is ready")
    if book.state == "failed":
        raise BadState("This book could not be read; there is nothing in it")
