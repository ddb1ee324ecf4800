"""The handbook: the documents as a book, brought into the database once and again after an update."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from server.books import handbook
from server.books.cpu import on_a_thread
from server.books.handbook_keeper import HandbookKeeper
from server.books.model import HANDBOOK_ID, Book, Chapter
from server.clock import SystemClock
from server.ids import is_id
from server.paths import docs_dir
from server.store.books import BookStore
from server.store.driver import Database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A handbook of two documents and one in Chinese."""
    (tmp_path / "zh_Hans").mkdir()
    (tmp_path / "calls.md").write_text("# Calls\n\nA call rings.\n\n## Busy\n\nIt does not ring.\n")
    (tmp_path / "turn.md").write_text("# TURN\n\nA relay.\n")
    (tmp_path / "zh_Hans" / "handbook.md").write_text("# 使用手册\n\n怎么打电话。\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> BookStore:
    store = BookStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


def keeper(store: BookStore, folder: Path) -> HandbookKeeper:
    """That of a process that has just started."""
    return HandbookKeeper(store, on_a_thread, folder, SystemClock())


def test_its_id_is_one_as_all_others() -> None:
    assert is_id(HANDBOOK_ID)


def test_each_document_is_a_chapter_and_those_for_users_come_first(folder: Path) -> None:
    assert [section.title for section in handbook.read(folder)] == ["使用手册", "Calls", "TURN"]


def test_the_real_one_has_every_document() -> None:
    sections = handbook.read(docs_dir())
    assert len(sections) == len(handbook.files(docs_dir())) > 15
    assert all(section.title and section.pieces for section in sections)


@pytest.mark.gen_test
async def test_a_fresh_database_has_it_after_the_first_start(store: BookStore, folder: Path) -> None:
    await keeper(store, folder).keep()
    (book,) = await store.of(None)
    assert (book.book_id, book.state, book.is_built_in) == (HANDBOOK_ID, "ready", True)
    assert book.chapters == (Chapter(1, "使用手册", 1), Chapter(2, "Calls", 2), Chapter(3, "TURN", 1))
    assert [passage.text for passage in await store.chapter(book, 2)] == ["A call rings.", "It does not ring."]


@pytest.mark.gen_test
async def test_a_second_start_changes_nothing(store: BookStore, folder: Path) -> None:
    await keeper(store, folder).keep()
    before = await store.get(HANDBOOK_ID)
    await keeper(store, folder).keep()
    assert await store.get(HANDBOOK_ID) == before


@pytest.mark.gen_test
async def test_an_update_brings_the_new_text_and_takes_the_old_away(store: BookStore, folder: Path) -> None:
    await keeper(store, folder).keep()
    old = await store.get(HANDBOOK_ID)
    (folder / "turn.md").write_text("# TURN\n\nAnother relay.\n")
    await keeper(store, folder).keep()
    new = await store.get(HANDBOOK_ID)
    assert old is not None and new is not None
    assert new.created_at == old.created_at
    assert [passage.text for passage in await store.all_passages(new, 0, 10)][-1] == "Another relay."
    assert await store.all_passages(old, 0, 10) == []


@pytest.mark.gen_test
async def test_two_processes_that_start_at_once_bring_it_once(store: BookStore, folder: Path) -> None:
    await asyncio.gather(*(keeper(store, folder).keep() for _ in range(3)))
    (book,) = await store.of(None)
    assert len(await store.all_passages(book, 0, 10)) == 4


@pytest.mark.gen_test
async def test_of_two_versions_that_start_at_once_one_is_there_whole(store: BookStore, folder: Path) -> None:
    """As when one machine after the other gets another version."""
    await keeper(store, folder).keep()
    late = keeper(store, folder)
    put, is_first = late._put, True

    async def overtaken(book: Book, known: Book | None) -> bool:
        nonlocal is_first
        assert is_first
        is_first = False
        (folder / "turn.md").write_text("# TURN\n\nA newer relay.\n")
        await keeper(store, folder).keep()
        return await put(book, known)

    late._put = overtaken  # type: ignore[method-assign]
    (folder / "turn.md").write_text("# TURN\n\nAnother relay.\n")
    await late.keep()
    (book,) = await store.of(None)
    assert [passage.text for passage in await store.all_passages(book, 0, 10)][-1] == "A newer relay."


@pytest.mark.gen_test
async def test_what_another_process_cleans_up_meanwhile_is_brought_again(store: BookStore, folder: Path) -> None:
    late = keeper(store, folder)
    put = late._put

    async def cleaned(book: Book, known: Book | None) -> bool:
        await store.remove_other_editions(HANDBOOK_ID, "that of the other")
        return await put(book, known)

    late._put = cleaned  # type: ignore[method-assign]
    await late.keep()
    (book,) = await store.of(None)
    assert await store.is_whole(book)


@pytest.mark.gen_test
async def test_a_handbook_that_has_lost_its_text_is_whole_after_the_next_start(store: BookStore, folder: Path) -> None:
    await keeper(store, folder).keep()
    await store.remove_content(HANDBOOK_ID)
    await keeper(store, folder).keep()
    (book,) = await store.of(None)
    assert len(await store.all_passages(book, 0, 10)) == book.passages == 4
