"""What two people are to each other, in MongoDB: each change is one write, and of two at once both stand."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from tornado.ioloop import IOLoop

from server.ids import new_id
from server.store.contacts import INDEXES, ContactList, ContactStore, Cursor, Relation, Standing
from server.store.driver import Database
from tests.helpers import today
from tests.store.conftest import Plans

ALICE, BOB, CAROL, DAVE = "a", "b", "c", "d"


@pytest.fixture
def now() -> datetime:
    return today()


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> ContactStore:
    store = ContactStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


async def contacts(store: ContactStore, now: datetime, *others: str) -> None:
    """Alice and each of ``others`` are contacts, a second one after the other."""
    for number, other in enumerate(others or (BOB,)):
        moment = now + timedelta(seconds=number)
        await store.request(ALICE, other, moment)
        await store.accept(other, ALICE, moment)


async def seen(store: ContactStore, user_id: str = ALICE, other_id: str = BOB) -> str:
    return (await store.get(user_id, other_id)).state_for(user_id)


async def listed(store: ContactStore, user_id: str, which: ContactList, limit: int = 50) -> list[str]:
    return [each.other(user_id) for each in await store.page(user_id, which, limit=limit)]


# ── asking ──


@pytest.mark.gen_test
async def test_strangers_are_nothing_to_each_other(store: ContactStore) -> None:
    assert await store.get(BOB, ALICE) == Relation((ALICE, BOB))


@pytest.mark.gen_test
async def test_a_request_is_sent_by_one_and_received_by_the_other(store: ContactStore, now: datetime) -> None:
    asked = await store.request(ALICE, BOB, now)
    assert asked is not None and asked.changed and asked.relation.since_for(BOB) == now
    assert (await seen(store), await seen(store, BOB, ALICE)) == ("sent", "received")


@pytest.mark.gen_test
async def test_a_request_again_changes_nothing(store: ContactStore, now: datetime) -> None:
    await store.request(ALICE, BOB, now)
    asked = await store.request(ALICE, BOB, now + timedelta(hours=1))
    assert asked is not None and (asked.changed, asked.relation.requested_at) == (False, now)


@pytest.mark.gen_test
async def test_a_request_to_a_contact_changes_nothing(store: ContactStore, now: datetime) -> None:
    await contacts(store, now)
    asked = await store.request(BOB, ALICE, now)
    assert asked is not None and (asked.changed, asked.relation.state) == (False, "contacts")


@pytest.mark.gen_test
async def test_a_request_to_one_who_has_asked_makes_both_contacts(store: ContactStore, now: datetime) -> None:
    await store.request(BOB, ALICE, now)
    asked = await store.request(ALICE, BOB, now + timedelta(seconds=1))
    assert asked is not None and (asked.changed, asked.relation.state) == (True, "contacts")
    assert asked.relation.since_for(ALICE) == now + timedelta(seconds=1)


@pytest.mark.gen_test
async def test_two_who_ask_each_other_at_once_become_contacts_each_time(store: ContactStore, now: datetime) -> None:
    pairs = [(new_id(), new_id()) for _ in range(100)]
    await asyncio.gather(
        *(store.request(one, other, now) for one, other in pairs),
        *(store.request(other, one, now) for one, other in pairs),
    )
    assert {(await store.get(one, other)).state for one, other in pairs} == {"contacts"}


@pytest.mark.gen_test
async def test_two_who_ask_again_at_once_after_they_had_parted_become_contacts(
    store: ContactStore, now: datetime
) -> None:
    await contacts(store, now)
    await store.remove(ALICE, BOB)
    await asyncio.gather(store.request(ALICE, BOB, now), store.request(BOB, ALICE, now))
    assert await seen(store) == "contacts"


@pytest.mark.gen_test
async def test_a_request_twenty_times_at_once_is_made_once(store: ContactStore, now: datetime) -> None:
    results = await asyncio.gather(*(store.request(ALICE, BOB, now) for _ in range(20)))
    assert sum(asked is not None and asked.changed for asked in results) == 1
    assert len(await store.requests_since(ALICE, now - timedelta(days=1), limit=50)) == 1


@pytest.mark.gen_test
async def test_what_was_not_asked_cannot_be_accepted_or_declined(store: ContactStore, now: datetime) -> None:
    await store.request(ALICE, BOB, now)
    assert (await store.accept(ALICE, BOB, now), await store.decline(ALICE, BOB)) == (None, None)
    assert (await store.accept(ALICE, CAROL, now), await store.decline(ALICE, CAROL)) == (None, None)


@pytest.mark.gen_test
async def test_a_request_that_was_declined_is_gone_and_may_be_made_again(store: ContactStore, now: datetime) -> None:
    await store.request(ALICE, BOB, now)
    assert await store.decline(BOB, ALICE) is not None
    assert (await seen(store), await seen(store, BOB, ALICE)) == ("none", "none")
    await store.request(ALICE, BOB, now)
    assert await seen(store) == "sent"


@pytest.mark.gen_test
async def test_a_request_is_withdrawn_by_whoever_made_it(store: ContactStore, now: datetime) -> None:
    await store.request(ALICE, BOB, now)
    assert await store.remove(BOB, ALICE) is None
    assert await store.remove(ALICE, BOB) is not None
    assert await seen(store, BOB, ALICE) == "none"


@pytest.mark.gen_test
@pytest.mark.parametrize(("one", "other"), [(ALICE, BOB), (BOB, ALICE)])
async def test_either_of_two_contacts_can_end_it_once(store: ContactStore, now: datetime, one: str, other: str) -> None:
    await contacts(store, now)
    assert await store.remove(one, other) is not None
    assert (await seen(store), await store.remove(one, other)) == ("none", None)


@pytest.mark.gen_test
async def test_of_a_withdrawal_and_an_acceptance_at_once_the_later_one_is_told(
    store: ContactStore, now: datetime
) -> None:
    for other in (new_id() for _ in range(30)):
        await store.request(ALICE, other, now)
        withdrawn, accepted = await asyncio.gather(store.remove(ALICE, other), store.accept(other, ALICE, now))
        # Withdrawn first: there is nothing to accept. Accepted first: the withdrawal ends the contact.
        assert withdrawn is not None and (await store.get(ALICE, other)).state == "none"
        assert accepted is None or accepted.state == "contacts"


@pytest.mark.gen_test
async def test_requests_are_counted_even_when_they_were_withdrawn(store: ContactStore, now: datetime) -> None:
    for other in (BOB, BOB, CAROL):
        await store.request(ALICE, other, now)
        await store.remove(ALICE, other)
    await store.request(ALICE, DAVE, now - timedelta(days=2))
    assert await store.requests_since(ALICE, now - timedelta(days=1), limit=50) == [now, now, now]


@pytest.mark.gen_test
async def test_requests_of_the_other_do_not_count(store: ContactStore, now: datetime) -> None:
    for one, other in ((ALICE, BOB), (BOB, ALICE)):
        await store.request(one, other, now)
        await store.remove(one, other)
    assert await store.requests_since(BOB, now - timedelta(days=1), limit=50) == [now]


# ── favourites ──


@pytest.mark.gen_test
async def test_a_favourite_is_of_the_one_who_made_it(store: ContactStore) -> None:
    relation = await store.set_favourite(ALICE, BOB, True)
    assert relation is not None and relation.favourite_of == (ALICE,)
    assert await listed(store, ALICE, "favourites") == [BOB]
    assert await listed(store, BOB, "favourites") == []


@pytest.mark.gen_test
async def test_a_favourite_needs_no_contact_and_makes_none(store: ContactStore) -> None:
    await store.set_favourite(ALICE, BOB, True)
    assert await seen(store) == "none"


@pytest.mark.gen_test
async def test_a_favourite_twice_is_one_and_goes_at_once(store: ContactStore) -> None:
    for _ in range(2):
        await store.set_favourite(ALICE, BOB, True)
    relation = await store.set_favourite(ALICE, BOB, False)
    assert relation is not None and relation.favourite_of == ()


@pytest.mark.gen_test
async def test_one_who_was_no_favourite_can_be_none(store: ContactStore) -> None:
    assert await store.set_favourite(BOB, ALICE, False) == Relation((ALICE, BOB))


@pytest.mark.gen_test
async def test_one_whom_i_blocked_cannot_become_a_favourite(store: ContactStore) -> None:
    await store.block(ALICE, BOB)
    assert await store.set_favourite(ALICE, BOB, True) is None
    assert await store.set_favourite(BOB, ALICE, True) is not None


@pytest.mark.gen_test
async def test_a_request_comes_after_a_favourite_as_without_one(store: ContactStore, now: datetime) -> None:
    await store.set_favourite(BOB, ALICE, True)
    await contacts(store, now)
    assert (await store.get(ALICE, BOB)).favourite_of == (BOB,)


# ── blocking ──


@pytest.mark.gen_test
async def test_blocking_ends_the_contact_and_the_own_favourite_only(store: ContactStore, now: datetime) -> None:
    await contacts(store, now)
    await store.set_favourite(ALICE, BOB, True)
    await store.set_favourite(BOB, ALICE, True)
    relation = await store.block(ALICE, BOB)
    assert (relation.state, relation.favourite_of, relation.blocked_by) == ("none", (BOB,), (ALICE,))


@pytest.mark.gen_test
@pytest.mark.parametrize(("one", "other"), [(ALICE, BOB), (BOB, ALICE)])
async def test_blocking_ends_requests_both_ways(store: ContactStore, now: datetime, one: str, other: str) -> None:
    await store.request(one, other, now)
    await store.block(ALICE, BOB)
    assert (await seen(store), await seen(store, BOB, ALICE)) == ("none", "none")


@pytest.mark.gen_test
async def test_a_blocked_persons_request_is_taken_and_not_shown(store: ContactStore, now: datetime) -> None:
    await store.block(ALICE, BOB)
    asked = await store.request(BOB, ALICE, now)
    assert asked is not None and asked.changed
    assert (await seen(store, BOB, ALICE), await seen(store)) == ("sent", "none")
    assert (await listed(store, BOB, "sent"), await listed(store, ALICE, "received")) == ([ALICE], [])


@pytest.mark.gen_test
async def test_a_blocked_persons_request_can_be_neither_accepted_nor_declined(
    store: ContactStore, now: datetime
) -> None:
    await store.block(ALICE, BOB)
    await store.request(BOB, ALICE, now)
    assert (await store.accept(ALICE, BOB, now), await store.decline(ALICE, BOB)) == (None, None)


@pytest.mark.gen_test
async def test_nobody_asks_one_whom_they_have_blocked(store: ContactStore, now: datetime) -> None:
    await store.block(ALICE, BOB)
    assert await store.request(ALICE, BOB, now) is None
    await store.request(BOB, ALICE, now)
    assert await store.request(ALICE, BOB, now) is None


@pytest.mark.gen_test
async def test_unblocking_restores_nothing(store: ContactStore, now: datetime) -> None:
    await contacts(store, now)
    await store.set_favourite(ALICE, BOB, True)
    await store.block(ALICE, BOB)
    assert await store.unblock(ALICE, BOB) == await store.get(ALICE, BOB)
    relation = await store.get(ALICE, BOB)
    assert (relation.state, relation.favourite_of, relation.blocked_by) == ("none", (), ())


@pytest.mark.gen_test
async def test_a_request_that_came_during_a_block_is_not_shown_after_it(store: ContactStore, now: datetime) -> None:
    await store.block(ALICE, BOB)
    await store.request(BOB, ALICE, now)
    await store.unblock(ALICE, BOB)
    assert (await seen(store), await seen(store, BOB, ALICE)) == ("none", "none")


@pytest.mark.gen_test
async def test_unblocking_one_who_was_not_blocked_changes_nothing(store: ContactStore, now: datetime) -> None:
    await contacts(store, now)
    assert (await store.unblock(ALICE, BOB)).state == "contacts"


@pytest.mark.gen_test
async def test_two_who_block_each_other_unblock_each_by_themselves(store: ContactStore) -> None:
    await asyncio.gather(store.block(ALICE, BOB), store.block(BOB, ALICE))
    assert (await store.unblock(ALICE, BOB)).blocked_by == (BOB,)


@pytest.mark.gen_test
async def test_pairs_between_which_a_block_began_or_ended_are_found(store: ContactStore, now: datetime) -> None:
    await contacts(store, now, CAROL)
    await store.block(ALICE, BOB)
    await store.block(ALICE, DAVE)
    await store.unblock(ALICE, DAVE)
    found = await store.blocks_changed_since(now - timedelta(minutes=1))
    assert sorted((each.other(ALICE), each.blocked_by) for each in found) == [(BOB, (ALICE,)), (DAVE, ())]
    assert await store.blocks_changed_since(now + timedelta(minutes=1)) == []


# ── how others stand ──


@pytest.mark.gen_test
async def test_standings_say_how_each_stands_towards_a_person(store: ContactStore, now: datetime) -> None:
    await contacts(store, now, BOB)
    await store.set_favourite(BOB, ALICE, True)
    await store.block(CAROL, ALICE)
    assert await store.standings(ALICE, [BOB, CAROL, DAVE]) == {
        BOB: Standing(contact=True, favourite=True),
        CAROL: Standing(blocked=True),
        DAVE: Standing(),
    }


@pytest.mark.gen_test
async def test_what_a_person_did_themselves_says_nothing_of_how_others_stand(store: ContactStore) -> None:
    await store.set_favourite(ALICE, BOB, True)
    await store.block(ALICE, CAROL)
    assert await store.standings(ALICE, [BOB, CAROL]) == {BOB: Standing(), CAROL: Standing()}


@pytest.mark.gen_test
async def test_standings_are_one_read(store: ContactStore, plans: Plans) -> None:
    await store.standings(ALICE, [BOB, CAROL, DAVE])
    assert len(plans()) == 1


@pytest.mark.gen_test
async def test_relations_are_those_that_are_stored(store: ContactStore) -> None:
    blocked = await store.block(BOB, ALICE)
    assert await store.relations(ALICE, [BOB, CAROL]) == {BOB: blocked}
    assert await store.relations(ALICE, []) == {}


@pytest.mark.gen_test
async def test_everything_of_a_person_is_removed(store: ContactStore, now: datetime) -> None:
    await contacts(store, now, BOB, CAROL)
    await store.block(BOB, CAROL)
    assert await store.remove_all(ALICE) == 2
    assert (await listed(store, BOB, "contacts"), await listed(store, BOB, "blocked")) == ([], [CAROL])


# ── lists ──


@pytest.mark.gen_test
async def test_each_list_holds_what_belongs_in_it(store: ContactStore, now: datetime) -> None:
    await contacts(store, now, BOB)
    await store.request(ALICE, CAROL, now)
    await store.request(DAVE, ALICE, now)
    await store.block(ALICE, "e")
    await store.set_favourite(ALICE, "f", True)
    lists: tuple[ContactList, ...] = ("contacts", "sent", "received", "blocked", "favourites")
    assert [await listed(store, ALICE, each) for each in lists] == [[BOB], [CAROL], [DAVE], ["e"], ["f"]]


@pytest.mark.gen_test
async def test_a_list_begins_with_what_is_new(store: ContactStore, now: datetime) -> None:
    await contacts(store, now, BOB, CAROL, DAVE)
    assert await listed(store, ALICE, "contacts") == [DAVE, CAROL, BOB]


@pytest.mark.gen_test
@pytest.mark.parametrize("which", ["contacts", "sent", "blocked"])
@pytest.mark.parametrize("seconds_apart", [0, 1])
async def test_the_pages_of_a_list_are_the_list(
    store: ContactStore, now: datetime, which: ContactList, seconds_apart: int
) -> None:
    for number in range(7):
        other, moment = f"x{number}", now + timedelta(seconds=number * seconds_apart)
        await store.request(ALICE, other, moment)
        if which == "contacts":
            await store.accept(other, ALICE, moment)
        elif which == "blocked":
            await store.block(ALICE, other)
    pages: list[list[str]] = []
    before = None
    while page := await store.page(ALICE, which, limit=3, before=before):
        pages.append([each.other(ALICE) for each in page])
        before = Cursor(page[-1].since_for(ALICE), page[-1].other(ALICE))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [each for page in pages for each in page] == await listed(store, ALICE, which)


# ── indexes ──


@pytest.mark.gen_test
async def test_every_index_is_made(store: ContactStore, db: Database) -> None:
    made = await db._motor.contacts.index_information()
    assert {index.document["name"] for index in INDEXES} == set(made) - {"_id_"}


@pytest.mark.gen_test
async def test_no_query_scans_the_collection_or_sorts_it(store: ContactStore, now: datetime, plans: Plans) -> None:
    await contacts(store, now)
    for which in ("contacts", "received", "sent", "blocked", "favourites"):
        await store.page(ALICE, which, limit=5)
        await store.page(ALICE, which, limit=5, before=Cursor(now, BOB))
    await store.relations(ALICE, [BOB, CAROL])
    await store.blocks_changed_since(now)
    await store.requests_since(ALICE, now, limit=5)
    await store.set_favourite(ALICE, BOB, True)
    await store.block(ALICE, BOB)
    await store.unblock(ALICE, BOB)
    await store.remove_all(ALICE)
    found = plans()
    assert len(found) > 15
    assert [plan for plan in found if "COLLSCAN" in plan or "SORT" in plan] == []
