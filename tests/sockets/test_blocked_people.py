"""Whoever has blocked the caller hears nothing, and nobody else learns of it: over HTTP, sockets, pages and history."""

from __future__ import annotations

from typing import Any

import pytest

from tests.peer import Peer
from tests.running import Answer, Person, Running
from tests.sockets.test_ringing import Call, changed, leg, now


async def blocks(person: Person, other: Person) -> None:
    """``person`` blocks the other, as people do."""
    assert (await person.api("PUT", f"/contacts/{other.id}/block")).status == 200


async def blocked_pair(running: Running) -> tuple[Person, Person, Peer]:
    """Alice, Bob, who has blocked her, and his device."""
    alice, bob = await running.people("alice", "bob")
    await blocks(bob, alice)
    return alice, bob, await bob.inbox()


async def seem_to_ring(running: Running) -> None:
    """The moment passes after which a telephone would ring."""
    running.clock.move(1.3)
    await running.server.sweep()


class TestTheCaller:
    @pytest.mark.gen_test
    async def test_sees_it_ring_and_nobody_answer(self, running: Running) -> None:
        alice, bob, _ = await blocked_pair(running)
        mine = await alice.inbox()
        call = await alice.place("bob")
        assert (call["state"], leg(call, bob)["state"]) == ("inviting", "invited")
        await seem_to_ring(running)
        ringing = await mine.next("call", user_id=bob.id)
        assert (ringing["call"]["state"], leg(ringing["call"], bob)["state"]) == ("ringing", "ringing")
        running.clock.move(45)
        assert (await running.server.sweep()).expired == 1
        ended = await changed(mine, call, state="ended")
        assert (ended["end_reason"], ended["ended_by"], leg(ended, bob)["state"]) == ("no_answer", None, "missed")

    @pytest.mark.gen_test
    async def test_sees_each_ring_at_its_own_moment_though_no_sweep_comes(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        for person in (bob, carol):
            await blocks(person, alice)
        mine = await alice.inbox()
        await alice.place("bob", "carol")
        for person in (bob, carol):
            shown = (await mine.next("call", user_id=person.id))["call"]
            assert (shown["state"], leg(shown, person)["state"]) == ("ringing", "ringing")

    @pytest.mark.gen_test
    async def test_seeming_to_ring_is_no_deadline_that_has_passed(self, running: Running) -> None:
        alice, _, _ = await blocked_pair(running)
        await alice.place("bob")
        running.clock.move(1.3)
        assert (await running.server.sweep()).expired == 0

    @pytest.mark.gen_test
    async def test_is_told_of_a_block_by_nothing_that_they_ever_get(self, running: Running) -> None:
        alice, bob, _ = await blocked_pair(running)
        mine = await alice.inbox()
        answers: list[Answer] = []

        async def ask(method: str, path: str, body: Any = None) -> Any:
            answers.append(await alice.api(method, path, body))
            return answers[-1].document if answers[-1].body else None

        dial = {"callees": ["bob"], "media": "audio", "client_key": "k1"}
        first = await ask("POST", "/calls", dial)
        assert (await ask("POST", "/calls", dial))["call_id"] == first["call_id"]
        room = await alice.room(first)
        await seem_to_ring(running)
        await mine.next("call", user_id=bob.id)
        await ask("GET", f"/calls/{first['call_id']}")
        await ask("POST", f"/calls/{first['call_id']}/answer")
        running.clock.move(45)
        await running.server.sweep()
        await room.next("ended")
        second = await ask("POST", "/calls", dial | {"client_key": "k2"})
        await ask("POST", f"/calls/{second['call_id']}/cancel")
        await mine.request("watch", user_ids=[bob.id])
        for path in ("/calls", "/calls?filter=outgoing", f"/calls/{first['call_id']}", "/users", "/users?q=bob"):
            await ask("GET", path)
        cookie = {"Cookie": f"ringback_session={alice.page_cookie()}"}
        answers += [
            await running.fetch("GET", path, headers=cookie) for path in (f"/call/{first['call_id']}", "/history")
        ]
        said = [*mine.texts, *room.texts, *(_without_lists_of_own(answer) for answer in answers)]
        assert len(said) > 20
        assert [text for text in said if '"blocked"' in text or ":blocked" in text] == []

    @pytest.mark.gen_test
    async def test_who_dials_again_gets_what_anybody_gets(self, running: Running) -> None:
        alice, _, _ = await blocked_pair(running)
        first = await alice.place("bob")
        assert (await alice.place("bob"))["call_id"] == first["call_id"]
        running.clock.move(3)
        assert (await alice.place("bob"))["call_id"] != first["call_id"]
        assert (await now(alice, first))["end_reason"] == "cancelled"

    @pytest.mark.gen_test
    async def test_who_has_blocked_too_is_rung_by_nobody_either(self, running: Running) -> None:
        alice, bob, _ = await blocked_pair(running)
        await blocks(alice, bob)
        mine = await alice.inbox()
        await bob.place("alice")
        assert await mine.settled() == []


def _without_lists_of_own(answer: Answer) -> str:
    """The text of an answer, without what it says of whom the asker themselves has blocked: nobody."""
    return answer.body.decode().replace('"blocked":false', "")


class TestWhoeverHasBlocked:
    @pytest.mark.gen_test
    async def test_hears_nothing_of_it(self, running: Running) -> None:
        alice, _, device = await blocked_pair(running)
        call = await alice.place("bob")
        await seem_to_ring(running)
        running.clock.move(45)
        await running.server.sweep()
        assert (await now(alice, call))["state"] == "ended"
        assert await device.settled() == []

    @pytest.mark.gen_test
    async def test_finds_it_in_no_snapshot(self, running: Running) -> None:
        alice, bob, _ = await blocked_pair(running)
        await alice.place("bob")
        assert (await bob.inbox()).connected["snapshot"] == {"incoming": [], "calls": []}

    @pytest.mark.gen_test
    async def test_is_not_shown_to_be_in_a_call(self, running: Running) -> None:
        alice, bob, _ = await blocked_pair(running)
        carol = await running.person("carol")
        watcher = await carol.inbox()
        await watcher.request("watch", user_ids=[bob.id])
        await alice.place("bob")
        await seem_to_ring(running)
        assert await watcher.settled() == []

    @pytest.mark.gen_test
    async def test_cannot_take_it_by_its_id(self, running: Running) -> None:
        alice, bob, _ = await blocked_pair(running)
        call = await alice.place("bob")
        assert (await bob.do("answer", call)).code == "already_answered"

    @pytest.mark.gen_test
    async def test_can_call_the_other_and_they_talk(self, running: Running) -> None:
        alice, bob, _ = await blocked_pair(running)
        mine = await alice.inbox()
        call = await alice.place("bob")
        await seem_to_ring(running)
        answer = await bob.api("POST", "/calls", {"callees": ["alice"], "media": "video"})
        assert (answer.status, answer.document["merged"], answer.document["call_id"]) == (200, True, call["call_id"])
        assert (await changed(mine, call, state="connecting"))["legs"][1]["state"] == "joined"

    @pytest.mark.gen_test
    async def test_can_call_the_other_who_does_not_call_them(self, running: Running) -> None:
        alice, bob, _ = await blocked_pair(running)
        mine = await alice.inbox()
        call = await bob.place("alice")
        assert (await mine.next("incoming"))["call_id"] == call["call_id"]


class TestBlockingWhileItRings:
    async def ringing(self, running: Running) -> tuple[Person, Person, Peer, Peer, Call]:
        """Alice's call rings for Bob on two devices."""
        alice, bob = await running.people("alice", "bob")
        first, second = await bob.inbox(), await (await running.device(bob.user)).inbox()
        call = await alice.place("bob")
        await first.request("ringing", call_id=call["call_id"])
        return alice, bob, first, second, call

    @pytest.mark.gen_test
    async def test_stops_it_on_every_device(self, running: Running) -> None:
        alice, bob, first, second, call = await self.ringing(running)
        await blocks(bob, alice)
        for inbox in (first, second):
            stopped = await inbox.next("incoming_stopped", call_id=call["call_id"])
            assert (stopped["reason"], "user_id" in stopped) == ("held_back", False)

    @pytest.mark.gen_test
    async def test_is_not_seen_by_the_caller(self, running: Running) -> None:
        alice, bob, _, _, call = await self.ringing(running)
        mine, room = await alice.inbox(), await alice.room(call)
        before = await now(alice, call)
        await blocks(bob, alice)
        assert (await mine.settled(), await room.settled()) == ([], [])
        assert await now(alice, call) == before
        running.clock.move(45.5)
        await running.server.sweep()
        ended = (await room.next("ended"))["call"]
        assert (ended["end_reason"], ended["rev"]) == ("no_answer", before["rev"] + 1)
        assert await changed(mine, call, state="ended") == ended

    @pytest.mark.gen_test
    async def test_leaves_the_calls_of_others(self, running: Running) -> None:
        alice, bob, _, _, _ = await self.ringing(running)
        carol = await running.person("carol")
        other = await carol.place("bob")
        await blocks(bob, alice)
        assert (await now(carol, other))["rev"] == 1
