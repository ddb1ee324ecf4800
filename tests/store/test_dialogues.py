"""Dialogues in MongoDB."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tornado.ioloop import IOLoop

from server.dialogues.model import Dialogue, ReplyError, Source, Turn
from server.ids import new_id
from server.store.dialogues import DialogueStore
from server.store.driver import Database, Duplicate
from tests.helpers import today
from tests.store.conftest import Plans

HOUR = timedelta(hours=1)


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> DialogueStore:
    store = DialogueStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


def dialogue(user_id: str = "u-1", age: timedelta = timedelta(0)) -> Dialogue:
    moment = today() - age
    return Dialogue(new_id(), user_id, "Lamps", "b-1", "Lamps", "offline", created_at=moment, updated_at=moment)


def turn(session_id: str, number: int, **fields: object) -> Turn:
    return replace(Turn(new_id(), session_id, number, new_id(), "When?", today()), **fields)


@pytest.mark.gen_test
async def test_what_was_stored_comes_back_as_it_was(store: DialogueStore) -> None:
    stored = dialogue()
    source = Source(1, "p-1", "b-1", "Lamps", 2, "Wicks", "Every four hours.", "/books/b-1?chapter=2#p7")
    turns = [
        turn(stored.session_id, 1, state="complete", text="Now.", parts=2, sources=(source,), completed_at=today()),
        turn(stored.session_id, 2, state="failed", error=ReplyError("server_lost", "It stopped."), client_id="c-1"),
    ]
    await store.insert(stored)
    for each in turns:
        await store.insert_turn(each)
    assert await store.with_turns(stored.session_id, "u-1", 5) == (stored, turns)
    assert await store.with_turns(stored.session_id, "u-2", 5) is None


@pytest.mark.gen_test
async def test_the_list_is_in_the_order_of_the_last_message_and_has_its_beginning(store: DialogueStore) -> None:
    old, new = dialogue(age=HOUR), dialogue()
    for each in (new, old, dialogue("u-2")):
        await store.insert(each)
    long = turn(new.session_id, 1, text="é灯" * 200, state="complete")
    await store.insert_turn(long)
    listed = await store.list_of("u-1", limit=5)
    assert listed == [(new, replace(long, text="é灯" * 100)), (old, None)]
    assert new.updated_at is not None
    assert [each.dialogue for each in await store.list_of("u-1", limit=5, before=(new.updated_at, new.session_id))] == [
        old
    ]


@pytest.mark.gen_test
async def test_one_reply_at_a_time_is_claimed_in_a_dialogue(store: DialogueStore) -> None:
    first, second, other = turn("s-1", 1), turn("s-1", 2), turn("s-2", 1)
    for each in (first, second, other):
        await store.insert_turn(each)
    until = today() + HOUR
    claimed = await store.claim(first.turn_id, "node-1", until)
    assert claimed == replace(first, state="streaming", lease_by="node-1", lease_until=until)
    assert await store.claim(first.turn_id, "node-2", until) is None
    assert await store.claim(second.turn_id, "node-2", until) is None
    assert await store.claim(other.turn_id, "node-2", until) is not None
    await store.finish(first.turn_id, "complete", today())
    assert await store.claim(second.turn_id, "node-2", until) is not None


@pytest.mark.gen_test
async def test_a_reply_grows_by_its_own_process_part_by_part(store: DialogueStore) -> None:
    stored = turn("s-1", 1)
    await store.insert_turn(stored)
    await store.claim(stored.turn_id, "node-1", today() + HOUR)
    assert await store.grow(stored.turn_id, "node-1", 1, "Ev")
    assert await store.grow(stored.turn_id, "node-1", 1, "Ev")  # asked again, because the answer was lost
    assert not await store.grow(stored.turn_id, "node-1", 3, "Every four")
    assert not await store.grow(stored.turn_id, "node-2", 2, "Every")
    ended = await store.finish(stored.turn_id, "cancelled", today())
    assert ended is not None and (ended.text, ended.parts, ended.lease_by) == ("Ev", 1, None)
    assert not await store.grow(stored.turn_id, "node-1", 2, "Every")
    assert await store.finish(stored.turn_id, "complete", today()) is None


@pytest.mark.gen_test
async def test_a_reply_of_which_nothing_is_heard_is_abandoned(store: DialogueStore) -> None:
    silent, heard = turn("s-1", 1), turn("s-2", 1)
    for each in (silent, heard):
        await store.insert_turn(each)
        await store.claim(each.turn_id, "node-1", today())
    await store.renew([heard.turn_id], "node-1", today() + HOUR)
    assert [each.turn_id for each in await store.abandoned(today() + HOUR / 2, 5)] == [silent.turn_id]


@pytest.mark.gen_test
async def test_dialogues_that_are_looked_after_do_not_hide_those_in_which_a_question_waits(
    store: DialogueStore,
) -> None:
    for session_id, number in (("s-1", 1), ("s-1", 2), ("s-2", 1)):
        await store.insert_turn(turn(session_id, number))
    assert await store.waiting_dialogues(1, besides=["s-1"]) == {"s-2"}


@pytest.mark.gen_test
async def test_a_client_id_is_used_once_in_a_dialogue(store: DialogueStore) -> None:
    await store.insert_turn(turn("s-1", 1, client_id="c-1"))
    with pytest.raises(Duplicate):
        await store.insert_turn(turn("s-1", 2, client_id="c-1"))
    await store.insert_turn(turn("s-2", 1, client_id="c-1"))


@pytest.mark.gen_test
async def test_of_a_deleted_dialogue_only_the_owner_is_kept(store: DialogueStore) -> None:
    stored = dialogue()
    await store.insert(stored)
    await store.insert_turn(turn(stored.session_id, 1))
    assert not await store.set_deleted(stored.session_id, "u-2", today())
    assert await store.set_deleted(stored.session_id, "u-1", today())
    assert await store.uncleared() == [stored.session_id]
    await store.clear(stored.session_id)
    trace = await store.get(stored.session_id, "u-1")
    assert trace is not None and trace == Dialogue(stored.session_id, "u-1", deleted_at=trace.deleted_at)
    assert (await store.uncleared(), await store.turns(stored.session_id, limit=5)) == ([], [])


@pytest.mark.gen_test
async def test_every_question_to_the_database_goes_by_an_index(store: DialogueStore, plans: Plans) -> None:
    stored, asked = dialogue(), turn("s-1", 1, client_id="c-1")
    await store.insert(stored)
    await store.insert_turn(asked)
    await store.with_turns(stored.session_id, "u-1", 5)
    await store.list_of("u-1", limit=5, before=(today(), "x"))
    await store.by_client_id("s-1", "c-1")
    await store.turn("s-1", asked.turn_id)
    await store.turns("s-1", limit=5, below=9)
    await store.first_open("s-1")
    await store.count_waiting("s-1")
    await store.claim(asked.turn_id, "node-1", today())
    await store.abandoned(today() + HOUR, 5)
    await store.waiting_dialogues(5)
    await store.uncleared()
    done = plans()
    assert len(done) >= 11
    assert [plan for plan in done if "COLLSCAN" in plan or plan.endswith(", SORT")] == []
