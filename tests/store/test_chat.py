"""Written messages in MongoDB."""

from __future__ import annotations

import pytest
from tornado.ioloop import IOLoop

from server.calls.chat import ChatMessage
from server.ids import new_id
from server.realtime.frames import UserRef
from server.store.chat import ChatStore
from server.store.driver import Database, Duplicate
from tests.helpers import ALICE, BOB, today
from tests.store.conftest import Plans


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> ChatStore:
    store = ChatStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


def message(call_id: str = "k-1", user: UserRef = ALICE, client_id: str | None = None) -> ChatMessage:
    return ChatMessage(new_id(), call_id, user, "hello", today(), client_id)


@pytest.mark.gen_test
async def test_a_message_comes_back_as_it_was(store: ChatStore) -> None:
    written = message(client_id="c-1")
    await store.insert(written)
    assert await store.newest("k-1", limit=5) == [written]


@pytest.mark.gen_test
async def test_the_newest_come_first_and_older_ones_before_them(store: ChatStore) -> None:
    written = [message() for _ in range(4)]
    for each in reversed(written):
        await store.insert(each)
    assert await store.newest("k-1", limit=2) == [written[3], written[2]]
    assert await store.newest("k-1", limit=5, before=written[2].message_id) == [written[1], written[0]]


@pytest.mark.gen_test
async def test_each_call_has_its_own(store: ChatStore) -> None:
    await store.insert(message("k-1"))
    await store.insert(message("k-2"))
    assert (len(await store.newest("k-1", limit=5)), await store.count("k-1")) == (1, 1)


@pytest.mark.gen_test
async def test_a_name_is_used_once_by_its_writer_in_a_call(store: ChatStore) -> None:
    await store.insert(message(client_id="c-1"))
    with pytest.raises(Duplicate):
        await store.insert(message(client_id="c-1"))
    await store.insert(message("k-2", client_id="c-1"))
    await store.insert(message(user=BOB, client_id="c-1"))


@pytest.mark.gen_test
async def test_messages_without_a_name_are_as_many_as_are_written(store: ChatStore) -> None:
    for _ in range(2):
        await store.insert(message())
    assert await store.count("k-1") == 2


@pytest.mark.gen_test
async def test_a_message_is_found_by_the_name_that_its_writer_gave_it(store: ChatStore) -> None:
    written = message(client_id="c-1")
    await store.insert(written)
    assert await store.by_client_id("k-1", ALICE.id, "c-1") == written
    assert await store.by_client_id("k-1", BOB.id, "c-1") is None


@pytest.mark.gen_test
async def test_what_belongs_to_calls_goes_with_them(store: ChatStore) -> None:
    for call_id in ("k-1", "k-1", "k-2", "k-3"):
        await store.insert(message(call_id))
    assert await store.remove_of(["k-1", "k-2"]) == 3
    assert (await store.count("k-1"), await store.count("k-3")) == (0, 1)


@pytest.mark.gen_test
async def test_every_question_has_its_index(store: ChatStore, plans: Plans) -> None:
    await store.newest("k-1", limit=5, before="m")
    await store.by_client_id("k-1", ALICE.id, "c-1")
    await store.count("k-1")
    await store.remove_of(["k-1"])
    assert [plan for plan in plans() if ("IXSCAN" not in plan and "COUNT_SCAN" not in plan) or "SORT" in plan] == []
