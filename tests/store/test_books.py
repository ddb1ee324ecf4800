"""Books in MongoDB: what is stored comes back, one edition at a time, and goes whole."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tornado.ioloop import IOLoop

from server.store.books import BookStore
from server.store.driver import Database, Duplicate
from tests.books.shelf import passages, stored
from tests.clock import START
from tests.store.conftest import Plans

pytestmark = pytest.mark.gen_test


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> BookStore:
    store = BookStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


async def test_a_book_comes_back_as_it_was_stored(store: BookStore) -> None:
    given = await stored(store, author="A. N. Author", language="en", task_id="task")
    assert await store.get(given.book_id) == given
    assert await store.chapter(given, 2) == passages(given)[1:]
    assert await store.passages(given, [1, 3]) == {1: passages(given)[0]}


async def test_a_book_is_stored_once(store: BookStore) -> None:
    given = await stored(store)
    with pytest.raises(Duplicate):
        await store.insert(given)


async def test_somebodys_books_come_newest_first(store: BookStore) -> None:
    first, second = await stored(store), await stored(store)
    await stored(store, "bob")
    everybodys = await stored(store, None)
    assert await store.of("alice") == [second, first]
    assert await store.of(None) == [everybodys]
    assert await store.count_of("alice") == 2


async def test_passages_that_are_stored_twice_are_there_once(store: BookStore) -> None:
    given = await stored(store)
    await store.insert_passages(passages(given), given.edition)
    assert await store.all_passages(given, 0, 10) == passages(given)
    assert await store.all_passages(given, 1, 10) == passages(given)[1:]


async def test_another_edition_takes_the_place_of_the_one_that_is_known(store: BookStore) -> None:
    old = await stored(store)
    new = replace(old, edition="2", title="More drinks")
    await store.insert_passages(passages(new), "2")
    assert await store.get(old.book_id) == old
    assert await store.replace(new, "1")
    assert not await store.replace(new, "1")
    assert await store.remove_other_editions(old.book_id, "2") == 2
    assert await store.chapter(new, 1) == passages(new)[:1]
    assert await store.chapter(old, 1) == []


async def test_of_a_book_that_is_removed_nothing_stays(store: BookStore) -> None:
    given, other = await stored(store), await stored(store)
    file = store.new_file(given.book_id)
    await file.write(b"text")
    await file.close()
    assert await store.remove(given.book_id, START)
    assert not await store.remove(given.book_id, START)
    await store.remove_content(given.book_id)
    assert await store.all_passages(given, 0, 10) == []
    assert await store.file_ids(after="", before="z", limit=10) == []
    assert await store.there_among([given.book_id, other.book_id]) == {other.book_id}


async def test_what_stands_in_a_removed_book_is_known_until_it_is_gone(store: BookStore) -> None:
    given = await stored(store)
    await store.remove(given.book_id, START)
    assert await store.get(given.book_id) is None
    assert (await store.of("alice"), await store.of(None), await store.count_of("alice")) == ([], [], 0)
    assert await store.removed_before(START, 10) == []
    later = START + timedelta(seconds=1)
    assert await store.removed_before(later, 10) == [given.book_id]
    await store.clear(given.book_id)
    assert await store.removed_before(later, 10) == []
    assert await store.all_passages(given, 0, 10) == []


async def test_only_a_book_that_is_being_read_is_removed_with_its_task(store: BookStore) -> None:
    ready, importing = await stored(store), await stored(store, state="importing")
    assert not await store.remove_importing(ready.book_id, START)
    assert await store.remove_importing(importing.book_id, START)
    assert await store.of("alice") == [ready]


async def test_books_that_nothing_is_heard_of_are_found(store: BookStore) -> None:
    late = await stored(store, state="importing")
    await stored(store, state="importing", updated_at=START + timedelta(hours=2))
    await stored(store)
    assert await store.importing_before(START + timedelta(hours=1), 10) == [late]


async def test_whatever_is_asked_for_is_found_by_an_index(store: BookStore, plans: Plans) -> None:
    given = await stored(store)
    await store.of("alice")
    await store.shelf("alice", before=given.book_id, limit=10)
    await store.chapter(given, 1)
    await store.passages(given, [1, 2])
    await store.all_passages(given, 0, 10)
    await store.importing_before(START, 10)
    await store.removed_before(START, 10)
    assert [plan for plan in plans() if "COLLSCAN" in plan or "SORT" in plan] == []
