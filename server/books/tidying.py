"""Puts books right whose reading ended without a word: cancelled, past its deadline, or never begun."""

from __future__ import annotations

from datetime import timedelta

from server.books.model import Book
from server.clock import Clock
from server.errors import NotFound
from server.ids import lowest_id_at
from server.log import get_logger
from server.store.books import BookStore
from server.tasks.model import Task
from server.tasks.tasks import Tasks

log = get_logger("books")

TIDY_EVERY_S = 10.0
"""How soon a book goes whose reading was cancelled."""
SILENT_S = 5.0
"""A book that was just begun, or whose end is just being written, is left alone."""
BEGIN_WITHIN_S = 600.0
"""A book without a task this long after it came lost its server between the two."""
UPLOAD_WITHIN_S = 6 * 3600.0
"""A file this old without a book is nobody's: no upload takes that long."""
CLEAR_AFTER_S = 60.0
"""What stands in a removed book goes at once, and then once more: a server may be killed in between, and what was just
being written may come later, as long as an operation of the database may take at most."""
AT_A_TIME = 100


class Tidying:
    """Looks after books that are being read, and files that are nobody's."""

    def __init__(self, store: BookStore, tasks: Tasks, clock: Clock) -> None:
        self._store = store
        self._tasks = tasks
        self._clock = clock

    async def tidy(self) -> int:
        """Settles what is not settled yet, and clears books that were removed; returns how many books were settled.
        Doing it twice changes nothing."""
        settled = 0
        silent_since = self._clock.now() - timedelta(seconds=SILENT_S)
        for book in await self._store.importing_before(silent_since, AT_A_TIME):
            settled += await self._settle(book)
        removed_before = self._clock.now() - timedelta(seconds=CLEAR_AFTER_S)
        for book_id in await self._store.removed_before(removed_before, AT_A_TIME):
            await self._store.clear(book_id)
        return settled

    async def _settle(self, book: Book) -> bool:
        """Settles the book if it is still being read: ``book`` is how it was a while ago, and may be ready by now."""
        now = self._clock.now()
        task = await self._task_of(book)
        if task is None:
            if book.task_id is None and book.created_at + timedelta(seconds=BEGIN_WITHIN_S) > now:
                return False
        elif not task.is_over or task.state == "completed":  # it ended after the book was looked up
            return False
        elif task.state == "cancelled":
            is_settled = await self._store.remove_importing(book.book_id, now)
            if is_settled:
                await self._store.remove_content(book.book_id)
            return is_settled
        code = (
            "too_costly" if task is not None and task.error and task.error.code == "deadline_passed" else "interrupted"
        )
        is_settled = await self._store.set_failed(book.book_id, code, now)
        if is_settled:
            await self._store.remove_content(book.book_id)
        return is_settled

    async def _task_of(self, book: Book) -> Task | None:
        if book.task_id is None:
            return None
        try:
            return await self._tasks.load(book.task_id)
        except NotFound:
            return None

    async def clean(self) -> int:
        """Removes files that belong to no book; returns how many that were."""
        before = lowest_id_at(self._clock.now() - timedelta(seconds=UPLOAD_WITHIN_S))
        after, removed = "", 0
        while ids := await self._store.file_ids(after=after, before=before, limit=AT_A_TIME):
            after = ids[-1]
            there = await self._store.there_among(ids)
            for orphan in [each for each in ids if each not in there]:
                await self._store.remove_content(orphan)
                removed += 1
        if removed:
            log.info("book_files_removed", count=removed)
        return removed
