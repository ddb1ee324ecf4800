"""What is written in a call: stored, told, and read by whoever takes part, then or later."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.peer import Peer
from tests.running import Person, Running, StallingMongo, Start
from tests.sockets.test_groups import three_in


async def written(person: Person, call: dict[str, Any], query: str = "") -> dict[str, Any]:
    """What somebody reads over HTTP."""
    document: dict[str, Any] = (await person.api("GET", f"/calls/{call['call_id']}/chat{query}")).document
    return document


async def talking(running: Running) -> tuple[dict[str, Any], Person, Person, Peer, Peer]:
    alice, bob = await running.people("alice", "bob")
    call, mine, theirs = await running.both_in(alice, bob)
    return call, alice, bob, mine, theirs


class TestWriting:
    @pytest.mark.gen_test
    async def test_is_stored_with_the_call(self, running: Running) -> None:
        call, alice, bob, mine, _ = await talking(running)
        ack = await mine.request("chat", text="<b>Grüße</b>")
        for person in (alice, bob):
            (message,) = (await written(person, call))["items"]
            assert (message["message_id"], message["text"]) == (ack["message_id"], "<b>Grüße</b>")
            assert (message["user"]["id"], set(message)) == (
                alice.id,
                {"message_id", "user", "text", "sent_at", "client_id"},
            )

    @pytest.mark.gen_test
    async def test_twice_under_one_name_is_one_message(self, running: Running) -> None:
        call, alice, _, mine, theirs = await talking(running)
        acks = [await mine.request("chat", text="hello", client_id="c-1") for _ in range(2)]
        assert acks[0]["message_id"] == acks[1]["message_id"]
        assert (await theirs.settled()).count("chat") == 1
        assert len((await written(alice, call))["items"]) == 1

    @pytest.mark.gen_test
    async def test_comes_back_with_the_name_that_its_writer_gave_it(self, running: Running) -> None:
        call, alice, _, mine, theirs = await talking(running)
        await mine.request("chat", text="hello", client_id="c-1")
        (read,) = (await written(alice, call))["items"]
        heard, own = await theirs.next("chat"), await mine.next("chat")
        assert (heard["client_id"], own["client_id"], read["client_id"]) == ("c-1", "c-1", "c-1")

    @pytest.mark.gen_test
    async def test_under_one_name_at_the_same_time_is_one_message(self, running: Running) -> None:
        call, alice, *_ = await talking(running)
        chats = running.services.chats
        messages = await asyncio.gather(*(chats.write(call["call_id"], alice.user.ref, "x", "c-1") for _ in range(5)))
        assert len({message.message_id for message in messages}) == 1

    @pytest.mark.gen_test
    async def test_a_name_is_the_writers_own(self, running: Running) -> None:
        call, alice, _, mine, theirs = await talking(running)
        for room in (mine, theirs):
            await room.request("chat", text="hello", client_id="c-1")
        assert len((await written(alice, call))["items"]) == 2

    @pytest.mark.gen_test
    async def test_in_a_stall_is_refused_and_can_be_repeated(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides(timeout_ms=1000))
        call, alice, _, mine, theirs = await talking(running)
        with stalling.stalled():
            refused = await mine.request("chat", text="hello", client_id="c-1")
        assert (refused["code"], refused["retryable"]) == ("unavailable", True)
        assert (await mine.request("chat", text="hello", client_id="c-1"))["type"] == "ack"
        assert (await theirs.next("chat"))["text"] == "hello"
        assert len((await written(alice, call))["items"]) == 1

    @pytest.mark.gen_test
    async def test_more_than_is_kept_is_refused(self, start: Start) -> None:
        running = await start({"calls.max_chat_messages": 2})
        _, _, _, mine, theirs = await talking(running)
        answers = [await mine.request("chat", text=str(number)) for number in range(3)]
        assert [answer.get("code") for answer in answers] == [None, None, "chat_full"]
        assert (await theirs.settled()).count("chat") == 2

    @pytest.mark.gen_test
    @pytest.mark.parametrize("client_id", ["", "x" * 65, 1])
    async def test_under_a_name_that_is_none_is_refused(self, running: Running, client_id: object) -> None:
        _, _, _, mine, _ = await talking(running)
        answer = await mine.request("chat", text="hello", client_id=client_id)
        assert (answer["code"], set(answer["errors"])) == ("bad_request", {"client_id"})


class TestReading:
    @pytest.mark.gen_test
    async def test_whoever_comes_later_has_it_in_the_snapshot(self, running: Running) -> None:
        call, alice, bob, mine, theirs = await talking(running)
        for room, text in ((mine, "one"), (theirs, "two")):
            await room.request("chat", text=text)
        again = (await bob.room(call)).connected["snapshot"]["chat"]
        assert [(message["text"], message["user"]["id"]) for message in again] == [("one", alice.id), ("two", bob.id)]

    @pytest.mark.gen_test
    async def test_another_process_has_it_too(self, start: Start) -> None:
        first = await start()
        call, alice, _, mine, _ = await talking(first)
        await mine.request("chat", text="hello")
        second = await start()
        elsewhere = Person(second, alice.user, alice.sign_in_id)
        snapshot = (await elsewhere.room(call)).connected["snapshot"]
        assert [message["text"] for message in snapshot["chat"]] == ["hello"]

    @pytest.mark.gen_test
    async def test_the_snapshot_has_the_newest_50_and_http_the_rest(self, running: Running) -> None:
        call, alice, bob, *_ = await talking(running)
        for number in range(60):
            await running.services.chats.write(call["call_id"], alice.user.ref, str(number))
        shown = (await bob.room(call)).connected["snapshot"]["chat"]
        assert [message["text"] for message in shown] == [str(number) for number in range(10, 60)]
        older = await written(bob, call, f"?before={shown[0]['message_id']}")
        assert [message["text"] for message in older["items"]] == [str(number) for number in range(9, -1, -1)]

    @pytest.mark.gen_test
    async def test_it_is_read_in_pages_newest_first(self, running: Running) -> None:
        call, alice, *_ = await talking(running)
        for number in range(5):
            await running.services.chats.write(call["call_id"], alice.user.ref, str(number))
        texts, before = [], ""
        while before is not None:
            page = await written(alice, call, "?limit=2" + (f"&before={before}" if before else ""))
            texts += [message["text"] for message in page["items"]]
            before = page["next"]
        assert texts == ["4", "3", "2", "1", "0"]

    @pytest.mark.gen_test
    async def test_it_is_there_when_the_call_is_over(self, running: Running) -> None:
        call, alice, bob, mine, _ = await talking(running)
        await mine.request("chat", text="bye")
        await alice.do("hangup", call)
        assert [message["text"] for message in (await written(bob, call))["items"]] == ["bye"]

    @pytest.mark.gen_test
    async def test_whoever_has_left_reads_what_was_written_before(self, running: Running) -> None:
        call, alice, bob, mine, theirs = await talking(running)
        await running.person("carol")
        await mine.request("invite", usernames=["carol"])
        await mine.request("chat", text="he is here")
        await theirs.request("leave")
        await asyncio.sleep(0.002)  # moments are stored to the millisecond
        await mine.request("chat", text="he has gone")
        assert [message["text"] for message in (await written(bob, call))["items"]] == ["he is here"]
        await alice.do("hangup", call)
        assert [message["text"] for message in (await written(bob, call))["items"]] == ["he is here"]

    @pytest.mark.gen_test
    @pytest.mark.parametrize("comes_back", [False, True])
    async def test_whoever_is_called_back_reads_the_rest_when_they_are_there(
        self, running: Running, comes_back: bool
    ) -> None:
        call, people, (mine, _, hers) = await three_in(running)
        await hers.request("leave")
        await asyncio.sleep(0.002)  # moments are stored to the millisecond
        await mine.request("chat", text="she has gone")
        await mine.request("invite", usernames=["carol"])
        await people[2].do("answer" if comes_back else "decline", call)
        items = (await written(people[2], call))["items"]
        assert [message["text"] for message in items] == (["she has gone"] if comes_back else [])

    @pytest.mark.gen_test
    async def test_whoever_declined_does_not_read_it(self, running: Running) -> None:
        call, _, _, mine, _ = await talking(running)
        carol = await running.person("carol")
        await mine.request("invite", usernames=["carol"])
        await carol.do("decline", call)
        answer = await carol.api("GET", f"/calls/{call['call_id']}/chat")
        assert (answer.status, answer.code) == (403, "forbidden")

    @pytest.mark.gen_test
    async def test_strangers_find_nothing(self, running: Running) -> None:
        call, *_ = await talking(running)
        carol = await running.person("carol")
        answer = await carol.api("GET", f"/calls/{call['call_id']}/chat")
        assert (answer.status, answer.code) == (404, "not_found")

    @pytest.mark.gen_test
    @pytest.mark.parametrize("query", ["before=x", "limit=0", "limit=101"])
    async def test_what_is_no_page_is_refused(self, running: Running, query: str) -> None:
        call, alice, *_ = await talking(running)
        answer = await alice.api("GET", f"/calls/{call['call_id']}/chat?{query}")
        assert (answer.status, set(answer.document["errors"])) == (400, {query.partition("=")[0]})

    @pytest.mark.gen_test
    async def test_it_goes_with_the_call(self, running: Running) -> None:
        call, alice, bob, mine, _ = await talking(running)
        await mine.request("chat", text="hello")
        await alice.do("hangup", call)
        await alice.api("DELETE", f"/calls/{call['call_id']}")
        assert len(await running.services.chats.newest(call["call_id"], 9)) == 1
        await bob.api("DELETE", f"/calls/{call['call_id']}")
        await running.until(lambda: len(running.services.background) == 0, "it is removed")
        assert await running.services.chats.newest(call["call_id"], 9) == []
