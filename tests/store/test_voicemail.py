"""Messages in MongoDB: what is stored comes back, to whom it is for, and its audio with it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from tornado.ioloop import IOLoop

from server.ids import new_id
from server.realtime.frames import UserRef
from server.store.driver import Database, Duplicate
from server.store.voicemail import INDEXES, Voicemail, VoicemailStore
from tests.helpers import ALICE, BOB, CAROL, today
from tests.store.conftest import Plans


@pytest.fixture
def now() -> datetime:
    return today()


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> VoicemailStore:
    store = VoicemailStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


def message(now: datetime, to: UserRef = BOB, sender: UserRef = ALICE) -> Voicemail:
    """A message of Alice for Bob."""
    return Voicemail(
        voicemail_id=new_id(),
        call_id=new_id(),
        to=to.id,
        sender=sender,
        duration_ms=12_480,
        size_bytes=50_112,
        content_type="audio/webm",
        waveform=(2, 14, 63),
        created_at=now,
    )


async def stored(store: VoicemailStore, *messages: Voicemail) -> list[Voicemail]:
    for each in messages:
        await store.insert(each)
    return list(messages)


@pytest.mark.gen_test
async def test_a_message_comes_back_as_it_was_stored(store: VoicemailStore, now: datetime) -> None:
    (given,) = await stored(store, message(now))
    assert await store.get(given.voicemail_id, BOB.id) == given


@pytest.mark.gen_test
async def test_a_message_is_nothing_to_anybody_else(store: VoicemailStore, now: datetime) -> None:
    (given,) = await stored(store, message(now))
    assert await store.get(given.voicemail_id, ALICE.id) is None
    assert not await store.set_heard(given.voicemail_id, ALICE.id, now)
    assert not await store.forget(given.voicemail_id, ALICE.id)


@pytest.mark.gen_test
async def test_messages_come_newest_first_by_the_page(store: VoicemailStore, now: datetime) -> None:
    first, second, third = await stored(store, *(message(now) for _ in range(3)))
    await stored(store, message(now, to=CAROL))
    assert await store.of(BOB.id, limit=2) == [third, second]
    assert await store.of(BOB.id, limit=2, before=second.voicemail_id) == [first]


@pytest.mark.gen_test
async def test_there_is_one_message_for_a_call(store: VoicemailStore, now: datetime) -> None:
    (given,) = await stored(store, message(now))
    again = replace(message(now), call_id=given.call_id)
    with pytest.raises(Duplicate):
        await store.insert(again)
    with pytest.raises(Duplicate):
        await store.insert_trace(again)
    assert await store.was_left_for(given.call_id)


@pytest.mark.gen_test
async def test_messages_are_counted_and_those_that_were_not_heard(store: VoicemailStore, now: datetime) -> None:
    heard, _ = await stored(store, message(now), message(now))
    assert await store.set_heard(heard.voicemail_id, BOB.id, now)
    assert (await store.count(BOB.id), await store.unheard(BOB.id)) == (2, 1)


@pytest.mark.gen_test
async def test_a_message_is_heard_once(store: VoicemailStore, now: datetime) -> None:
    (given,) = await stored(store, message(now))
    assert await store.set_heard(given.voicemail_id, BOB.id, now)
    assert not await store.set_heard(given.voicemail_id, BOB.id, now + timedelta(hours=1))
    assert await store.get(given.voicemail_id, BOB.id) == replace(given, heard_at=now)


@pytest.mark.gen_test
async def test_a_deleted_message_leaves_which_call_it_was_for_and_when(
    store: VoicemailStore, db: Database, now: datetime
) -> None:
    (given,) = await stored(store, message(now))
    assert await store.forget(given.voicemail_id, BOB.id)
    assert (await store.of(BOB.id, limit=9), await store.count(BOB.id), await store.unheard(BOB.id)) == ([], 0, 0)
    trace = {"_id": given.voicemail_id, "call_id": given.call_id, "created_at": now}
    assert await db.collection("voicemail").find({}) == [trace]
    assert await store.was_left_for(given.call_id)


@pytest.mark.gen_test
async def test_a_message_that_is_not_kept_leaves_the_same_trace(
    store: VoicemailStore, db: Database, now: datetime
) -> None:
    given = message(now)
    await store.insert_trace(given)
    assert await store.count(BOB.id) == 0
    trace = {"_id": given.voicemail_id, "call_id": given.call_id, "created_at": now}
    assert await db.collection("voicemail").find({}) == [trace]


@pytest.mark.gen_test
async def test_a_persons_messages_go_all_at_once_and_no_others(store: VoicemailStore, now: datetime) -> None:
    first, second, hers = await stored(store, message(now), message(now), message(now, to=CAROL, sender=BOB))
    assert sorted(await store.remove_of(BOB.id)) == [first.voicemail_id, second.voicemail_id]
    assert (await store.of(BOB.id, limit=9), await store.of(CAROL.id, limit=9)) == ([], [hers])


@pytest.mark.gen_test
async def test_old_messages_and_traces_are_removed_some_at_a_time(store: VoicemailStore, now: datetime) -> None:
    old = now - timedelta(days=91)
    await stored(store, message(old), message(old))
    await store.insert_trace(message(old))
    (new,) = await stored(store, message(now))
    limit = now - timedelta(days=90)
    assert [len(await store.remove_before(limit, 2)) for _ in range(3)] == [2, 1, 0]
    assert await store.of(BOB.id, limit=9) == [new]


@pytest.mark.gen_test
async def test_what_is_kept_is_told_from_what_is_not(store: VoicemailStore, now: datetime) -> None:
    kept, forgotten = await stored(store, message(now), message(now))
    await store.forget(forgotten.voicemail_id, BOB.id)
    ids = [kept.voicemail_id, forgotten.voicemail_id, new_id()]
    assert await store.kept_among(ids) == {kept.voicemail_id}


@pytest.mark.gen_test
async def test_the_index_names_are_those_of_the_list(store: VoicemailStore, db: Database) -> None:
    made = await db._motor.voicemail.index_information()
    assert {index.document["name"] for index in INDEXES} == set(made) - {"_id_"}


@pytest.mark.gen_test
async def test_no_query_scans_the_collection(store: VoicemailStore, now: datetime, plans: Plans, database: str) -> None:
    (given,) = await stored(store, message(now))
    await store.was_left_for(given.call_id)
    await store.get(given.voicemail_id, BOB.id)
    await store.of(BOB.id, limit=5)
    await store.of(BOB.id, limit=5, before=new_id())
    await store.count(BOB.id)
    await store.unheard(BOB.id)
    await store.set_heard(given.voicemail_id, BOB.id, now)
    await store.kept_among([given.voicemail_id])
    await store.audio_ids(after="", before=new_id(), limit=5)
    await store.remove_audio(given.voicemail_id)
    await store.forget(given.voicemail_id, BOB.id)
    await store.remove_before(now, 5)
    await store.remove_of(BOB.id)
    found = plans()
    assert len(found) >= 15
    assert [plan for plan in found if "COLLSCAN" in plan] == []
