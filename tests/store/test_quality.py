"""What was measured of calls, in a real MongoDB."""

from __future__ import annotations

import pytest
from tornado.ioloop import IOLoop

from server.calls.quality import QualityRecord
from server.store.driver import Database
from server.store.quality import QualityStore

RECORD = QualityRecord("a call", "a leg")


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> QualityStore:
    """An empty collection."""
    made = QualityStore(db)
    io_loop.run_sync(made.ensure_indexes)
    return made


@pytest.mark.gen_test
async def test_what_was_begun_is_there(store: QualityStore) -> None:
    assert await store.begun(RECORD) == RECORD
    assert await store.of("a call") == [RECORD]


@pytest.mark.gen_test
async def test_what_is_written_after_its_call_was_removed_does_not_come_back(store: QualityStore) -> None:
    await store.begun(RECORD)
    await store.remove_of(["a call"])
    await store.write(RECORD)
    assert await store.of("a call") == []
