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

MAX_BYTES = 256 * 1024**2
"""Of all indexes that are kept; the book that was not asked for the longest goes first. One is kept however large it
is: that of the largest Chinese book takes some 100 MB."""
MAKING_AT_ONCE = 2
"""Each has the text of a whole book in memory meanwhile."""
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
        self._kept: OrderedDict[tuple[str, str], Index] = OrderedDict()
        self._places = asyncio.Semaphore(MAKING_AT_ONCE)

    async def of(self, book: Book) -> Index:
        """The index of that book; raises :class:`~server.errors.Unavailable` while the database is away, and
        :class:`IndexNotMade`, which does not go by."""
        key = (book.book_id, book.edition)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._make(book))
            task.add_done_callback(lambda done: self._made(book, done))
        return await asyncio.shield(task)  # whoever asked first may be gone before those who wait with them

    async def _make(self, book: Book) -> Index:
        async with self._places:
            return await self._build(book)

    async def _build(self, book: Book) -> Index:
        # numpy, which a server that nobody asks does without, and which takes a third of a second to come
        index_module = await asyncio.to_thread(importlib.import_module, "server.books.index")
        texts: list[Text] = []
        while passages := await self._store.all_passages(book, texts[-1].number if texts else 0, AT_A_TIME):
            texts += [index_module.Text(each.number, each.chapter_title, each.heading, each.text) for each in passages]
        try:
            index: Index
            if len(texts) <= SMALL_PASSAGES:
                index = await self._thread(index_module.build, texts)
            else:
                packed = await asyncio.to_thread(index_module.packed, texts)
                index = await self._process(index_module.build_packed, packed)
        except TaskFailed as failure:
            log.warning("index_not_made", why=failure.code, passages=len(texts))
            raise IndexNotMade() from None
        return index

    def _made(self, book: Book, task: asyncio.Task[Index]) -> None:
        key = (book.book_id, book.edition)
        is_failed = task.cancelled() or task.exception() is not None
        if self._making.get(key) is not task:
            return  # it was forgotten meanwhile
        del self._making[key]
        if is_failed:
            return
        self._drop(book.book_id)
        self._kept[key] = task.result()
        while len(self._kept) > 1 and sum(index.size_bytes for index in self._kept.values()) > MAX_BYTES:
            self._kept.popitem(last=False)

    def forget(self, book_id: str) -> None:
        """The book is gone; an index of it that is just being made is not kept."""
        self._drop(book_id)
        for key in [key for key in self._making if key[0] == book_id]:
            del self._making[key]

    def _drop(self, book_id: str) -> None:
        for key in [key for key in self._kept if key[0] == book_id]:
            del self._kept[key]
