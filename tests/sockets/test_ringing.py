"""What stands in the way of a call, and what one call means for the others of the same people, over real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.peer import Peer
from tests.running import Person, Running, Start

Call = dict[str, Any]


async def busy(running: Running, bob: Person) -> Call:
    """A call that Bob is in, with somebody else."""
    other = await running.person("zoe")
    return await running.answered(other, bob)


async def choose(person: Person, **wishes: object) -> None:
    """What the person wants, said as they say it."""
    assert (await person.api("PATCH", "/users/me", wishes)).status == 200


async def now(person: Person, call: Call) -> Call:
    """The call as that person sees it now."""
    document: Call = (await person.api("GET", f"/calls/{call['call_id']}")).document
    return document


def leg(call: Call, person: Person) -> dict[str, Any]:
    """That person's leg."""
    return next(each for each in call["legs"] if each["user"]["id"] == person.id)


async def changed(inbox: Peer, call: Call, **wanted: object) -> Call:
    """The call as an inbox is told of it, once that is so."""
    while True:
        told: Call = (await inbox.next("call", call_id=call["call_id"]))["call"]
        if all(told[name] == value for name, value in wanted.items()):
            return told


class TestSomebodyInACall:
    @pytest.mark.gen_test
    async def test_is_rung_and_the_caller_reads_it(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await busy(running, bob)
        inbox = await bob.inbox()
        call = await alice.place("bob")
        assert (call["state"], leg(call, bob)["call_waiting"]) == ("inviting", True)
        assert leg((await inbox.next("incoming"))["call"], bob)["call_waiting"] is True

    @pytest.mark.gen_test
    async def test_is_busy_where_they_chose_so(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await busy(running, bob)
        await choose(bob, call_waiting="busy")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        assert (call["state"], call["end_reason"], leg(call, bob)["state"]) == ("ended", "busy", "busy")
        assert "incoming" not in await inbox.settled()

    @pytest.mark.gen_test
    async def test_is_not_somebody_for_whom_it_only_rings(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        await choose(bob, call_waiting="busy")
        await carol.place("bob")
        assert leg(await alice.place("bob"), bob)["call_waiting"] is False

    @pytest.mark.gen_test
    async def test_is_one_who_has_called_too(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        await running.answered(bob, carol)
        assert leg(await alice.place("bob"), bob)["call_waiting"] is True

    @pytest.mark.gen_test
    async def test_is_free_again_after_it(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await bob.do("hangup", await busy(running, bob))
        assert leg(await alice.place("bob"), bob)["call_waiting"] is False


class TestTwoCallsThatRingAtOnce:
    @pytest.mark.gen_test
    async def test_one_is_answered_and_the_other_rings_on_softly(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        mine = await alice.inbox()
        waiting, taken = await alice.place("bob"), await carol.place("bob")
        await bob.do("answer", taken)
        told = await changed(mine, waiting, rev=2)
        assert (told["state"], leg(told, bob)["call_waiting"]) == ("inviting", True)

    @pytest.mark.gen_test
    async def test_one_is_answered_and_the_other_finds_them_busy(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        await choose(bob, call_waiting="busy")
        mine, inbox = await alice.inbox(), await bob.inbox()
        waiting, taken = await alice.place("bob"), await carol.place("bob")
        await inbox.request("answer", call_id=taken["call_id"])
        assert (await changed(mine, waiting, state="ended"))["end_reason"] == "busy"
        assert (await inbox.next("incoming_stopped", call_id=waiting["call_id"]))["reason"] == "held_back"

    @pytest.mark.gen_test
    async def test_one_is_declined_and_the_other_rings_on(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        other, declined = await alice.place("bob"), await carol.place("bob")
        await bob.do("decline", declined)
        assert (await now(alice, other))["rev"] == 1


class TestTakingASecondCall:
    @pytest.mark.gen_test
    async def test_over_http_leaves_the_first(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        first = await busy(running, bob)
        theirs = await bob.inbox()
        await bob.do("answer", await alice.place("bob"))
        ended = await changed(theirs, first, state="ended")
        assert (ended["end_reason"], ended["ended_by"]) == ("hangup", bob.id)

    @pytest.mark.gen_test
    async def test_over_a_socket_leaves_the_room_of_the_first(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        _, rooms_alice, rooms_bob = await running.both_in(alice, bob)
        inbox = await bob.inbox()
        second = await carol.place("bob")
        assert (await inbox.request("answer", call_id=second["call_id"]))["type"] == "ack"
        for room in (rooms_alice, rooms_bob):
            assert (await room.next("ended"))["call"]["end_reason"] == "hangup"
            assert (await room.closed()).code == 1000
        assert (await now(carol, second))["state"] == "connecting"

    @pytest.mark.gen_test
    async def test_leaves_a_group_to_the_others(self, running: Running) -> None:
        alice, bob, carol, dave = await running.people("alice", "bob", "carol", "dave")
        mine = await alice.inbox()
        group = await alice.place("bob", "carol")
        await bob.do("answer", group)
        await carol.do("answer", group)
        await bob.do("answer", await dave.place("bob"))
        while leg(told := await changed(mine, group), bob)["state"] != "left":
            pass
        assert (told["state"], leg(told, carol)["state"]) == ("connecting", "joined")

    @pytest.mark.gen_test
    async def test_takes_back_what_one_is_dialling(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        inbox = await carol.inbox()
        outgoing = await bob.place("carol")
        await bob.do("answer", await alice.place("bob"))
        assert (await inbox.next("incoming_stopped", call_id=outgoing["call_id"]))["reason"] == "cancelled"

    @pytest.mark.gen_test
    async def test_by_two_devices_at_once_leaves_one(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        calls = [await caller.place("bob") for caller in (alice, carol)]
        devices = [bob, await running.device(bob.user)]
        answers = await asyncio.gather(
            *(device.do("answer", call) for device, call in zip(devices, calls, strict=True))
        )
        assert [answer.status for answer in answers] == [200, 200]
        await running.services.background.finish(5)
        states = [(await now(bob, call))["state"] for call in calls]
        assert sorted(states) == ["connecting", "ended"]


class TestACallOfOnesOwnThatIsAnswered:
    @pytest.mark.gen_test
    async def test_lets_another_one_ring_on_softly(self, running: Running) -> None:
        alice, carol, dave = await running.people("alice", "carol", "dave")
        theirs = await dave.inbox()
        outgoing, waiting = await alice.place("carol"), await dave.place("alice")
        await carol.do("answer", outgoing)
        told = await changed(theirs, waiting, rev=2)
        assert (told["state"], leg(told, alice)["call_waiting"]) == ("inviting", True)

    @pytest.mark.gen_test
    async def test_makes_the_caller_busy_for_another_one_where_they_chose_so(self, running: Running) -> None:
        alice, carol, dave = await running.people("alice", "carol", "dave")
        await choose(alice, call_waiting="busy")
        theirs = await dave.inbox()
        outgoing, waiting = await alice.place("carol"), await dave.place("alice")
        await carol.do("answer", outgoing)
        assert (await changed(theirs, waiting, state="ended"))["end_reason"] == "busy"

    @pytest.mark.gen_test
    async def test_leaves_the_one_that_the_caller_was_in(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        first, mine, theirs = await running.both_in(alice, bob)
        second = await alice.place("carol")
        await carol.do("answer", second)
        for room in (mine, theirs):
            ended = (await room.next("ended"))["call"]
            assert (ended["call_id"], ended["end_reason"], ended["ended_by"]) == (
                first["call_id"], "hangup", alice.id,
            )  # fmt: skip
        assert (await now(carol, second))["state"] == "connecting"


class TestDoNotDisturb:
    @pytest.mark.gen_test
    async def test_stops_what_rings_on_every_device(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        first, second = await bob.inbox(), await (await running.device(bob.user)).inbox()
        mine = await alice.inbox()
        call = await alice.place("bob")
        await first.request("presence", state="do_not_disturb")
        for inbox in (first, second):
            assert (await inbox.next("incoming_stopped"))["reason"] == "held_back"
        assert (await changed(mine, call, state="ended"))["end_reason"] == "do_not_disturb"

    @pytest.mark.gen_test
    async def test_by_the_profile_stops_it_too(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await alice.place("bob")
        await choose(bob, do_not_disturb=True)
        assert (await now(alice, call))["end_reason"] == "do_not_disturb"

    @pytest.mark.gen_test
    async def test_lets_a_call_go_on_that_one_is_in(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await running.answered(alice, bob)
        await choose(bob, do_not_disturb=True)
        assert (await now(alice, call))["state"] == "connecting"

    @pytest.mark.gen_test
    async def test_is_not_meant_by_another_change_of_the_profile(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await alice.place("bob")
        await choose(bob, do_not_disturb=False, locale="en")
        assert (await now(alice, call))["state"] == "inviting"


class TestCallsFromContactsOnly:
    @pytest.mark.gen_test
    async def test_hold_back_a_stranger_who_reads_why(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await choose(bob, callers="contacts")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        assert (call["end_reason"], leg(call, bob)["state"], leg(call, bob)["reason"]) == (
            "do_not_disturb", "do_not_disturb", "contacts_only",
        )  # fmt: skip
        assert "incoming" not in await inbox.settled()

    @pytest.mark.gen_test
    async def test_let_a_contact_through(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await alice.api("POST", "/contacts", {"username": "bob"})
        await bob.api("POST", "/contacts", {"username": "alice"})
        await choose(bob, callers="contacts")
        assert (await alice.place("bob"))["state"] == "inviting"


class TestAgain:
    @pytest.mark.gen_test
    async def test_dialling_somebody_one_talks_to_gives_that_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, _, _ = await running.both_in(alice, bob)
        running.clock.move(5)
        answer = await alice.api("POST", "/calls", {"callees": ["bob"], "media": "audio"})
        assert (answer.status, answer.document["call_id"]) == (200, call["call_id"])

    @pytest.mark.gen_test
    @pytest.mark.parametrize("lost", ["caller", "callee"])
    async def test_dialling_somebody_when_one_side_was_lost_ends_the_old_call(
        self, running: Running, lost: str
    ) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        gone, stays = (mine, theirs) if lost == "caller" else (theirs, mine)
        gone.cut()
        await stays.next("participant", connection="reconnecting")
        await running.services.background.finish(5)
        running.clock.move(5)
        again = await alice.place("bob")
        assert (again["call_id"] != call["call_id"], again["state"], leg(again, bob)["call_waiting"]) == (
            True, "inviting", False,
        )  # fmt: skip
        assert (await stays.next("ended"))["call"]["end_reason"] == "hangup"

    @pytest.mark.gen_test
    async def test_dialling_somebody_who_has_just_hung_up_is_a_new_call(self, start: Start) -> None:
        running = await start({"calls.calls_per_pair_per_minute": 100})
        alice, bob = await running.people("alice", "bob")
        for _ in range(5):
            call, _, theirs = await running.both_in(alice, bob)
            await theirs.close(1000)
            again = await alice.place("bob")
            assert again["call_id"] != call["call_id"]
            await alice.do("cancel", again)

    @pytest.mark.gen_test
    async def test_dialling_one_of_several_gives_the_call_to_all_of_them_up(self, running: Running) -> None:
        alice, _, _ = await running.people("alice", "bob", "carol")
        group = await alice.place("bob", "carol")
        running.clock.move(5)
        assert (await alice.place("bob"))["state"] == "inviting"
        assert (await now(alice, group))["end_reason"] == "cancelled"

    @pytest.mark.gen_test
    async def test_dialling_one_who_calls_several_answers_their_call(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        group = await alice.place("bob", "carol")
        answer = await bob.api("POST", "/calls", {"callees": ["alice"], "media": "video"})
        assert (answer.status, answer.document["merged"], answer.document["call_id"]) == (200, True, group["call_id"])
        assert leg(answer.document, carol)["state"] == "invited"

    @pytest.mark.gen_test
    async def test_dialling_the_same_group_from_within_answers_it(self, running: Running) -> None:
        alice, bob, _ = await running.people("alice", "bob", "carol")
        group = await alice.place("bob", "carol")
        assert (await bob.place("carol", "alice"))["call_id"] == group["call_id"]

    @pytest.mark.gen_test
    async def test_dialling_one_who_calls_and_somebody_else_is_another_call(self, running: Running) -> None:
        alice, bob, _ = await running.people("alice", "bob", "carol")
        call = await alice.place("bob")
        assert (await bob.place("alice", "carol"))["call_id"] != call["call_id"]
        assert (await now(alice, call))["state"] == "inviting"


class TestACallerWhoSignsOut:
    @pytest.mark.gen_test
    async def test_calls_no_more(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        await alice.api("POST", "/auth/logout")
        assert (await inbox.next("incoming_stopped", call_id=call["call_id"]))["reason"] == "cancelled"

    @pytest.mark.gen_test
    async def test_from_the_room_calls_no_more(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        await alice.room(call)
        await alice.api("POST", "/auth/logout")
        assert (await inbox.next("incoming_stopped", call_id=call["call_id"]))["reason"] == "cancelled"

    @pytest.mark.gen_test
    async def test_on_another_device_calls_on(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await alice.place("bob")
        await (await running.device(alice.user)).api("POST", "/auth/logout")
        await running.services.background.finish(5)
        assert (await now(bob, call))["state"] == "inviting"


class TestADeviceThatIgnores:
    @pytest.mark.gen_test
    async def test_stays_silent_on_its_next_page(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        page = await bob.inbox()
        call = await alice.place("bob")
        await page.request("ignore", call_id=call["call_id"])
        snapshot = (await bob.inbox()).connected["snapshot"]
        assert (snapshot["incoming"], [each["call_id"] for each in snapshot["calls"]]) == ([], [call["call_id"]])

    @pytest.mark.gen_test
    async def test_does_not_silence_another_one_that_comes(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await alice.place("bob")
        await (await bob.inbox()).request("ignore", call_id=call["call_id"])
        late = await (await running.device(bob.user)).inbox()
        assert [each["call"]["call_id"] for each in late.connected["snapshot"]["incoming"]] == [call["call_id"]]


class TestLimits:
    @pytest.mark.gen_test
    @pytest.mark.parametrize("keyed", [False, True], ids=["without a client_key", "with client_keys"])
    async def test_hold_back_whoever_calls_the_same_person_all_the_time(self, start: Start, keyed: bool) -> None:
        running = await start({"calls.calls_per_pair_per_minute": 2})
        alice, _, _ = await running.people("alice", "bob", "carol")
        for number in range(2):
            await alice.do("cancel", await alice.place("bob", **({"client_key": f"k{number}"} if keyed else {})))
        body = {"callees": ["bob"], "media": "audio"} | ({"client_key": "k2"} if keyed else {})
        answer = await alice.api("POST", "/calls", body)
        assert (answer.status, answer.code) == (429, "too_many_calls")
        assert 1 <= int(answer.headers["Retry-After"]) <= 30
        assert (await alice.place("carol"))["state"] == "inviting"

    @pytest.mark.gen_test
    async def test_do_not_count_a_client_key_twice(self, start: Start) -> None:
        running = await start({"calls.calls_per_pair_per_minute": 1})
        alice, _ = await running.people("alice", "bob")
        assert len({(await alice.place("bob", client_key="k"))["call_id"] for _ in range(5)}) == 1

    @pytest.mark.gen_test
    async def test_are_forgotten_after_a_while(self, start: Start) -> None:
        running = await start({"calls.calls_per_pair_per_minute": 1})
        alice, _ = await running.people("alice", "bob")
        await alice.do("cancel", await alice.place("bob"))
        running.clock.move(61)
        await running.server.sweep()
        assert len(running.services.dialling.limits) == 0
        assert (await alice.place("bob"))["state"] == "inviting"
