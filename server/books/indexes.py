"""The indexes of the books that are being asked about: made when the first question comes, and kept while they are
used."""

from __future__ import annotations

import asyncio
import importlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from server.books.cpu import Cpu
from server.books.model import Book
from server.languages.sentences import N_
from server.log import get_logger
from server.store.books import BookStore
from server.tasks.endings import TaskFailed

if TYPE_CHECKING:
    from server.books.index import Index, Text

log = get_logger("books")

MAX_PASSAGES = 100_000
"""Of all books together whose index is kept, some 100 MB; the one that was not asked for the longest goes first."""
SMALL_PASSAGES = 1_000
"""A book as large as the handbook is indexed in a quarter of a second, on a thread: a process would take as long to
start."""
AT_A_TIME = 2_000
"""Passages read with one request, 2 MB of text: each is an operation with a deadline."""


class IndexNotMade(TaskFailed):
    """The index of a book takes more memory than may be had for it. To try again at once would end the same."""

    def __init__(self) -> None:
        super().__init__(
            "book_not_searchable",
            N_("The server could not prepare this book for searching; it may be too large for this server."),
        )


class Indexes:
    """Indexes by book and edition. Two who ask at once wait for the same one."""

    def __init__(self, store: BookStore, thread: Cpu, process: Cpu) -> None:
        self._store = store
        self._thread = thread
        self._process = process
        self._making: dict[tuple[str, str], asyncio.Task[Index]] = {}
        self._kept: OrderedDict[tuple[str, str], tuple[Index, int]] = OrderedDict()

    async def of(self, book: Book) -> Index:
        """The index of that book; raises :class:`~server.errors.Unavailable` while the database is away, and
        :class:`IndexNotMade`, which does not go by."""
        key = (book.book_id, book.edition)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._make(book))
            task.add_done_callback(lambda done: self._made(book, done))
        return await asyncio.shield(task)  # whoever asked first may be gone before those who wait with them

    async def _make(self, book: Book) -> Index:
        # numpy, which a server that nobody asks does without, and which takes a third of a second to come
        index_module = await asyncio.to_thread(importlib.import_module, "server.books.index")
        texts: list[Text] = []
        while passages := await self._store.all_passages(book, texts[-1].number if texts else 0, AT_A_TIME):
            texts += [index_module.Text(each.number, each.chapter_title, each.heading, each.text) for each in passages]
        cpu = self._thread if len(texts) <= SMALL_PASSAGES else self._process
        try:
            index: Index = await cpu(index_module.build, texts)
        except TaskFailed as failure:
            log.warning("index_not_made", why=failure.code, passages=len(texts))
            raise IndexNotMade() from None
        return index

    def _made(self, book: Book, task: asyncio.Task[Index]) -> None:
        key = (book.book_id, book.edition)
        del self._making[key]
        if task.cancelled() or task.exception() is not None:
            return
        self.forget(book.book_id)
        self._kept[key] = (task.result(), book.passages)
        while len(self._kept) > 1 and sum(passages for _, passages in self._kept.values()) > MAX_PASSAGES:
            self._kept.popitem(last=False)

    def forget(self, book_id: str) -> None:
        """The book is gone, or another edition of it has come."""
        for key in [key for key in self._kept if key[0] == book_id]:
            del self._kept[key]
