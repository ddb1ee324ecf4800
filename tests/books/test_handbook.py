"""The handbook: the documents as a book, brought into the database once and again after an update."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from server.books import handbook
from server.books.cpu import on_a_thread
from server.books.handbook_keeper import HandbookKeeper
from server.books.model import HANDBOOK_ID, Chapter
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
