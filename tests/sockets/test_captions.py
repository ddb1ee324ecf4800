"""``caption``: what somebody says, as text, for everybody in the call; what has been said stays with it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.calls import transcript
from tests.peer import Peer
from tests.running import Answer, Person, Running
from tests.sockets.test_groups import three_in


async def transcript_of(someone: Person, call: dict[str, Any], query: str = "") -> Answer:
    return await someone.api("GET", f"/calls/{call['call_id']}/transcript{query}")


async def texts(someone: Person, call: dict[str, Any]) -> list[str]:
    return [line["text"] for line in (await transcript_of(someone, call)).document["items"]]


async def say(mine: Peer, segment: str, text: str, final: bool = True) -> None:
    answer = await mine.request("caption", segment=segment, text=text, final=final)
    assert answer["type"] == "ack", answer


class TestTelling:
    @pytest.mark.gen_test
    async def test_everybody_reads_what_is_said_the_speaker_too(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await say(mine, "a-1", "Good mor", final=False)
        for reader in (mine, theirs):
            told = await reader.next("caption")
            assert (told["call_id"], told["user_id"], told["leg_id"]) == (call["call_id"], alice.id, mine.leg_id)
            assert (told["segment"], told["text"], told["final"]) == ("a-1", "Good mor", False)

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        ("field", "value"), [("segment", ""), ("segment", "s" * 41), ("text", "t" * 1_001), ("final", "yes")]
    )
    async def test_what_is_no_caption_is_refused_by_name(self, running: Running, field: str, value: object) -> None:
        _, mine, _ = await running.both_in(*await running.people("alice", "bob"))
        answer = await mine.request("caption", **({"segment": "a", "text": "b", "final": True} | {field: value}))
        assert (answer["code"], set(answer["errors"])) == ("bad_request", {field})


class TestKeeping:
    @pytest.mark.gen_test
    async def test_what_has_been_said_stays_with_the_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await say(mine, "a-1", "Good morning.")
        await say(theirs, "b-1", " Hello. ")
        await alice.do("hangup", call)
        for someone in (alice, bob):
            first, second = (await transcript_of(someone, call)).document["items"]
            assert (first["leg_id"], first["user"]["username"], first["text"]) == (
                mine.leg_id,
                "alice",
                "Good morning.",
            )
            assert (second["user"]["username"], second["text"]) == ("bob", "Hello.")

    @pytest.mark.gen_test
    async def test_a_line_can_be_told_from_the_caption_that_it_was(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, _ = await running.both_in(alice, bob)
        await say(mine, "a:1", "Good morning.")
        (line,) = (await transcript_of(bob, call)).document["items"]
        assert (line["leg_id"], line["segment"]) == (mine.leg_id, "a:1")

    @pytest.mark.gen_test
    async def test_what_is_still_being_said_is_not_kept(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, _ = await running.both_in(alice, bob)
        await say(mine, "a-1", "Good mor", final=False)
        await say(mine, "a-2", "   ")
        assert await texts(bob, call) == []

    @pytest.mark.gen_test
    async def test_a_caption_that_is_sent_twice_is_kept_once(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        for _ in range(2):
            await say(mine, "1", "Good morning.")
        await say(theirs, "1", "Hello.")
        assert await texts(bob, call) == ["Good morning.", "Hello."]

    @pytest.mark.gen_test
    async def test_of_a_call_only_so_much_is_kept(self, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("server.rooms.captions.MAX_LINES", 1)
        assert transcript.MAX_LINES == 10_000
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await say(mine, "1", "Good morning.")
        await say(mine, "2", "How are you?")
        assert await texts(bob, call) == ["Good morning."]
        assert [(await theirs.next("caption"))["segment"] for _ in range(2)] == ["1", "2"]

    @pytest.mark.gen_test
    async def test_it_goes_with_the_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, _ = await running.both_in(alice, bob)
        await say(mine, "1", "Good morning.")
        await alice.do("hangup", call)
        for someone in (alice, bob):
            await someone.api("DELETE", f"/calls/{call['call_id']}")
        await running.until(lambda: len(running.services.background) == 0)
        assert await running.services.transcripts.count(call["call_id"]) == 0


class TestReading:
    @pytest.mark.gen_test
    async def test_it_comes_in_pages_the_newest_first(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, _ = await running.both_in(alice, bob)
        for number in range(3):
            await say(mine, str(number), f"number {number}")
        newest = (await transcript_of(bob, call, "?limit=2")).document
        assert [line["text"] for line in newest["items"]] == ["number 1", "number 2"]
        before = (await transcript_of(bob, call, f"?limit=2&before={newest['next']}")).document
        assert ([line["text"] for line in before["items"]], before["next"]) == (["number 0"], None)

    @pytest.mark.gen_test
    async def test_it_is_for_people_who_took_part(self, running: Running) -> None:
        alice, bob, mallory = await running.people("alice", "bob", "mallory")
        call = await alice.place("bob")
        assert (await transcript_of(bob, call)).code == "forbidden"
        assert (await transcript_of(mallory, call)).code == "not_found"
        assert (await running.api("GET", f"/calls/{call['call_id']}/transcript")).status == 401

    @pytest.mark.gen_test
    async def test_whoever_has_left_reads_what_was_said_before(self, running: Running) -> None:
        call, people, (mine, _, hers) = await three_in(running)
        await say(mine, "1", "She is here.")
        await hers.request("leave")
        await asyncio.sleep(0.002)  # moments are stored to the millisecond
        await say(mine, "2", "She has gone.")
        assert [await texts(person, call) for person in people[1:]] == [
            ["She is here.", "She has gone."],
            ["She is here."],
        ]

    @pytest.mark.gen_test
    async def test_the_page_says_so_also_to_whoever_declined_to_come_back(self, running: Running) -> None:
        call, people, (mine, _, hers) = await three_in(running)
        await say(mine, "1", "She is here.")
        await hers.request("leave")
        await mine.request("invite", usernames=["carol"])
        await people[2].do("decline", call)
        cookie = {"Cookie": f"ringback_session={people[2].page_cookie()}"}
        assert b'"transcript":true' in (await running.fetch("GET", f"/call/{call['call_id']}", headers=cookie)).body

    @pytest.mark.gen_test
    async def test_a_page_before_nothing_is_refused(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, _, _ = await running.both_in(alice, bob)
        answer = await transcript_of(alice, call, "?before=yesterday")
        assert (answer.code, set(answer.document["errors"])) == ("bad_request", {"before"})

    @pytest.mark.gen_test
    async def test_the_page_of_the_call_knows_whether_there_is_one(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, _ = await running.both_in(alice, bob)
        cookie = {"Cookie": f"ringback_session={bob.page_cookie()}"}
        before = await running.fetch("GET", f"/call/{call['call_id']}", headers=cookie)
        assert b'"transcript":false' in before.body
        await say(mine, "1", "Good morning.")
        after = await running.fetch("GET", f"/call/{call['call_id']}", headers=cookie)
        assert b'"transcript":true' in after.body
