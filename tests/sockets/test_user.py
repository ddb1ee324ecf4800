"""``/ws/user``: where a person's devices ring, answer, and see who is there."""

from __future__ import annotations

import asyncio

import pytest

from server.ids import new_id
from tests.peer import Peer
from tests.running import Person, Running, Start


async def rung(running: Running, devices: int = 1) -> tuple[Person, dict[str, object], list[tuple[Person, Peer]]]:
    """Alice, a call of hers to bob, and bob's devices, which have been told of it."""
    alice, bob = await running.people("alice", "bob")
    owners = [bob] + [await running.device(bob.user) for _ in range(devices - 1)]
    pairs = [(owner, await owner.inbox()) for owner in owners]
    call = await alice.place("bob")
    for _, inbox in pairs:
        await inbox.next("incoming", call_id=call["call_id"])
    return alice, call, pairs


class TestRinging:
    @pytest.mark.gen_test
    async def test_tells_who_calls_and_for_how_long(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        incoming = await inbox.next("incoming")
        assert incoming["call"] == call
        assert (incoming["call_id"], incoming["user_id"]) == (call["call_id"], alice.id)
        assert 44_000 < incoming["expires_in_ms"] <= 45_000

    @pytest.mark.gen_test
    async def test_reaches_every_device(self, running: Running) -> None:
        _, call, devices = await rung(running, devices=3)
        assert [inbox.frames[-1]["call_id"] for _, inbox in devices] == [call["call_id"]] * 3

    @pytest.mark.gen_test
    async def test_does_not_reach_the_caller_or_a_bystander(self, running: Running) -> None:
        alice, _, carol = await running.people("alice", "bob", "carol")
        mine, bystander = await alice.inbox(), await carol.inbox()
        await alice.place("bob")
        assert await mine.settled() == ["call"]
        assert await bystander.settled() == []

    @pytest.mark.gen_test
    async def test_is_acknowledged_to_the_caller_by_the_first_device(self, running: Running) -> None:
        alice, call, devices = await rung(running, devices=2)
        mine = await alice.inbox()
        for _, inbox in devices:
            assert (await inbox.request("ringing", call_id=call["call_id"]))["type"] == "ack"
        assert (await mine.next("call"))["call"]["state"] == "ringing"
        assert await mine.settled() == []

    @pytest.mark.gen_test
    async def test_never_reaches_somebody_who_wants_quiet(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await bob.api("PATCH", "/users/me", {"do_not_disturb": True})
        inbox = await bob.inbox()
        await alice.place("bob")
        assert "incoming" not in await inbox.settled()

    @pytest.mark.gen_test
    async def test_cannot_be_acknowledged_by_a_device_after_another_has_answered(self, running: Running) -> None:
        _, call, [(_, first), (_, second)] = await rung(running, devices=2)
        await first.request("answer", call_id=call["call_id"])
        answer = await second.request("ringing", call_id=call["call_id"])
        assert (answer["type"], answer["code"], answer["retryable"]) == ("error", "already_answered", False)

    @pytest.mark.gen_test
    async def test_cannot_be_acknowledged_after_the_end(self, running: Running) -> None:
        alice, call, [(_, inbox)] = await rung(running)
        await alice.do("cancel", call)
        answer = await inbox.request("ringing", call_id=call["call_id"])
        assert (answer["type"], answer["code"], answer["retryable"]) == ("error", "call_ended", False)


class TestAnswering:
    @pytest.mark.gen_test
    async def test_acks_with_the_call(self, running: Running) -> None:
        _, call, [(bob, inbox)] = await rung(running)
        ack = await inbox.request("answer", call_id=call["call_id"])
        assert (ack["type"], ack["call"]["call_id"], ack["call"]["state"]) == ("ack", call["call_id"], "connecting")
        assert ack["call"]["legs"][1]["user"]["id"] == bob.id

    @pytest.mark.gen_test
    async def test_tells_the_caller(self, running: Running) -> None:
        alice, call, [(_, inbox)] = await rung(running)
        mine = await alice.inbox()
        await inbox.request("answer", call_id=call["call_id"])
        assert (await mine.next("call"))["call"]["state"] == "connecting"

    @pytest.mark.gen_test
    async def test_stops_the_other_devices(self, running: Running) -> None:
        _, call, [(_, first), (_, second), (_, third)] = await rung(running, devices=3)
        await second.request("answer", call_id=call["call_id"])
        for other in (first, third):
            assert (await other.next("incoming_stopped"))["reason"] == "answered_elsewhere"

    @pytest.mark.gen_test
    async def test_tells_the_device_itself_by_call_alone(self, running: Running) -> None:
        _, call, [(_, first), (_, second)] = await rung(running, devices=2)
        await first.request("answer", call_id=call["call_id"])
        await second.next("incoming_stopped")
        assert await first.settled() == ["call"]

    @pytest.mark.gen_test
    async def test_over_http_tells_the_device_itself_by_call_alone(self, running: Running) -> None:
        _, call, [(bob, first), (_, second)] = await rung(running, devices=2)
        await bob.do("answer", call)
        assert (await second.next("incoming_stopped"))["reason"] == "answered_elsewhere"
        assert await first.settled() == ["call"]

    @pytest.mark.gen_test
    async def test_on_two_devices_at_once_is_won_by_one(self, running: Running) -> None:
        _, call, devices = await rung(running, devices=2)
        answers = await asyncio.gather(*(inbox.request("answer", call_id=call["call_id"]) for _, inbox in devices))
        assert sorted(answer["type"] for answer in answers) == ["ack", "error"]
        loser = next(inbox for (_, inbox), answer in zip(devices, answers, strict=True) if answer["type"] == "error")
        assert {answer.get("code") for answer in answers} == {None, "already_answered"}
        assert (await loser.next("incoming_stopped"))["reason"] == "answered_elsewhere"

    @pytest.mark.gen_test
    async def test_after_the_end_comes_too_late(self, running: Running) -> None:
        alice, call, [(_, inbox)] = await rung(running)
        await alice.do("cancel", call)
        assert (await inbox.request("answer", call_id=call["call_id"]))["code"] == "call_ended"

    @pytest.mark.gen_test
    async def test_of_a_device_that_was_asleep_stops_when_it_comes_back(self, running: Running) -> None:
        _, call, [(_, first), (owner, asleep)] = await rung(running, devices=2)
        asleep.cut()
        await running.until_away(asleep)
        await first.request("answer", call_id=call["call_id"])
        awake = await owner.again(asleep)
        assert (await awake.next("incoming_stopped"))["reason"] == "answered_elsewhere"
        assert awake.connected["snapshot"]["incoming"] == []


class TestDeclining:
    @pytest.mark.gen_test
    async def test_acks_with_the_ended_call(self, running: Running) -> None:
        _, call, [(_, inbox)] = await rung(running)
        ack = await inbox.request("decline", call_id=call["call_id"])
        assert (ack["call"]["state"], ack["call"]["end_reason"]) == ("ended", "declined")

    @pytest.mark.gen_test
    async def test_stops_the_other_devices(self, running: Running) -> None:
        _, call, [(_, first), (_, second)] = await rung(running, devices=2)
        await first.request("decline", call_id=call["call_id"])
        assert (await second.next("incoming_stopped"))["reason"] == "declined_elsewhere"
        assert "incoming_stopped" not in await first.settled()

    @pytest.mark.gen_test
    async def test_tells_the_caller(self, running: Running) -> None:
        alice, call, [(_, inbox)] = await rung(running)
        mine = await alice.inbox()
        await inbox.send("decline", call_id=call["call_id"])
        assert (await mine.next("call"))["call"]["end_reason"] == "declined"

    @pytest.mark.gen_test
    async def test_and_answering_at_once_is_won_by_one(self, running: Running) -> None:
        _, call, [(_, first), (_, second)] = await rung(running, devices=2)
        answers = await asyncio.gather(
            first.request("answer", call_id=call["call_id"]), second.request("decline", call_id=call["call_id"])
        )
        assert sorted(answer["type"] for answer in answers) == ["ack", "error"]
        assert [answer["code"] for answer in answers if answer["type"] == "error"] == ["already_answered"]


class TestIgnoring:
    @pytest.mark.gen_test
    async def test_lets_the_others_ring_on(self, running: Running) -> None:
        alice, call, [(_, first), (_, second)] = await rung(running, devices=2)
        mine = await alice.inbox()
        assert (await first.request("ignore", call_id=call["call_id"]))["type"] == "ack"
        assert await second.settled() == []
        assert await mine.settled() == []
        assert (await second.request("answer", call_id=call["call_id"]))["type"] == "ack"


class TestTheEndOfRinging:
    @pytest.mark.gen_test
    async def test_by_a_cancel_reaches_every_device(self, running: Running) -> None:
        alice, call, devices = await rung(running, devices=2)
        await alice.do("cancel", call)
        for _, inbox in devices:
            assert (await inbox.next("incoming_stopped"))["reason"] == "cancelled"

    @pytest.mark.gen_test
    async def test_by_the_deadline_reaches_every_device(self, running: Running) -> None:
        _, call, devices = await rung(running, devices=2)
        running.clock.move(45.5)
        await running.server.sweep()
        for _, inbox in devices:
            assert (await inbox.next("incoming_stopped", call_id=call["call_id"]))["reason"] == "no_answer"

    @pytest.mark.gen_test
    async def test_is_no_answer_for_somebody_who_was_there(self, running: Running) -> None:
        alice, call, _ = await rung(running)
        running.clock.move(45.5)
        report = await running.server.sweep()
        ended = (await alice.api("GET", f"/calls/{call['call_id']}")).document
        assert (report.expired, ended["end_reason"], ended["legs"][1]["state"]) == (1, "no_answer", "missed")

    @pytest.mark.gen_test
    async def test_is_unreachable_for_somebody_who_was_nowhere(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        call = await alice.place("bob")
        running.clock.move(45.5)
        await running.server.sweep()
        ended = (await alice.api("GET", f"/calls/{call['call_id']}")).document
        assert (ended["end_reason"], ended["legs"][1]["state"]) == ("unreachable", "unreachable")

    @pytest.mark.gen_test
    async def test_is_no_answer_for_somebody_who_came_while_it_rang(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine = await alice.inbox()
        call = await alice.place("bob")
        await bob.inbox()
        await mine.next("call", call_id=call["call_id"])
        assert (await mine.next("call"))["call"]["rev"] == 2  # bob was reached
        running.clock.move(45.5)
        await running.server.sweep()
        assert (await mine.next("call"))["call"]["end_reason"] == "no_answer"

    @pytest.mark.gen_test
    async def test_does_not_come_before_the_deadline(self, running: Running) -> None:
        _, _, [(_, inbox)] = await rung(running)
        running.clock.move(44)
        assert (await running.server.sweep()).expired == 0
        assert await inbox.settled() == []

    @pytest.mark.gen_test
    async def test_comes_once_from_two_servers(self, start: Start) -> None:
        here, there = await start({"auth.secret": "k" * 32}), await start({"auth.secret": "k" * 32})
        alice, bob = await here.people("alice", "bob")
        inbox = await bob.inbox()
        await alice.place("bob")
        for server in (here, there):
            server.clock.move(45.5)
        reports = await asyncio.gather(*(server.server.sweep() for server in (here, there, here, there)))
        assert sum(report.expired for report in reports) == 1
        await here.server.sweep()
        await inbox.next("incoming_stopped")
        assert "incoming_stopped" not in await inbox.settled()

    @pytest.mark.gen_test
    async def test_of_the_call_before_comes_when_one_dials_again(self, running: Running) -> None:
        alice, first, [(_, inbox)] = await rung(running)
        running.clock.move(3)
        second = await alice.place("bob")
        assert (await inbox.next("incoming_stopped"))["call_id"] == first["call_id"]
        assert (await inbox.next("incoming"))["call_id"] == second["call_id"]


class TestBothDial:
    @pytest.mark.gen_test
    async def test_and_both_are_told_of_one_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine, theirs = await alice.inbox(), await bob.inbox()
        call = await alice.place("bob")
        await bob.place("alice")
        await theirs.next("incoming", call_id=call["call_id"])
        states = [(await inbox.next("call", call_id=call["call_id"]))["call"]["state"] for inbox in (mine, mine)]
        assert states == ["inviting", "connecting"]
        assert "incoming" not in await mine.settled()

    @pytest.mark.gen_test
    async def test_and_the_device_that_dialled_is_the_one_that_answered(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        other = await running.device(bob.user)
        first, second = await bob.inbox(), await other.inbox()
        await alice.place("bob")
        await bob.place("alice")
        assert (await second.next("incoming_stopped"))["reason"] == "answered_elsewhere"
        assert "incoming_stopped" not in await first.settled()


class TestSomebodyElsesCall:
    @pytest.mark.gen_test
    @pytest.mark.parametrize("kind", ["ringing", "answer", "decline"])
    async def test_is_answered_as_if_there_were_none(self, running: Running, kind: str) -> None:
        alice, _, mallory = await running.people("alice", "bob", "mallory")
        call = await alice.place("bob")
        inbox = await mallory.inbox()
        theirs = await inbox.request(kind, call_id=call["call_id"])
        none = await inbox.request(kind, call_id=new_id())
        same = ("type", "code", "message", "retryable")
        assert [theirs[name] for name in same] == [none[name] for name in same]
        assert theirs["code"] == "not_found"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("kind", ["ringing", "answer", "decline"])
    async def test_is_left_as_it_is(self, running: Running, kind: str) -> None:
        alice, _, mallory = await running.people("alice", "bob", "mallory")
        call = await alice.place("bob")
        await (await mallory.inbox()).request(kind, call_id=call["call_id"])
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document == call

    @pytest.mark.gen_test
    @pytest.mark.parametrize("kind", ["ringing", "answer", "decline"])
    async def test_is_also_the_own_call_for_its_caller(self, running: Running, kind: str) -> None:
        alice, _ = await running.people("alice", "bob")
        call = await alice.place("bob")
        answer = await (await alice.inbox()).request(kind, call_id=call["call_id"])
        assert (answer["type"], answer["code"]) == ("error", "bad_state")


class TestWatching:
    @pytest.mark.gen_test
    async def test_acks_with_how_things_are(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        await bob.inbox()
        ack = await (await alice.inbox()).request("watch", user_ids=[bob.id, carol.id, new_id()])
        assert {person["user_id"]: person["state"] for person in ack["people"]} == {
            bob.id: "online",
            carol.id: "offline",
        }

    @pytest.mark.gen_test
    async def test_tells_when_somebody_comes_and_goes(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine = await alice.inbox()
        await mine.request("watch", user_ids=[bob.id])
        theirs = await bob.inbox()
        assert (await mine.next("presence"))["state"] == "online"
        await theirs.close()
        await running.until(lambda: running.services.hub.get(theirs.connection_id) is None)
        running.clock.move(10.5)
        await running.server.sweep()
        gone = await mine.next("presence")
        assert (gone["user_id"], gone["state"]) == (bob.id, "offline")

    @pytest.mark.gen_test
    async def test_tells_when_somebody_goes_whose_earlier_devices_are_just_forgotten(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine = await alice.inbox()
        earlier = await bob.inbox()
        await earlier.close(1001)
        await running.until_away(earlier)
        running.clock.move(115)
        latest = await bob.inbox()
        await mine.request("watch", user_ids=[bob.id])
        await latest.close(1001)
        await running.until_away(latest)
        for seconds in (6, 4.5):  # after 121 s nobody can resume the earlier one any more
            running.clock.move(seconds)
            await running.server.sweep()
        assert (await mine.next("presence"))["state"] == "offline"

    @pytest.mark.gen_test
    async def test_says_nothing_of_a_page_that_is_left_for_the_next_one(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine, theirs = await alice.inbox(), await bob.inbox()
        await mine.request("watch", user_ids=[bob.id])
        await theirs.close(1001)
        await running.until_away(theirs)
        await bob.inbox()
        await running.server.sweep()
        assert await mine.settled() == []

    @pytest.mark.gen_test
    async def test_tells_when_somebody_wants_quiet(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine = await alice.inbox()
        await bob.inbox()
        await mine.request("watch", user_ids=[bob.id])
        await bob.api("PATCH", "/users/me", {"do_not_disturb": True})
        assert (await mine.next("presence"))["state"] == "do_not_disturb"

    @pytest.mark.gen_test
    async def test_tells_when_somebody_is_in_a_call_and_out_of_it(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        await bob.inbox()
        watcher = await carol.inbox()
        await watcher.request("watch", user_ids=[bob.id])
        _, mine, _ = await running.both_in(alice, bob)
        assert (await watcher.next("presence"))["state"] == "in_call"
        await mine.request("hangup")
        assert (await watcher.next("presence"))["state"] == "online"

    @pytest.mark.gen_test
    async def test_replaces_whom_was_watched_before(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        mine = await alice.inbox()
        await mine.request("watch", user_ids=[bob.id])
        await mine.request("watch", user_ids=[carol.id])
        await bob.inbox()
        await carol.inbox()
        assert (await mine.next("presence"))["user_id"] == carol.id
        assert await mine.settled() == []

    @pytest.mark.gen_test
    async def test_takes_up_to_200_people(self, running: Running) -> None:
        mine = await (await running.person("alice")).inbox()
        assert (await mine.request("watch", user_ids=[new_id() for _ in range(200)]))["type"] == "ack"
        assert (await mine.request("watch", user_ids=[new_id() for _ in range(201)]))["code"] == "bad_request"


class TestUnread:
    """How many calls somebody has missed, told whenever that changes."""

    @pytest.mark.gen_test
    async def test_counts_a_call_that_was_missed(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        for number in (1, 2):
            await alice.do("cancel", await alice.place("bob"))
            frame = await inbox.next("unread")
            assert (frame["missed"], "voicemail" in frame) == (number, False)

    @pytest.mark.gen_test
    async def test_counts_a_call_whose_deadline_has_passed(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        await alice.place("bob")
        running.clock.move(46)
        await running.server.sweep()
        assert (await inbox.next("unread"))["missed"] == 1

    @pytest.mark.gen_test
    async def test_counts_a_call_that_another_process_has_ended(self, start: Start) -> None:
        here, there = await start(), await start()
        alice, bob = await here.people("alice", "bob")
        inbox = await bob.inbox()
        await alice.place("bob")
        for server in (there, here):
            server.clock.move(46)
            await server.server.sweep()
        assert (await inbox.next("unread"))["missed"] == 1

    @pytest.mark.gen_test
    async def test_comes_after_what_became_of_the_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        await alice.do("cancel", await alice.place("bob"))
        await inbox.next("unread")
        assert [frame["type"] for frame in inbox.frames[-3:]] == ["incoming_stopped", "call", "unread"]

    @pytest.mark.gen_test
    async def test_reaches_all_devices_when_one_has_shown_them(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await alice.do("cancel", await alice.place("bob"))
        inboxes = [await bob.inbox(), await (await running.device(bob.user)).inbox()]
        await bob.api("POST", "/calls/seen")
        assert [(await inbox.next("unread"))["missed"] for inbox in inboxes] == [0, 0]

    @pytest.mark.gen_test
    @pytest.mark.parametrize("one", [True, False])
    async def test_changes_when_a_call_is_removed(self, running: Running, one: bool) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await alice.place("bob")
        await alice.do("cancel", call)
        inbox = await bob.inbox()
        await bob.api("DELETE", f"/calls/{call['call_id']}" if one else "/calls")
        assert (await inbox.next("unread"))["missed"] == 0

    @pytest.mark.gen_test
    async def test_is_not_said_of_a_call_that_nobody_missed(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inboxes = [await alice.inbox(), await bob.inbox()]
        await bob.do("decline", await alice.place("bob"))
        await bob.api("POST", "/calls/seen")
        for inbox in inboxes:
            assert "unread" not in await inbox.settled()
