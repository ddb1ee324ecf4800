"""Roadmaps in MongoDB."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tornado.ioloop import IOLoop

from server.ids import new_id
from server.roadmaps.model import Roadmap
from server.store.driver import Database, Duplicate
from server.store.roadmaps import RoadmapStore
from tests.helpers import ALICE, BOB, today
from tests.store.conftest import Plans


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> RoadmapStore:
    store = RoadmapStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


def roadmap(call_id: str = "k-1") -> Roadmap:
    readers = (ALICE.id, BOB.id)
    return Roadmap(new_id(), call_id, "t-1", "Plan", "en", "# Plan", readers, ALICE, ALICE, today(), today())


@pytest.mark.gen_test
async def test_a_roadmap_comes_back_as_it_was(store: RoadmapStore) -> None:
    made = roadmap()
    await store.insert(made)
    assert await store.get(made.roadmap_id, BOB.id) == await store.of_call("k-1") == made
    assert await store.get(made.roadmap_id, "somebody") is None


@pytest.mark.gen_test
async def test_a_call_has_one_at_most(store: RoadmapStore) -> None:
    await store.insert(roadmap())
    with pytest.raises(Duplicate):
        await store.insert(roadmap())


@pytest.mark.gen_test
async def test_it_is_changed_on_condition_of_its_rev(store: RoadmapStore) -> None:
    made = roadmap()
    await store.insert(made)
    assert await store.change(replace(made, document="# A", rev=2), rev=1)
    assert not await store.change(replace(made, document="# B", rev=2), rev=1)
    kept = await store.of_call("k-1")
    assert kept is not None and kept.document == "# A"


@pytest.mark.gen_test
async def test_what_belongs_to_calls_goes_with_them(store: RoadmapStore) -> None:
    for call_id in ("k-1", "k-2"):
        await store.insert(roadmap(call_id))
    assert await store.remove_of_calls(["k-1"]) == 1
    assert await store.of_call("k-1") is None and await store.of_call("k-2") is not None


@pytest.mark.gen_test
async def test_every_question_has_its_index(store: RoadmapStore, plans: Plans) -> None:
    await store.of_call("k-1")
    await store.of(ALICE.id, limit=5, before="m")
    await store.forget_reader(ALICE.id)
    await store.remove_of_calls(["k-1"])
    assert [plan for plan in plans() if "IXSCAN" not in plan or "SORT" in plan] == []
