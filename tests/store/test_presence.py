"""Whom each process sees, in MongoDB."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tornado.ioloop import IOLoop

from server.calls.signs import Signs
from server.ids import new_id
from server.store.driver import Database
from server.store.presence import INDEXES, PresenceStore
from tests.helpers import today
from tests.store.conftest import Plans

USED = Signs(device=True, rings=True, active=True)
UNUSED = Signs(device=True, rings=True)
IN_CALL = Signs(in_call=True)
LEASE = timedelta(seconds=30)


@pytest.fixture
def now() -> datetime:
    return today()


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> PresenceStore:
    store = PresenceStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


@pytest.mark.gen_test
async def test_others_see_what_was_written(store: PresenceStore, now: datetime) -> None:
    await store.add("one", "node 1", {"alice": USED, "bob": UNUSED}, now + LEASE)
    assert await store.others("two", now) == {"alice": USED, "bob": UNUSED}


@pytest.mark.gen_test
async def test_nobody_reads_what_they_wrote_themselves(store: PresenceStore, now: datetime) -> None:
    await store.add("one", "node 1", {"alice": USED}, now + LEASE)
    assert await store.others("one", now) == {}


@pytest.mark.gen_test
async def test_what_several_see_of_somebody_counts_together(store: PresenceStore, now: datetime) -> None:
    await store.add("one", "node 1", {"alice": UNUSED}, now + LEASE)
    await store.add("two", "node 2", {"alice": IN_CALL}, now + LEASE)
    assert await store.others("three", now) == {"alice": Signs(device=True, rings=True, in_call=True)}


@pytest.mark.gen_test
async def test_what_is_written_already_stays_when_it_is_added_again(store: PresenceStore, now: datetime) -> None:
    await store.add("one", "node 1", {"alice": USED}, now + LEASE)
    await store.add("one", "node 1", {"alice": UNUSED, "bob": USED}, now + LEASE)
    assert await store.others("two", now) == {"alice": USED, "bob": USED}


@pytest.mark.gen_test
async def test_what_has_changed_is_written_anew(store: PresenceStore, now: datetime) -> None:
    await store.add("one", "node 1", {"alice": USED, "bob": USED, "carol": USED}, now + LEASE)
    await store.change("one", {"alice": UNUSED, "bob": IN_CALL})
    assert await store.others("two", now) == {"alice": UNUSED, "bob": IN_CALL, "carol": USED}


@pytest.mark.gen_test
async def test_those_who_have_gone_are_gone(store: PresenceStore, now: datetime) -> None:
    await store.add("one", "node 1", {"alice": USED, "bob": USED, "carol": USED}, now + LEASE)
    await store.remove("one", ["alice"])
    await store.keep_only("one", ["bob"])
    assert await store.others("two", now) == {"bob": USED}


@pytest.mark.gen_test
async def test_nothing_to_write_is_no_error(store: PresenceStore, now: datetime) -> None:
    await store.add("one", "node 1", {}, now)
    await store.change("one", {})
    await store.remove("one", [])
    assert await store.others("two", now) == {}


@pytest.mark.gen_test
async def test_what_is_not_renewed_counts_no_longer(store: PresenceStore, now: datetime) -> None:
    await store.add("one", "node 1", {"alice": USED}, now + LEASE)
    assert await store.others("two", now + LEASE) == {}


@pytest.mark.gen_test
async def test_a_renewal_is_of_everybody_of_that_process(store: PresenceStore, now: datetime) -> None:
    for epoch in ("one", "two"):
        await store.add(epoch, f"node of {epoch}", {f"{epoch}'s": USED}, now + LEASE)
    assert await store.renew("one", now + 2 * LEASE) == 1
    assert await store.others("three", now + LEASE) == {"one's": USED}


@pytest.mark.gen_test
async def test_what_earlier_processes_of_a_node_left_is_removed(store: PresenceStore, now: datetime) -> None:
    await store.add("1", "node 1", {"alice": USED}, now + LEASE)
    await store.add("2", "node 1", {"bob": USED}, now + LEASE)
    await store.add("0", "node 2", {"carol": USED}, now + LEASE)
    assert await store.remove_earlier("2", "node 1") == 1
    assert await store.others("3", now) == {"bob": USED, "carol": USED}


@pytest.mark.gen_test
async def test_an_earlier_process_leaves_what_a_later_one_of_its_name_has_written(
    store: PresenceStore, now: datetime
) -> None:
    earlier, later = new_id(), new_id()
    await store.add(later, "node 1", {"alice": USED}, now + LEASE)
    assert await store.remove_earlier(earlier, "node 1") == 0
    assert await store.others(earlier, now) == {"alice": USED}


@pytest.mark.gen_test
async def test_every_index_is_made(store: PresenceStore, db: Database) -> None:
    made = await db._motor.presence.index_information()
    assert {index.document["name"] for index in INDEXES} == set(made) - {"_id_"}
    assert made["expiry"]["expireAfterSeconds"] > 0


@pytest.mark.gen_test
async def test_no_query_scans_the_collection(store: PresenceStore, now: datetime, plans: Plans) -> None:
    await store.add("one", "node 1", {"alice": USED}, now + LEASE)
    await store.change("one", {"alice": UNUSED})
    await store.renew("one", now + LEASE)
    await store.others("two", now)
    await store.remove("one", ["bob"])
    await store.keep_only("one", ["alice"])
    await store.remove_earlier("two", "node 1")
    found = plans()
    assert len(found) == 6
    assert [plan for plan in found if "COLLSCAN" in plan] == []
