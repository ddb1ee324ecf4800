"""Roadmaps over HTTP and as a page: for those who were in the call, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from server.ids import new_id
from server.roadmaps.model import Roadmap
from server.store.roadmaps import RoadmapStore
from tests.helpers import today
from tests.running import Answer, Person, Running

pytestmark = pytest.mark.gen_test

DOCUMENT = "# Plan\n\n- [ ] **Bob**: Call <script>alert(1)</script>\n"


async def roadmap_of(*readers: Person, call_id: str | None = None) -> str:
    """A roadmap that these people may read; the first has made it."""
    made_by = readers[0].user.ref
    roadmap = Roadmap(
        roadmap_id=new_id(),
        call_id=call_id or new_id(),
        task_id=new_id(),
        title="Plan",
        language="en",
        document=DOCUMENT,
        readers=tuple(reader.id for reader in readers),
        made_by=made_by,
        changed_by=made_by,
        created_at=today(),
        changed_at=today(),
    )
    await RoadmapStore(readers[0].running.services.database).insert(roadmap)
    return roadmap.roadmap_id


async def edit(person: Person, roadmap_id: str, document: str, rev: int = 1) -> Answer:
    return await person.api("PUT", f"/roadmaps/{roadmap_id}", {"document": document, "rev": rev})


async def get(person: Person, roadmap_id: str) -> Any:
    return (await person.api("GET", f"/roadmaps/{roadmap_id}")).document


async def test_everybody_who_was_in_the_call_reads_it(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    roadmap_id = await roadmap_of(alice, bob)
    read = await get(bob, roadmap_id)
    assert (read["document"], read["rev"], read["made_by"]["username"]) == (DOCUMENT, 1, "alice")


async def test_for_all_others_there_is_none(running: Running) -> None:
    alice, carol = await running.people("alice", "carol")
    path = f"/roadmaps/{await roadmap_of(alice)}"
    answers = [
        await carol.api("GET", path),
        await carol.api("GET", f"/roadmaps/{new_id()}"),
        await carol.api("GET", f"{path}/document"),
        await carol.api("PUT", path, {"document": "x", "rev": 1}),
        await carol.api("DELETE", path),
    ]
    assert [(answer.status, answer.code) for answer in answers] == [(404, "not_found")] * 5


async def test_everybody_who_was_in_the_call_edits_it(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    roadmap_id = await roadmap_of(alice, bob)
    edited = (await edit(bob, roadmap_id, "Hello\n# Our *plan*\n")).document
    assert (edited["title"], edited["rev"], edited["changed_by"]["username"]) == ("Our *plan*", 2, "bob")
    assert await get(alice, roadmap_id) == edited


async def test_nobody_overwrites_what_they_have_not_seen(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    roadmap_id = await roadmap_of(alice, bob)
    await edit(bob, roadmap_id, "# Bob's")
    late = await edit(alice, roadmap_id, "# Alice's")
    assert (late.status, late.code) == (409, "conflict")
    assert (await get(alice, roadmap_id))["document"] == "# Bob's"


@pytest.mark.parametrize("document", ["", " \n", "x" * 100_001])
async def test_a_document_that_is_empty_or_too_long_is_refused(running: Running, document: str) -> None:
    alice = await running.person("alice")
    answer = await edit(alice, await roadmap_of(alice), document)
    assert (answer.status, list(answer.document["errors"])) == (400, ["document"])


async def test_the_longest_document_is_taken_in_chinese_too(running: Running) -> None:
    alice = await running.person("alice")
    assert (await edit(alice, await roadmap_of(alice), "好" * 100_000)).status == 200


async def test_it_is_fetched_as_a_file(running: Running) -> None:
    alice = await running.person("alice")
    answer = await alice.api("GET", f"/roadmaps/{await roadmap_of(alice)}/document")
    assert answer.body.decode() == DOCUMENT
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="roadmap-20')


async def test_whoever_made_it_deletes_it(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    path = f"/roadmaps/{await roadmap_of(alice, bob)}"
    assert (await bob.api("DELETE", path)).status == 403
    assert (await alice.api("DELETE", path)).status == 204
    assert (await bob.api("GET", path)).status == 404


async def test_a_person_finds_all_of_theirs_newest_first(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    ids = [await roadmap_of(alice), await roadmap_of(alice, bob), await roadmap_of(bob)]
    first = (await alice.api("GET", "/roadmaps?limit=1")).document
    rest = (await alice.api("GET", f"/roadmaps?limit=1&before={first['next']}")).document
    assert [page["items"][0]["roadmap_id"] for page in (first, rest)] == [ids[1], ids[0]]
    assert rest["next"] is None


async def test_a_page_after_something_else_than_an_id_is_refused(running: Running) -> None:
    alice = await running.person("alice")
    answer = await alice.api("GET", "/roadmaps?before=yesterday")
    assert (answer.status, list(answer.document["errors"])) == (400, ["before"])


async def test_it_goes_with_what_was_said_in_the_call(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await alice.place("bob")
    await bob.do("answer", call)
    await alice.do("hangup", call)
    roadmap_id = await roadmap_of(alice, bob, call_id=call["call_id"])
    for person in (alice, bob):
        await person.api("DELETE", f"/calls/{call['call_id']}")
    await running.services.background.finish(5.0)
    assert (await alice.api("GET", f"/roadmaps/{roadmap_id}")).status == 404


async def test_whose_account_is_removed_reads_none_any_more(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    roadmap_id = await roadmap_of(alice, bob)
    await running.services.accounts.remove(bob.user)
    kept = await RoadmapStore(running.services.database).get(roadmap_id, alice.id)
    assert kept is not None and kept.readers == (alice.id,)


async def test_an_edit_that_is_under_way_does_not_bring_a_removed_account_back(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    store, roadmap_id = RoadmapStore(running.services.database), await roadmap_of(alice, bob)
    read = await store.get(roadmap_id, alice.id)
    assert read is not None
    await running.services.accounts.remove(bob.user)
    assert await store.change(replace(read, document="# Edited", rev=2), rev=1)
    kept = await store.get(roadmap_id, alice.id)
    assert kept is not None and (kept.readers, kept.document) == ((alice.id,), "# Edited")


async def test_its_page_holds_it_as_data_and_never_as_markup(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    roadmap_id = await roadmap_of(alice, bob)
    page = (await page_of(alice, roadmap_id)).body.decode()
    assert "<script>alert" not in page and "alert(1)" in page
    assert 'id="delete"' in page
    assert 'id="delete"' not in (await page_of(bob, roadmap_id)).body.decode()


async def test_its_page_is_not_there_for_others(running: Running) -> None:
    alice, carol = await running.people("alice", "carol")
    assert (await page_of(carol, await roadmap_of(alice))).status == 404


async def page_of(person: Person, roadmap_id: str) -> Answer:
    cookie = {"Cookie": f"ringback_session={person.page_cookie()}"}
    return await person.running.fetch("GET", f"/roadmaps/{roadmap_id}", headers=cookie)
