"""Dialogues over HTTP: started, listed, read, deleted."""

from __future__ import annotations

import pytest

from server.ids import new_id
from tests.dialogues.talking import QUESTION, TITLE, Talking, begin, book_of, start_dialogue
from tests.running import Start


@pytest.mark.gen_test
async def test_a_dialogue_is_started_about_a_book_that_one_may_read(offline: Talking) -> None:
    assert offline.dialogue | {"title": TITLE, "responder": "offline"} == offline.dialogue
    assert offline.dialogue["book"] == {"book_id": offline.book_id, "title": TITLE}
    assert offline.dialogue["ws_url"] == f"/api/v1/ws/dialogue/{offline.session_id}"
    mallory = await offline.running.person("mallory")
    for book_id in (offline.book_id, new_id(), "nonsense"):
        answer = await start_dialogue(mallory, book_id)
        assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.gen_test
async def test_a_book_that_is_not_ready_cannot_be_asked(offline: Talking) -> None:
    book_id = await book_of(offline.running, offline.alice.id, state="importing")
    answer = await start_dialogue(offline.alice, book_id)
    assert (answer.status, answer.code) == (409, "bad_state")


@pytest.mark.gen_test
async def test_there_is_a_limit_to_what_one_person_begins_and_writes_in_a_minute(start: Start) -> None:
    talking = await begin(await start({"dialogues.messages_per_minute": 1}))
    answer = await start_dialogue(talking.alice, talking.book_id)
    assert (answer.status, answer.code) == (429, "rate_limited")
    peer = await talking.open()
    assert (await peer.request("message", text=QUESTION))["code"] == "rate_limited"
    talking.running.clock.move(60)
    assert (await talking.replied(peer))["state"] == "complete"


@pytest.mark.gen_test
async def test_the_list_has_ones_own_the_one_last_written_in_first(offline: Talking) -> None:
    others = [(await start_dialogue(offline.alice, offline.book_id)).document for _ in range(2)]
    await offline.another("mallory")
    offline.running.clock.move(1)
    reply = await offline.replied(await offline.open())
    first = (await offline.alice.api("GET", "/dialogues?limit=2")).document
    rest = (await offline.alice.api("GET", f"/dialogues?before={first['next']}")).document
    ids = [item["session_id"] for item in first["items"] + rest["items"]]
    assert ids == [offline.session_id, others[1]["session_id"], others[0]["session_id"]]
    assert (len(first["items"]), rest["next"]) == (2, None)
    assert (first["items"][0]["title"], first["items"][1]["last_message"]) == (QUESTION, None)
    assert first["items"][0]["last_message"]["message_id"] == reply["message_id"]


@pytest.mark.gen_test
async def test_the_history_comes_in_pages_the_newest_first(offline: Talking) -> None:
    await offline.has_said(1, 2, 3)
    path = f"/dialogues/{offline.session_id}"
    numbers, before = [], ""
    for _ in range(3):
        page = (await offline.alice.api("GET", f"{path}?limit=2{before}")).document
        numbers.append([message["number"] for message in page["messages"]])
        before = f"&before={page['next']}"
    assert (numbers, page["next"]) == ([[5, 6], [3, 4], [1, 2]], None)
    odd = (await offline.alice.api("GET", f"{path}?limit=3&before=6")).document
    assert [message["number"] for message in odd["messages"]] == [3, 4, 5]


@pytest.mark.gen_test
async def test_what_is_no_cursor_is_refused(offline: Talking) -> None:
    for path in ("/dialogues", f"/dialogues/{offline.session_id}"):
        answer = await offline.alice.api("GET", f"{path}?before=x")
        assert (answer.status, list(answer.document["errors"])) == (400, ["before"])


@pytest.mark.gen_test
async def test_a_dialogue_is_its_owners_alone_and_gone_when_it_is_deleted(offline: Talking) -> None:
    await offline.replied(await offline.open())
    mallory = await offline.running.person("mallory")
    path = f"/dialogues/{offline.session_id}"
    for method in ("GET", "DELETE"):
        assert (await mallory.api(method, path)).status == 404
    assert (await offline.alice.api("DELETE", path)).status == 204
    for method in ("GET", "DELETE"):
        assert (await offline.alice.api(method, path)).status == 404
    assert (await offline.alice.api("GET", "/dialogues")).document["items"] == []
    assert await offline.store.turns(offline.session_id, limit=5) == []
