"""What happens between a question to the database and its answer, with a real store that a test halts in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from server.calls.model import Call
from server.errors import Unavailable
from server.ids import new_id
from server.store.calls import CallStore
from tests.running import Running, Start


class HaltedStore(CallStore):
    """Does something before a write or after a read, once, and may lose the answer to a write, once."""

    loses_answer = False
    before_insert: Callable[[], Awaitable[Any]] | None = None
    after_read: Callable[[], Awaitable[Any]] | None = None

    async def insert(self, call: Call) -> None:
        """See :meth:`CallStore.insert`."""
        meanwhile, self.before_insert = self.before_insert, None
        if meanwhile is not None:
            await meanwhile()
        await super().insert(call)
        self._lose_answer()

    async def replace(self, call: Call, *, rev: int) -> bool:
        """See :meth:`CallStore.replace`."""
        done = await super().replace(call, rev=rev)
        self._lose_answer()
        return done

    async def live_of(self, user_id: str) -> list[Call]:
        """See :meth:`CallStore.live_of`."""
        found = await super().live_of(user_id)
        meanwhile, self.after_read = self.after_read, None
        if meanwhile is not None:
            await meanwhile()
        return found

    async def live_of_any(self, user_ids: list[str]) -> list[Call]:
        """See :meth:`CallStore.live_of_any`."""
        found = await super().live_of_any(user_ids)
        meanwhile, self.after_read = self.after_read, None
        if meanwhile is not None:
            await meanwhile()
        return found

    def _lose_answer(self) -> None:
        lost, self.loses_answer = self.loses_answer, False
        if lost:
            raise Unavailable()


async def halted(start: Start, monkeypatch: pytest.MonkeyPatch) -> tuple[Running, HaltedStore]:
    """A server on such a store."""
    monkeypatch.setattr("server.app.CallStore", HaltedStore)
    running = await start()
    assert isinstance(running.services.calls, HaltedStore)
    return running, running.services.calls


class TestAWriteWhoseAnswerIsLost:
    @pytest.mark.gen_test
    async def test_rings_though_the_caller_only_gets_the_call_when_they_ask_again(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running, store = await halted(start, monkeypatch)
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        wanted = {"callees": ["bob"], "media": "audio", "client_key": new_id()}
        store.loses_answer = True
        assert (await alice.api("POST", "/calls", wanted)).code == "unavailable"
        again = await alice.api("POST", "/calls", wanted)
        assert (again.status, (await inbox.next("incoming"))["call"]) == (200, again.document)

    @pytest.mark.gen_test
    async def test_stops_the_ringing(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        running, store = await halted(start, monkeypatch)
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        store.loses_answer = True
        assert (await alice.do("cancel", call)).code == "unavailable"
        assert (await inbox.next("incoming_stopped", call_id=call["call_id"]))["reason"] == "cancelled"

    @pytest.mark.gen_test
    async def test_at_a_deadline_stops_the_ringing_too(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        running, store = await halted(start, monkeypatch)
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        await alice.place("bob")
        running.clock.move(46)
        store.loses_answer = True
        with pytest.raises(Unavailable):
            await running.services.switchboard.sweep()
        assert (await inbox.next("incoming_stopped"))["reason"] == "no_answer"

    @pytest.mark.gen_test
    async def test_of_an_answer_takes_them_out_of_the_call_before(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running, store = await halted(start, monkeypatch)
        alice, bob, carol = await running.people("alice", "bob", "carol")
        inbox = await alice.inbox()
        first = await running.answered(alice, bob)
        second = await carol.place("bob")
        store.loses_answer = True
        assert (await bob.do("answer", second)).code == "unavailable"
        while (await inbox.next("call", call_id=first["call_id"]))["call"]["state"] != "ended":
            pass

    @pytest.mark.gen_test
    async def test_is_told_once(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        running, store = await halted(start, monkeypatch)
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        store.loses_answer = True
        assert (await bob.do("answer", call)).code == "unavailable"
        await bob.do("answer", call)
        await running.services.background.finish(5)
        assert await inbox.settled() == ["incoming", "call"]


class TestDiallingAnew:
    @pytest.mark.gen_test
    async def test_gives_no_call_up_that_was_answered_a_moment_ago(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running, store = await halted(start, monkeypatch)
        alice, bob = await running.people("alice", "bob")
        call = await alice.place("bob")
        running.clock.move(5)
        await running.until(lambda: not len(running.services.background), "the new call was looked at again")
        store.after_read = lambda: bob.do("answer", call)
        again = await alice.place("bob")
        assert (again["call_id"], again["state"]) == (call["call_id"], "connecting")


class TestWhatIsChosenWhileACallIsStored:
    @pytest.mark.gen_test
    async def test_a_block_stops_the_ringing_and_the_caller_sees_no_difference(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running, store = await halted(start, monkeypatch)
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        store.before_insert = lambda: bob.api("PUT", f"/contacts/{alice.id}/block")
        call = await alice.place("bob")
        assert (await inbox.next("incoming_stopped", call_id=call["call_id"]))["reason"] == "held_back"
        seen = (await alice.api("GET", f"/calls/{call['call_id']}")).document
        assert (seen["state"], seen["legs"][1]["state"], seen["legs"][1]["reason"]) == ("inviting", "invited", None)

    @pytest.mark.gen_test
    async def test_do_not_disturb_stops_the_ringing(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        running, store = await halted(start, monkeypatch)
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        store.before_insert = lambda: bob.api("PATCH", "/users/me", {"do_not_disturb": True})
        await alice.place("bob")
        assert (await inbox.next("incoming_stopped"))["reason"] == "held_back"

    @pytest.mark.gen_test
    async def test_another_call_that_is_taken_makes_it_ring_softly(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        running, store = await halted(start, monkeypatch)
        alice, bob, carol = await running.people("alice", "bob", "carol")
        mine, other = await alice.inbox(), await carol.place("bob")
        store.before_insert = lambda: bob.do("answer", other)
        call = await alice.place("bob")
        while (told := (await mine.next("call", call_id=call["call_id"]))["call"])["rev"] < 2:
            pass
        assert (told["state"], told["legs"][1]["call_waiting"]) == ("inviting", True)


class TestASocketThatLeavesWhileItIsLetIn:
    @pytest.mark.gen_test
    async def test_leaves_nobody_online(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        running, store = await halted(start, monkeypatch)
        alice, bob, carol = await running.people("alice", "bob", "carol")
        mine, hers = await alice.inbox(), await carol.inbox()
        await hers.request("watch", user_ids=[bob.id])

        async def leave() -> None:
            ack = await mine.request("watch", user_ids=[bob.id])
            assert ack["people"][0]["state"] == "online"
            theirs.cut()
            await running.until(lambda: len(running.services.hub.connections) == 2, "the socket is gone")

        store.after_read = leave
        theirs = await bob.open("/ws/user")
        await running.until(lambda: store.after_read is None, "bob's calls were read")
        await running.until(lambda: all(s.detached_at_s is not None for s in running.services.hub.devices_of(bob.id)))
        running.clock.move(10.5)
        await running.server.sweep()
        assert (await mine.next("presence"))["state"] == "offline"
        assert [(await hers.next("presence"))["state"] for _ in range(2)] == ["online", "offline"]
