"""The indexes that are kept: made once for all who ask, given up when there are too many, and an own failure where none
can be made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from server.books import indexes as kept
from server.books.cpu import on_a_thread
from server.books.indexes import Indexes, IndexNotMade
from server.store.books import BookStore
from server.store.driver import Database
from server.tasks.endings import Retry, TaskFailed
from tests.books.shelf import stored

pytestmark = pytest.mark.gen_test


class Maker:
    """Makes indexes on a thread, and counts them. ``hold``: none is finished before it is set."""

    def __init__(self) -> None:
        self.made = 0
        self.hold: asyncio.Event | None = None
        self.failure: Exception | None = None

    async def __call__(self, function: Callable[..., Any], *args: Any) -> Any:
        self.made += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.failure is not None:
            raise self.failure
        return await on_a_thread(function, *args)


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> BookStore:
    store = BookStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


@pytest.fixture
def indexes(store: BookStore, maker: Maker) -> Indexes:
    return Indexes(store, maker, maker)


async def test_an_index_is_made_when_it_is_asked_for_and_kept(store: BookStore, indexes: Indexes, maker: Maker) -> None:
    book = await stored(store)
    index = await indexes.of(book)
    assert [hit.number for hit in index.best("leaves", 5)] == [1]
    assert await indexes.of(book) is index
    assert maker.made == 1


async def test_who_asks_at_the_same_time_waits_for_the_same_index(
    store: BookStore, indexes: Indexes, maker: Maker
) -> None:
    book = await stored(store)
    maker.hold = asyncio.Event()
    first, second = asyncio.ensure_future(indexes.of(book)), asyncio.ensure_future(indexes.of(book))
    await asyncio.sleep(0)
    first.cancel()  # whoever was first is gone; the other one is not left alone
    maker.hold.set()
    assert [hit.number for hit in (await second).best("leaves", 5)] == [1]
    assert maker.made == 1


@pytest.mark.parametrize(
    "failure", [TaskFailed("out_of_memory", ""), Retry("worker_killed", "")], ids=["memory", "killed"]
)
async def test_an_index_that_cannot_be_made_is_no_database_that_is_away(
    store: BookStore, indexes: Indexes, maker: Maker, failure: Exception
) -> None:
    book = await stored(store)
    maker.failure = failure
    with pytest.raises(IndexNotMade) as refusal:
        await indexes.of(book)
    assert refusal.value.code == "book_not_searchable"
    maker.failure = None
    assert (await indexes.of(book)).best("leaves", 5)  # it is tried again when somebody asks again


async def test_a_book_that_is_forgotten_is_read_again(store: BookStore, indexes: Indexes, maker: Maker) -> None:
    book, other = await stored(store), await stored(store)
    await indexes.of(book)
    await indexes.of(other)
    indexes.forget(book.book_id)
    await indexes.of(other)
    assert maker.made == 2
    await indexes.of(book)
    assert maker.made == 3


async def test_the_book_that_was_not_asked_for_the_longest_goes_first(
    store: BookStore, indexes: Indexes, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = await stored(store), await stored(store), await stored(store)
    monkeypatch.setattr(kept, "MAX_BYTES", 2 * (await indexes.of(first)).size_bytes)
    for book in (first, second, first, third):
        await indexes.of(book)
    assert maker.made == 3
    await indexes.of(first)
    assert maker.made == 3
    await indexes.of(second)
    assert maker.made == 4


async def test_the_index_of_a_book_that_goes_while_it_is_made_is_not_kept(
    store: BookStore, indexes: Indexes, maker: Maker
) -> None:
    book = await stored(store)
    maker.hold = asyncio.Event()
    asked = asyncio.ensure_future(indexes.of(book))
    await asyncio.sleep(0)
    indexes.forget(book.book_id)
    maker.hold.set()
    assert (await asked).best("leaves", 5)
    await indexes.of(book)
    assert maker.made == 2


async def test_what_a_large_book_takes_is_made_elsewhere_and_finds_the_same(
    store: BookStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = await stored(store)
    monkeypatch.setattr(kept, "SMALL_PASSAGES", 1)
    thread, process = Maker(), Maker()
    index = await Indexes(store, thread, process).of(book)
    assert (thread.made, process.made) == (0, 1)
    assert [hit.number for hit in index.best("brewed", 5)] == [2]


async def test_no_more_books_are_in_memory_at_once_than_can_be_indexed(
    store: BookStore, indexes: Indexes, maker: Maker
) -> None:
    books = [await stored(store) for _ in range(kept.MAKING_AT_ONCE + 1)]
    maker.hold = asyncio.Event()
    asked = [asyncio.ensure_future(indexes.of(book)) for book in books]
    while maker.made < kept.MAKING_AT_ONCE:
        await asyncio.sleep(0.01)
    assert indexes._places.locked()
    assert maker.made == kept.MAKING_AT_ONCE
    maker.hold.set()
    assert all([index.best("leaves", 5) for index in await asyncio.gather(*asked)])
    assert maker.made == len(books)
