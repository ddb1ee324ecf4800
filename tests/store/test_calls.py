"""Calls in MongoDB: what is stored comes back, and of two writers one wins."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tornado.ioloop import IOLoop

from server.calls import rules
from server.calls.model import Call, view
from server.calls.rules import Callee
from server.ids import new_id
from server.realtime.frames import UserRef
from server.store.calls import INDEXES, CallStore, pair_of
from server.store.driver import Database, Duplicate
from server.wire import encode, rfc3339
from tests.helpers import ALICE, BOB, CAROL, TIMING, active, answered, leg_id, placed, today


@pytest.fixture
def now() -> datetime:
    return today()


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> CallStore:
    store = CallStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


async def stored(store: CallStore, call: Call) -> Call:
    await store.insert(call)
    return call


async def replaced(store: CallStore, before: Call, after: Call) -> Call:
    assert await store.replace(after, rev=before.rev)
    return after


def lives(now: datetime) -> dict[str, Call]:
    """A call in each state, with everything in it that a call can have."""
    call = placed(now=now, client_key="a key")
    ringing = rules.acknowledge_ringing(call, BOB.id, now)
    connecting = answered(ringing, now=now)
    talking = active(connecting, now)
    return {
        "inviting": call,
        "ringing": ringing,
        "connecting": connecting,
        "active": talking,
        "reconnecting": rules.socket_lost(talking, leg_id(talking, BOB)),
        "ended": rules.hang_up(talking, BOB.id, now + timedelta(seconds=3.217)),
        "do not disturb": placed(Callee(user=BOB, reached=True, do_not_disturb=True), CAROL, now=now),
    }


# ── what is stored comes back ──


@pytest.mark.gen_test
@pytest.mark.parametrize("state", lives(today()))
async def test_a_call_comes_back_as_it_was_stored(store: CallStore, now: datetime, state: str) -> None:
    call = await stored(store, lives(now)[state])
    assert await store.get(call.call_id) == call


@pytest.mark.gen_test
async def test_an_unknown_call_is_none(store: CallStore) -> None:
    assert await store.get(new_id()) is None


@pytest.mark.gen_test
async def test_every_time_of_a_stored_call_has_milliseconds_and_z(store: CallStore, now: datetime) -> None:
    await stored(store, lives(now)["ended"])
    (document,) = await store._calls.find({})
    times = _times_in(document)
    assert len(times) >= 8
    for moment in times:
        assert rfc3339(moment).encode() in encode(document)


def _times_in(value: Any) -> list[datetime]:
    if isinstance(value, datetime):
        return [value]
    if isinstance(value, dict):
        return [moment for item in value.values() for moment in _times_in(item)]
    return [moment for item in value for moment in _times_in(item)] if isinstance(value, list) else []


@pytest.mark.gen_test
async def test_a_call_read_back_crosses_the_wire(store: CallStore, now: datetime) -> None:
    call = await stored(store, lives(now)["ended"])
    assert encode(view(await _read(store, call), ALICE.id)) == encode(view(call, ALICE.id))


async def _read(store: CallStore, call: Call) -> Call:
    found = await store.get(call.call_id)
    assert found is not None
    return found


# ── one writer wins ──


@pytest.mark.gen_test
async def test_a_change_replaces_the_call(store: CallStore, now: datetime) -> None:
    call = await stored(store, placed(now=now))
    after = rules.acknowledge_ringing(call, BOB.id, now)
    assert await store.replace(after, rev=call.rev)
    assert await store.get(call.call_id) == after


@pytest.mark.gen_test
async def test_a_change_of_a_call_that_has_changed_is_not_stored(store: CallStore, now: datetime) -> None:
    call = await stored(store, placed(now=now))
    after = await replaced(store, call, rules.acknowledge_ringing(call, BOB.id, now))
    assert not await store.replace(rules.cancel(call, ALICE.id, now), rev=call.rev)
    assert await store.get(call.call_id) == after


@pytest.mark.gen_test
async def test_a_change_of_a_call_that_is_not_there_stores_nothing(store: CallStore, now: datetime) -> None:
    call = placed(now=now)
    assert not await store.replace(rules.cancel(call, ALICE.id, now), rev=call.rev)
    assert await store.get(call.call_id) is None


@pytest.mark.gen_test
async def test_exactly_one_of_20_changes_at_once_wins(store: CallStore, now: datetime) -> None:
    call = await stored(store, placed(now=now))
    changes = [answered(call, on=f"device {number}", now=now) for number in range(20)]
    won = await asyncio.gather(*(store.replace(change, rev=call.rev) for change in changes))
    assert won.count(True) == 1
    assert await store.get(call.call_id) == changes[won.index(True)]


@pytest.mark.gen_test
async def test_exactly_one_of_20_calls_between_two_people_rings(store: CallStore, now: datetime) -> None:
    calls = [placed(BOB, caller=ALICE, now=now) if n % 2 else placed(ALICE, caller=BOB, now=now) for n in range(20)]
    results = await asyncio.gather(*(store.insert(call) for call in calls), return_exceptions=True)
    assert [result for result in results if not isinstance(result, Duplicate)] == [None]
    assert await store.live_of(ALICE.id) == [calls[results.index(None)]]


@pytest.mark.gen_test
@pytest.mark.parametrize("state", ["connecting", "active", "ended"])
async def test_two_people_may_call_each_other_again_when_it_no_longer_rings(
    store: CallStore, now: datetime, state: str
) -> None:
    await stored(store, replace(lives(now)[state], client_key=None))
    await store.insert(placed(now=now))


@pytest.mark.gen_test
async def test_a_call_that_was_answered_makes_room_for_the_next(store: CallStore, now: datetime) -> None:
    call = await stored(store, placed(now=now))
    await replaced(store, call, answered(call, now=now))
    await store.insert(placed(ALICE, caller=BOB, now=now))


@pytest.mark.gen_test
async def test_calls_to_others_ring_beside_it(store: CallStore, now: datetime) -> None:
    for caller, callee in [(ALICE, BOB), (ALICE, CAROL), (CAROL, BOB)]:
        await store.insert(placed(callee, caller=caller, now=now))


@pytest.mark.gen_test
async def test_a_call_of_three_rings_beside_a_call_of_two(store: CallStore, now: datetime) -> None:
    await store.insert(placed(BOB, now=now))
    await store.insert(placed(BOB, CAROL, now=now))


@pytest.mark.gen_test
async def test_two_calls_of_the_same_three_ring_beside_each_other(store: CallStore, now: datetime) -> None:
    await store.insert(placed(BOB, CAROL, caller=ALICE, now=now))
    await store.insert(placed(ALICE, CAROL, caller=BOB, now=now))


@pytest.mark.gen_test
async def test_a_client_key_is_used_once(store: CallStore, now: datetime) -> None:
    call = await stored(store, placed(BOB, now=now, client_key="a key"))
    with pytest.raises(Duplicate):
        await store.insert(placed(CAROL, now=now, client_key="a key"))
    assert await store.by_client_key(ALICE.id, "a key") == call


@pytest.mark.gen_test
async def test_a_client_key_stays_used_when_the_call_has_ended(store: CallStore, now: datetime) -> None:
    call = await stored(store, placed(now=now, client_key="a key"))
    await replaced(store, call, rules.cancel(call, ALICE.id, now))
    with pytest.raises(Duplicate):
        await store.insert(placed(now=now, client_key="a key"))


@pytest.mark.gen_test
async def test_two_people_may_use_the_same_client_key(store: CallStore, now: datetime) -> None:
    await store.insert(placed(CAROL, caller=ALICE, now=now, client_key="a key"))
    await store.insert(placed(CAROL, caller=BOB, now=now, client_key="a key"))


@pytest.mark.gen_test
async def test_the_key_of_another_is_not_found(store: CallStore, now: datetime) -> None:
    await store.insert(placed(now=now, client_key="a key"))
    assert await store.by_client_key(BOB.id, "a key") is None


def test_a_pair_is_the_same_from_both_sides() -> None:
    assert pair_of(["a", "b"]) == pair_of(["b", "a"]) != pair_of(["a", "c"])


# ── looking ──


@pytest.mark.gen_test
@pytest.mark.parametrize("who", [ALICE, BOB], ids=["caller", "callee"])
async def test_a_call_that_rings_is_live_for_both(store: CallStore, now: datetime, who: UserRef) -> None:
    call = await stored(store, placed(now=now))
    assert await store.live_of(who.id) == [call]


@pytest.mark.gen_test
async def test_an_ended_call_is_live_for_nobody(store: CallStore, now: datetime) -> None:
    call = await stored(store, placed(now=now))
    await replaced(store, call, rules.cancel(call, ALICE.id, now))
    assert await store.live_of(ALICE.id) == []


@pytest.mark.gen_test
async def test_a_call_is_not_live_for_one_who_declined(store: CallStore, now: datetime) -> None:
    call = await stored(store, rules.decline(placed(BOB, CAROL, now=now), BOB.id, now))
    assert (await store.live_of(BOB.id), await store.live_of(CAROL.id)) == ([], [call])


@pytest.mark.gen_test
async def test_live_calls_come_oldest_first(store: CallStore, now: datetime) -> None:
    calls = [await stored(store, placed(BOB, caller=caller, now=now)) for caller in (ALICE, CAROL)]
    assert await store.live_of(BOB.id) == calls


@pytest.mark.gen_test
async def test_calls_of_any_of_several_people_come_once_each(store: CallStore, now: datetime) -> None:
    call = await stored(store, placed(now=now))
    await stored(store, placed(UserRef("dave", "dave", "Dave"), caller=CAROL, now=now))
    assert await store.live_of_any([BOB.id, ALICE.id]) == [call]


@pytest.mark.gen_test
async def test_a_call_is_not_live_for_one_who_has_blocked_the_caller(store: CallStore, now: datetime) -> None:
    call = await stored(store, placed(Callee(user=BOB, reached=True, blocked=True), now=now))
    assert (await store.live_of(BOB.id), await store.live_of(ALICE.id)) == ([], [call])


@pytest.mark.gen_test
async def test_a_blocked_call_still_is_the_one_call_of_the_pair(store: CallStore, now: datetime) -> None:
    await stored(store, placed(Callee(user=BOB, reached=True, blocked=True), now=now))
    with pytest.raises(Duplicate):
        await store.insert(placed(ALICE, caller=BOB, now=now))


@pytest.mark.gen_test
async def test_a_call_is_due_at_its_deadline_and_not_before(store: CallStore, now: datetime) -> None:
    call = await stored(store, placed(now=now))
    assert await store.due(call.ring_deadline - timedelta(milliseconds=1)) == []
    assert await store.due(call.ring_deadline) == [call]


@pytest.mark.gen_test
async def test_a_call_is_due_when_its_lease_has_run_out(store: CallStore, now: datetime) -> None:
    call = await stored(store, active(answered(placed(now=now), now=now), now))
    assert await store.due(now + TIMING.lease) == [call]


@pytest.mark.gen_test
async def test_a_call_of_three_is_due_when_the_third_stops_ringing(store: CallStore, now: datetime) -> None:
    call = active(answered(placed(BOB, CAROL, now=now), now=now), now)
    await store.insert(replace(call, lease_until=now + timedelta(days=1)))
    assert len(await store.due(call.ring_deadline)) == 1


@pytest.mark.gen_test
async def test_an_ended_call_is_never_due(store: CallStore, now: datetime) -> None:
    await stored(store, lives(now)["ended"])
    assert await store.due(now + timedelta(days=365)) == []


@pytest.mark.gen_test
async def test_not_more_calls_are_due_than_are_asked_for(store: CallStore, now: datetime) -> None:
    for caller in (ALICE, CAROL):
        await store.insert(placed(BOB, caller=caller, now=now))
    assert len(await store.due(now + TIMING.ring, limit=1)) == 1


@pytest.mark.gen_test
async def test_a_lease_is_renewed_without_a_change_of_the_call(store: CallStore, now: datetime) -> None:
    call = await stored(store, answered(placed(now=now), now=now))
    until = now + timedelta(seconds=50)
    assert await store.renew_leases([call.call_id], until) == 1
    assert await store.get(call.call_id) == replace(call, lease_until=until)


@pytest.mark.gen_test
@pytest.mark.parametrize("state", ["inviting", "ended"])
async def test_a_call_without_a_lease_is_given_none(store: CallStore, now: datetime, state: str) -> None:
    call = await stored(store, lives(now)[state])
    assert await store.renew_leases([call.call_id], now) == 0
    assert await store.get(call.call_id) == call


@pytest.mark.gen_test
@pytest.mark.parametrize("text", ["$ne", "{'$ne': null}", "", "\x00", ".*", "ä"], ids=ascii)
async def test_texts_that_look_like_operators_find_nothing(store: CallStore, now: datetime, text: str) -> None:
    await stored(store, placed(now=now, client_key="a key"))
    assert await store.get(text) is None
    assert await store.by_client_key(ALICE.id, text) is None
    assert await store.live_of(text) == []
    assert await store.history(text, limit=5) == []
    assert await store.history(ALICE.id, limit=5, state=text) == []


# ── indexes ──


@pytest.mark.gen_test
async def test_every_index_is_made(store: CallStore, db: Database) -> None:
    made = await db._motor.calls.index_information()
    assert {index.document["name"] for index in INDEXES} == set(made) - {"_id_"}


@pytest.mark.gen_test
async def test_indexes_are_made_again_without_harm(store: CallStore) -> None:
    await store.ensure_indexes()
