"""The history of calls in MongoDB: each list in its order, each person's own, and every query from an index."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pymongo
import pytest
from msgspec.structs import replace
from pymongo.collection import Collection as RawCollection
from tornado.ioloop import IOLoop

from server.calls import rules
from server.calls.model import Call, view
from server.errors import Unavailable
from server.realtime.frames import UserRef
from server.store import calls as module
from server.store.calls import MAX_PEOPLE, CallStore, Entry, document_of
from server.store.driver import Database
from tests.helpers import ALICE, BOB, CAROL, TIMING, active, answered, person, placed, today
from tests.store.conftest import Profile

Raw = RawCollection[dict[str, Any]]


@pytest.fixture
def now() -> datetime:
    return today()


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> CallStore:
    store = CallStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


@pytest.fixture
def raw(mongo_uri: str, database: str) -> Iterator[Raw]:
    """The collection, past everything that is ours."""
    client: pymongo.MongoClient[dict[str, Any]]
    with pymongo.MongoClient(mongo_uri) as client:
        yield client[database]["calls"]


async def stored(store: CallStore, call: Call) -> Call:
    await store.insert(call)
    return call


async def missed(store: CallStore, now: datetime, caller: UserRef = ALICE, callee: UserRef = BOB) -> Call:
    """A call that rang in vain."""
    return await stored(store, rules.cancel(placed(callee, caller=caller, now=now), caller.id, now))


async def talked(store: CallStore, now: datetime, caller: UserRef = ALICE, callee: UserRef = BOB) -> Call:
    """A call of two people who had something to say to each other."""
    call = active(answered(placed(callee, caller=caller, now=now), by=callee, now=now), now)
    return await stored(store, rules.hang_up(call, caller.id, now))


def calls_of(entries: list[Entry]) -> list[Call]:
    return [entry.call for entry in entries]


# ── lists ──


@pytest.mark.gen_test
async def test_the_history_is_newest_first(store: CallStore, now: datetime) -> None:
    calls = [await missed(store, now) for _ in range(5)]
    assert calls_of(await store.history(ALICE.id, limit=50)) == calls[::-1]


@pytest.mark.gen_test
async def test_the_history_comes_in_pages(store: CallStore, now: datetime) -> None:
    calls = [await missed(store, now) for _ in range(5)][::-1]
    first = calls_of(await store.history(ALICE.id, limit=2))
    second = calls_of(await store.history(ALICE.id, limit=2, before=first[-1].call_id))
    assert (first, second) == (calls[:2], calls[2:4])


@pytest.mark.gen_test
async def test_both_sides_have_the_call(store: CallStore, now: datetime) -> None:
    call = await talked(store, now)
    assert (
        calls_of(await store.history(ALICE.id, limit=50)) == calls_of(await store.history(BOB.id, limit=50)) == [call]
    )


@pytest.mark.gen_test
async def test_nobody_sees_the_history_of_others(store: CallStore, now: datetime) -> None:
    await talked(store, now)
    assert await store.history(CAROL.id, limit=50) == []


@pytest.mark.gen_test
async def test_each_kind_has_its_calls(store: CallStore, now: datetime) -> None:
    to_bob, from_bob, in_vain = [
        await talked(store, now),
        await talked(store, now, BOB, ALICE),
        await missed(store, now, BOB, ALICE),
    ]
    found = {kind: calls_of(await store.history(ALICE.id, limit=50, kind=kind)) for kind in ("outgoing", "incoming")}
    assert found == {"outgoing": [to_bob], "incoming": [in_vain, from_bob]}
    assert await store.history(ALICE.id, limit=50, kind="missed") == [Entry(in_vain, unread=True)]


@pytest.mark.gen_test
async def test_the_calls_with_some_people_are_found_in_order(store: CallStore, now: datetime) -> None:
    dave = person("dave")
    calls = [
        await talked(store, now, ALICE, BOB),
        await missed(store, now, CAROL, ALICE),
        await talked(store, now, ALICE, dave),
        await talked(store, now, BOB, ALICE),
        await talked(store, now, BOB, CAROL),
    ]
    found = await store.history(ALICE.id, limit=50, people=[BOB.id, CAROL.id])
    assert calls_of(found) == [calls[3], calls[1], calls[0]]


@pytest.mark.gen_test
async def test_a_kind_and_people_go_together(store: CallStore, now: datetime) -> None:
    await talked(store, now, BOB, ALICE)
    await missed(store, now, CAROL, ALICE)
    in_vain = await missed(store, now, BOB, ALICE)
    assert calls_of(await store.history(ALICE.id, limit=50, kind="missed", people=[BOB.id])) == [in_vain]


@pytest.mark.gen_test
async def test_with_nobody_there_are_no_calls(store: CallStore, now: datetime) -> None:
    await talked(store, now)
    assert await store.history(ALICE.id, limit=50, people=[]) == []


@pytest.mark.gen_test
async def test_the_history_can_be_of_one_state(store: CallStore, now: datetime) -> None:
    over = await missed(store, now)
    live = await stored(store, placed(now=now))
    assert calls_of(await store.history(ALICE.id, limit=50, state="inviting")) == [live]
    assert calls_of(await store.history(ALICE.id, limit=50, state="ended")) == [over]


@pytest.mark.gen_test
async def test_a_call_leaves_the_list_of_a_state_with_the_state(store: CallStore, now: datetime) -> None:
    call = await stored(store, placed(now=now))
    await store.replace(rules.acknowledge_ringing(call, BOB.id, now), rev=1)
    assert await store.history(ALICE.id, limit=50, state="inviting") == []
    assert len(await store.history(ALICE.id, limit=50, state="ringing")) == 1


# ── unread ──


@pytest.mark.gen_test
async def test_only_whoever_missed_the_call_has_it_unread(store: CallStore, now: datetime) -> None:
    await missed(store, now)
    assert [await store.count_unread(who.id) for who in (ALICE, BOB, CAROL)] == [0, 1, 0]


@pytest.mark.gen_test
async def test_what_was_seen_is_missed_and_read(store: CallStore, now: datetime) -> None:
    call = await missed(store, now)
    assert await store.mark_seen(BOB.id) == 1
    assert await store.count_unread(BOB.id) == 0
    assert await store.history(BOB.id, limit=50, kind="missed") == [Entry(call, unread=False)]


@pytest.mark.gen_test
async def test_seen_once_is_seen(store: CallStore, now: datetime) -> None:
    await missed(store, now)
    assert [await store.mark_seen(BOB.id) for _ in range(2)] == [1, 0]


@pytest.mark.gen_test
async def test_what_came_after_the_last_that_was_shown_stays_unread(store: CallStore, now: datetime) -> None:
    _, shown, later = [await missed(store, now) for _ in range(3)]
    assert await store.mark_seen(BOB.id, until=shown.call_id) == 2
    assert [entry.unread for entry in await store.history(BOB.id, limit=50)] == [True, False, False]
    assert (await store.history(BOB.id, limit=1))[0].call == later


@pytest.mark.gen_test
async def test_more_calls_than_are_changed_at_once_are_seen(
    store: CallStore, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    for _ in range(5):
        await missed(store, now)
    assert (await store.mark_seen(BOB.id), await store.count_unread(BOB.id)) == (5, 0)


@pytest.mark.gen_test
async def test_others_have_not_seen_what_one_has_seen(store: CallStore, now: datetime) -> None:
    call = rules.cancel(placed(BOB, CAROL, now=now), ALICE.id, now)
    await store.insert(call)
    await store.mark_seen(BOB.id)
    assert await store.count_unread(CAROL.id) == 1


# ── removing ──


@pytest.mark.gen_test
async def test_a_call_that_is_removed_stays_with_the_other_side(store: CallStore, now: datetime) -> None:
    call = await missed(store, now)
    assert await store.forget(ALICE.id, call.call_id)
    assert await store.history(ALICE.id, limit=50) == []
    assert await store.history(BOB.id, limit=50) == [Entry(call, unread=True)]


@pytest.mark.gen_test
async def test_a_call_that_is_removed_is_in_none_of_ones_lists(store: CallStore, now: datetime, raw: Raw) -> None:
    call = await missed(store, now)
    await store.forget(BOB.id, call.call_id)
    (document,) = raw.find({})
    assert [token for token in document["history"] if token.startswith(BOB.id)] == []
    assert await store.count_unread(BOB.id) == 0


@pytest.mark.gen_test
async def test_a_call_that_nobody_has_any_more_is_deleted(store: CallStore, now: datetime) -> None:
    call, other = await missed(store, now), await missed(store, now)
    for who in (ALICE, BOB):
        await store.forget(who.id, call.call_id)
    assert await store.remove_forgotten() == 1
    assert await store.get(call.call_id) is None
    assert await store.get(other.call_id) == other


@pytest.mark.gen_test
async def test_what_belongs_to_a_call_goes_with_the_last_one_who_took_part(store: CallStore, now: datetime) -> None:
    gone: list[str] = []

    async def note(call_ids: list[str]) -> None:
        gone.extend(call_ids)

    store.on_delete.append(note)
    call = await stored(store, rules.hang_up(answered(placed(BOB, CAROL, now=now), now=now), ALICE.id, now))
    for who, expected in ((ALICE, []), (BOB, [call.call_id]), (CAROL, [call.call_id] * 2)):
        await store.forget(who.id, call.call_id)
        await store.remove_forgotten()
        assert (gone, await store.get(call.call_id) is None) == (expected, who is CAROL)


@pytest.mark.gen_test
async def test_a_call_stays_until_what_belongs_to_it_is_gone(store: CallStore, now: datetime) -> None:
    async def fail(call_ids: list[str]) -> None:
        raise Unavailable

    store.on_delete.append(fail)
    call = await missed(store, now)
    for who in (ALICE, BOB):
        assert await store.forget(who.id, call.call_id)
    with pytest.raises(Unavailable):
        await store.remove_forgotten()
    store.on_delete.clear()
    assert (await store.remove_forgotten(), await store.get(call.call_id)) == (1, None)


@pytest.mark.gen_test
async def test_a_call_that_both_remove_at_once_is_deleted(store: CallStore, now: datetime) -> None:
    calls = [await missed(store, now) for _ in range(20)]
    await asyncio.gather(*(store.forget(who.id, call.call_id) for call in calls for who in (ALICE, BOB)))
    await store.remove_forgotten()
    assert [await store.get(call.call_id) for call in calls] == [None] * 20


@pytest.mark.gen_test
async def test_somebody_else_cannot_remove_it(store: CallStore, now: datetime) -> None:
    call = await missed(store, now)
    assert not await store.forget(CAROL.id, call.call_id)
    assert not await store.forget("", call.call_id)
    assert len(await store.history(ALICE.id, limit=50)) == 1


@pytest.mark.gen_test
async def test_removed_once_is_removed(store: CallStore, now: datetime) -> None:
    call = await missed(store, now)
    assert [await store.forget(ALICE.id, call.call_id) for _ in range(2)] == [True, False]


@pytest.mark.gen_test
@pytest.mark.parametrize("batch", [2, 500])
async def test_all_calls_are_removed_from_ones_own_history(
    store: CallStore, now: datetime, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(module, "BATCH", batch)
    calls = [await missed(store, now) for _ in range(5)]
    assert await store.forget_all(ALICE.id) == 5
    assert await store.history(ALICE.id, limit=50) == []
    assert calls_of(await store.history(BOB.id, limit=50)) == calls[::-1]


@pytest.mark.gen_test
async def test_what_came_after_the_last_that_was_shown_is_not_removed(store: CallStore, now: datetime) -> None:
    shown, later = await missed(store, now), await missed(store, now)
    assert await store.forget_all(BOB.id, until=shown.call_id) == 1
    assert calls_of(await store.history(BOB.id, limit=50)) == [later]


@pytest.mark.gen_test
async def test_a_person_whose_id_begins_with_ones_own_keeps_theirs(store: CallStore, now: datetime) -> None:
    bobby = person("bobby")
    await missed(store, now, BOB, bobby)
    await store.forget_all(BOB.id)
    assert len(await store.history(bobby.id, limit=50, kind="missed")) == 1


# ── a call that goes on is left alone ──


@pytest.mark.gen_test
async def test_a_call_that_goes_on_is_not_removed(store: CallStore, now: datetime, raw: Raw) -> None:
    call = await stored(store, placed(now=now))
    before = raw.find_one({})
    assert (await store.forget(ALICE.id, call.call_id), await store.forget_all(BOB.id)) == (False, 0)
    assert raw.find_one({}) == before


def missed_by_carol(now: datetime) -> Call:
    """Alice and Bob talk; Carol did not come."""
    call = replace(active(answered(placed(BOB, CAROL, now=now), now=now), now), lease_until=None)
    return rules.expire(call, call.ring_deadline)


@pytest.mark.gen_test
async def test_a_call_that_one_has_missed_and_that_goes_on_is_seen_and_stays_so(
    store: CallStore, now: datetime
) -> None:
    call = await stored(store, missed_by_carol(now))
    assert await store.count_unread(CAROL.id) == 1
    assert (await store.mark_seen(CAROL.id), await store.count_unread(CAROL.id)) == (1, 0)
    seen = await store.get(call.call_id)
    assert seen is not None
    assert await store.replace(rules.hang_up(seen, BOB.id, call.ring_deadline), rev=seen.rev)
    assert await store.count_unread(CAROL.id) == 0


@pytest.mark.gen_test
async def test_that_somebody_has_seen_a_call_changes_it_for_nobody_else(store: CallStore, now: datetime) -> None:
    call = await stored(store, missed_by_carol(now))
    await store.mark_seen(CAROL.id)
    assert view(call, BOB.id) == view((await store.live_of(BOB.id))[0], BOB.id)


@pytest.mark.gen_test
async def test_a_call_that_one_has_missed_does_not_go_on_for_them(store: CallStore, now: datetime) -> None:
    await stored(store, missed_by_carol(now))
    assert [len(await store.history(user.id, limit=9, state="active")) for user in (BOB, CAROL)] == [1, 0]


@pytest.mark.gen_test
async def test_removing_while_the_call_ends_loses_neither_the_end_nor_the_removal(
    store: CallStore, now: datetime
) -> None:
    for _ in range(25):
        call = await stored(store, answered(placed(now=now), now=now))
        over = rules.hang_up(call, ALICE.id, now)
        ended, removed = await asyncio.gather(store.replace(over, rev=call.rev), store.forget(ALICE.id, call.call_id))
        assert ended and await store.get(call.call_id) == over
        found = calls_of(await store.history(ALICE.id, limit=1, before=None))
        assert (over in found) != removed


@pytest.mark.gen_test
async def test_a_late_change_does_not_bring_back_what_was_removed(store: CallStore, now: datetime) -> None:
    call = await stored(store, answered(placed(now=now), now=now))
    late = rules.socket_lost(call, call.legs[0].leg_id)
    await store.replace(rules.hang_up(call, ALICE.id, now), rev=call.rev)
    await store.forget(ALICE.id, call.call_id)
    assert not await store.replace(late, rev=call.rev)
    assert await store.history(ALICE.id, limit=50) == []


# ── calls of an earlier version ──


def earlier(call: Call) -> dict[str, Any]:
    """The document of a call as versions stored it that knew no tokens."""
    document = document_of(call)
    del document["history"]
    return document


@pytest.mark.gen_test
@pytest.mark.parametrize("batch", [2, 500])
async def test_earlier_calls_get_their_tokens(
    store: CallStore, now: datetime, raw: Raw, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(module, "BATCH", batch)
    calls = [rules.cancel(placed(now=now), ALICE.id, now) for _ in range(5)]
    raw.insert_many([earlier(call) for call in calls])
    assert await store.give_tokens() == 5
    assert calls_of(await store.history(BOB.id, limit=50, kind="missed")) == calls[::-1]


@pytest.mark.gen_test
async def test_what_was_missed_earlier_is_not_unread(store: CallStore, now: datetime, raw: Raw) -> None:
    raw.insert_one(earlier(rules.cancel(placed(now=now), ALICE.id, now)))
    await store.give_tokens()
    assert await store.count_unread(BOB.id) == 0


@pytest.mark.gen_test
async def test_tokens_are_given_once(store: CallStore, now: datetime, raw: Raw) -> None:
    raw.insert_one(earlier(rules.cancel(placed(now=now), ALICE.id, now)))
    await missed(store, now)
    assert [await store.give_tokens() for _ in range(2)] == [1, 0]
    assert await store.count_unread(BOB.id) == 1


@pytest.mark.gen_test
async def test_an_earlier_call_that_goes_on_gets_its_tokens_and_goes_on(
    store: CallStore, now: datetime, raw: Raw
) -> None:
    call = placed(now=now)
    raw.insert_one(earlier(call))
    await store.give_tokens()
    assert await store.replace(rules.cancel(call, ALICE.id, now), rev=call.rev)
    assert await store.count_unread(BOB.id) == 1


@pytest.mark.gen_test
async def test_what_a_crash_has_left_without_anybody_is_removed(store: CallStore, now: datetime, raw: Raw) -> None:
    call = await missed(store, now)
    raw.update_one({}, {"$set": {"history": []}})
    await store.give_tokens()
    assert await store.remove_forgotten() == 1
    assert await store.get(call.call_id) is None


@pytest.mark.gen_test
async def test_an_index_of_an_earlier_version_is_exchanged(store: CallStore, raw: Raw) -> None:
    raw.drop_index("history")
    raw.create_index([("legs.user.id", 1), ("_id", -1)], name="history")
    await store.ensure_indexes()
    assert list(raw.index_information()["history"]["key"]) == [("history", 1), ("_id", -1)]


# ── every query from an index ──

PAGE = 20
LIVE = 1  # calls that go on: whoever wants those that are over passes by them
CROWD = [f"person-{number:03}" for number in range(MAX_PEOPLE)]

Ask = Callable[[CallStore, Call, datetime], Awaitable[object]]

QUERIES: dict[str, Ask] = {
    "insert": lambda store, live, now: store.insert(placed(BOB, caller=CAROL, now=now)),
    "replace": lambda store, live, now: store.replace(rules.acknowledge_ringing(live, BOB.id, now), rev=1),
    "get": lambda store, live, now: store.get(live.call_id),
    "by_client_key": lambda store, live, now: store.by_client_key(ALICE.id, "a key"),
    "live_of_any": lambda store, live, now: store.live_of_any([ALICE.id, BOB.id]),
    "live_of": lambda store, live, now: store.live_of(ALICE.id),
    "due": lambda store, live, now: store.due(now + TIMING.ring),
    "renew_leases": lambda store, live, now: store.renew_leases([live.call_id], now),
    "history": lambda store, live, now: store.history(ALICE.id, limit=PAGE),
    "history, a later page": lambda store, live, now: store.history(ALICE.id, limit=PAGE, before=live.call_id),
    "history, missed": lambda store, live, now: store.history(BOB.id, limit=PAGE, kind="missed"),
    "history, incoming": lambda store, live, now: store.history(BOB.id, limit=PAGE, kind="incoming"),
    "history, outgoing": lambda store, live, now: store.history(ALICE.id, limit=PAGE, kind="outgoing"),
    "history, with somebody": lambda store, live, now: store.history(ALICE.id, limit=PAGE, people=[BOB.id]),
    "history, with many": lambda store, live, now: store.history(ALICE.id, limit=PAGE, people=[*CROWD[1:], BOB.id]),
    "history, missed from many": lambda store, live, now: store.history(
        BOB.id, limit=PAGE, kind="missed", people=[*CROWD[1:], ALICE.id]
    ),
    "history, ended": lambda store, live, now: store.history(ALICE.id, limit=PAGE, state="ended"),
    "history, ringing": lambda store, live, now: store.history(ALICE.id, limit=PAGE, state="ringing"),
    "there_among": lambda store, live, now: store.there_among([live.call_id]),
    "count_unread": lambda store, live, now: store.count_unread(BOB.id),
    "mark_seen": lambda store, live, now: store.mark_seen(CAROL.id),
    "forget": lambda store, live, now: store.forget(ALICE.id, live.call_id),
    "forget_all": lambda store, live, now: store.forget_all(CAROL.id),
    "give_tokens": lambda store, live, now: store.give_tokens(),
    "remove_forgotten": lambda store, live, now: store.remove_forgotten(),
}


@pytest.fixture(scope="module")
def many() -> list[dict[str, Any]]:
    """5,000 ended calls of Alice's to Bob, half of them missed, and some of Carol's."""
    now = today() - timedelta(days=1)
    calls = [rules.cancel(placed(BOB, now=now), ALICE.id, now) for _ in range(2_500)]
    talks = [rules.hang_up(active(answered(placed(BOB, now=now), now=now), now), BOB.id, now) for _ in range(2_500)]
    few = [rules.cancel(placed(CAROL, caller=BOB, now=now), BOB.id, now) for _ in range(PAGE)]
    return [document_of(call) for call in calls + talks + few]


@pytest.mark.gen_test
@pytest.mark.parametrize("name", QUERIES)
async def test_a_query_reads_an_index_and_no_more_calls_than_it_gives(
    store: CallStore, now: datetime, raw: Raw, many: list[dict[str, Any]], profile: Profile, name: str
) -> None:
    raw.insert_many(many)
    live = await stored(store, placed(now=now, client_key="a key"))
    profile()
    await QUERIES[name](store, live, now)
    notes = profile()
    assert notes or name == "insert"
    for note in notes:
        assert "COLLSCAN" not in note["planSummary"]
        assert not note.get("hasSortStage", False)
        assert note.get("docsExamined", 0) <= PAGE + LIVE


def test_no_query_is_left_out() -> None:
    public = {name for name in vars(CallStore) if not name.startswith("_")} - {"ensure_indexes"}
    assert {name.partition(",")[0] for name in QUERIES} == public


@pytest.mark.gen_test
@pytest.mark.parametrize(("number", "sorts"), [(MAX_PEOPLE, False), (MAX_PEOPLE + 1, True)])
async def test_one_more_person_in_a_search_would_be_too_many(
    store: CallStore, raw: Raw, many: list[dict[str, Any]], profile: Profile, number: int, sorts: bool
) -> None:
    raw.insert_many(many)
    profile()
    await store.history(ALICE.id, limit=PAGE, people=[f"person-{each}" for each in range(number)])
    assert [note.get("hasSortStage", False) for note in profile()] == [sorts]


@pytest.mark.gen_test
async def test_a_page_past_the_last_reads_no_call(store: CallStore, raw: Raw, profile: Profile, now: datetime) -> None:
    call = await missed(store, now)
    profile()
    assert await store.history(ALICE.id, limit=PAGE, before=call.call_id) == []
    assert [note["docsExamined"] for note in profile()] == [0]
