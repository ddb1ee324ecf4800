"""Connections that are lost and come back: nothing is missing and nothing comes twice, or it is said that it cannot
be so."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from server.close_codes import CloseCode
from server.ids import new_id
from tests.peer import Frame, Peer
from tests.running import Person, Running, StallingMongo, Start

PATIENT: dict[str, object] = {"calls.connect_timeout_s": 600}
"""A call that does not mind how long the media takes."""


async def lost(running: Running, peer: Peer) -> None:
    """The TCP connection is cut, and the server has noticed."""
    peer.cut()
    await running.until_away(peer)


async def resume(person: Person, path: str, connection_id: str, last_seq: int | str = 0) -> Peer:
    """Asks for a session, which may be refused."""
    peer = await person.open(path, resume=connection_id, last_seq=str(last_seq))
    await peer.next("connected")
    return peer


def told(peer: Peer) -> list[Frame]:
    """Every numbered frame."""
    return [frame for frame in peer.frames if "seq" in frame]


def is_fresh(peer: Peer, before: Peer) -> bool:
    """Whether the peer got a new session and was told that it is one."""
    resumed = next(frame for frame in peer.frames if frame["type"] == "resumed")
    return peer.connection_id != before.connection_id and not resumed["complete"]


class TestADevice:
    @pytest.mark.gen_test
    async def test_gets_exactly_what_it_missed(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        twin = await (await running.device(bob.user)).inbox()
        inbox = await bob.inbox()
        await bob.do("decline", await alice.place("bob"))
        for peer in (twin, inbox):
            await peer.settled()
        await lost(running, inbox)
        for _ in range(3):
            await alice.do("cancel", await alice.place("bob"))
        again = await bob.again(inbox)
        await again.next("resumed")
        await twin.settled()
        assert without_numbers(told(inbox) + told(again)) == without_numbers(
            [frame for frame in told(twin) if frame.get("reason") != "declined_elsewhere"]
        )

    @pytest.mark.gen_test
    async def test_is_greeted_first_and_told_at_last_that_it_has_everything(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        await lost(running, inbox)
        await alice.place("bob")
        again = await bob.again(inbox)
        resumed = await again.next("resumed")
        assert [frame["type"] for frame in again.frames] == ["connected", "incoming", "resumed"]
        assert (resumed["from"], resumed["to"], resumed["complete"]) == (0, 1, True)
        assert "seq" not in resumed

    @pytest.mark.gen_test
    async def test_keeps_its_connection_id_and_goes_on_counting(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        await inbox.next("incoming")
        await lost(running, inbox)
        again = await bob.again(inbox)
        await alice.do("cancel", call)
        assert again.connection_id == inbox.connection_id
        assert (await again.next("incoming_stopped"))["seq"] == inbox.last_seq + 1

    @pytest.mark.gen_test
    async def test_can_be_lost_again_and_again(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        peers = [await bob.inbox()]
        for _ in range(5):
            await lost(running, peers[-1])
            await alice.do("cancel", await alice.place("bob"))
            peers.append(await bob.again(peers[-1]))
            await peers[-1].next("resumed")
            await peers[-1].settled()
        frames = [frame for peer in peers for frame in told(peer)]
        assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
        types = Counter(frame["type"] for frame in frames)
        del types["unread"]  # five missed calls, told in as many numbers or, where they coalesce, in fewer
        assert types == {"incoming": 5, "incoming_stopped": 5, "call": 5}

    @pytest.mark.gen_test
    async def test_may_ask_in_the_first_frame(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        await alice.place("bob")
        await inbox.next("incoming")
        await lost(running, inbox)
        again = await running.open("/ws/user")
        await again.send("auth", token=bob.ws_token(), resume=inbox.connection_id, last_seq=1)
        assert (await again.next("resumed"))["complete"]
        assert told(again) == []

    @pytest.mark.gen_test
    async def test_that_says_nothing_of_a_number_gets_everything_again(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        await alice.place("bob")
        incoming = await inbox.next("incoming")
        await lost(running, inbox)
        again = await bob.inbox(resume=inbox.connection_id)
        assert await again.next("incoming") == incoming

    @pytest.mark.gen_test
    async def test_may_be_resumed_before_the_server_has_noticed(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        again = await bob.again(inbox)
        bye, code, _ = await inbox.closed()
        assert bye is not None
        assert (code, bye["action"]) == (CloseCode.REPLACED, "stop")
        await alice.place("bob")
        assert await again.next("incoming")
        assert "incoming" not in inbox.unread

    @pytest.mark.gen_test
    async def test_is_not_disturbed_by_the_late_end_of_its_socket_before(self, start: Start) -> None:
        running = await start({"sockets.close_timeout_s": 0.05})
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        inbox.socket.transport.pause_reading()  # half open: the close is not answered
        again = await bob.again(inbox)
        await running.until(lambda: len(running.services.hub.connections) == 1)
        inbox.cut()
        await alice.place("bob")
        assert await again.next("incoming")

    @pytest.mark.gen_test
    async def test_of_two_that_resume_at_once_the_later_one_stays(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        await lost(running, inbox)
        resume = {"resume": inbox.connection_id, "last_seq": str(inbox.last_seq)}
        pair = await asyncio.gather(bob.open("/ws/user", **resume), bob.open("/ws/user", **resume))
        # The earlier one may hear of the later one before or after it was let in itself.
        openings = [await peer.next_of("connected", "bye") for peer in pair]
        await alice.place("bob")
        firsts = [
            frame if frame["type"] == "bye" else await peer.next_of("incoming", "bye")
            for peer, frame in zip(pair, openings, strict=True)
        ]
        assert sorted(frame["type"] for frame in firsts) == ["bye", "incoming"]
        assert [frame["code"] for frame in firsts if frame["type"] == "bye"] == [CloseCode.REPLACED]

    @pytest.mark.gen_test
    async def test_may_come_back_with_another_sign_in_and_ends_with_that_one(self, running: Running) -> None:
        bob = await running.person("bob")
        anew = await running.device(bob.user)
        inbox = await bob.inbox()
        await lost(running, inbox)
        again = await anew.again(inbox)
        assert (await again.next("resumed"))["complete"]
        await bob.api("POST", "/auth/logout")
        assert "bye" not in await again.settled()
        await anew.api("POST", "/auth/logout")
        assert (await again.closed()).code == CloseCode.SIGNED_OUT


def without_numbers(frames: list[Frame]) -> list[dict[str, Any]]:
    """Frames as they are for every device."""
    return [{name: value for name, value in frame.items() if name != "seq"} for frame in frames]


class TestASessionThatCannotBeResumed:
    @pytest.mark.gen_test
    async def test_is_one_whose_frames_are_no_longer_all_there(self, start: Start) -> None:
        running = await start({"sockets.resume_frames": 2})
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        await lost(running, inbox)
        call = await alice.place("bob")
        for _ in range(2):
            await alice.do("cancel", call)
            running.clock.move(3)
            call = await alice.place("bob")
        again = await bob.again(inbox)
        assert not (await again.next("resumed"))["complete"]
        assert [item["call"]["call_id"] for item in again.connected["snapshot"]["incoming"]] == [call["call_id"]]
        assert told(again) == []

    @pytest.mark.gen_test
    async def test_is_one_of_a_number_that_was_never_reached(self, running: Running) -> None:
        bob = await running.person("bob")
        inbox = await bob.inbox()
        await lost(running, inbox)
        again = await resume(bob, "/ws/user", inbox.connection_id, 99)
        assert not (await again.next("resumed"))["complete"]

    @pytest.mark.gen_test
    async def test_is_one_of_which_nobody_knows(self, running: Running) -> None:
        bob = await running.person("bob")
        again = await resume(bob, "/ws/user", new_id())
        assert not (await again.next("resumed"))["complete"]

    @pytest.mark.gen_test
    @pytest.mark.parametrize("name", ["", "nonsense", "x" * 65, "$ne", "\u4f60"])
    async def test_is_one_of_no_such_name(self, running: Running, name: str) -> None:
        again = await resume(await running.person("bob"), "/ws/user", name)
        assert (await again.request("ping"))["type"] == "ack"
        assert told(again) == []

    @pytest.mark.gen_test
    @pytest.mark.parametrize("number", ["-1", "x", "1e3", "9" * 30, "\u0661"])
    async def test_is_not_one_of_a_strange_number(self, running: Running, number: str) -> None:
        bob = await running.person("bob")
        inbox = await bob.inbox()
        await lost(running, inbox)
        again = await resume(bob, "/ws/user", inbox.connection_id, number)
        assert (await again.request("ping"))["type"] == "ack"

    @pytest.mark.gen_test
    async def test_is_one_of_a_server_that_was_started_anew(self, start: Start) -> None:
        before, after = await start({"auth.secret": "k" * 32}), await start({"auth.secret": "k" * 32})
        bob = await before.person("bob")
        inbox = await bob.inbox()
        bob.running = after
        again = await resume(bob, "/ws/user", inbox.connection_id)
        await again.next("resumed")
        assert is_fresh(again, inbox)
        assert again.connected["epoch"] != inbox.connected["epoch"]

    @pytest.mark.gen_test
    async def test_is_one_of_somebody_else(self, running: Running) -> None:
        alice, bob, mallory = await running.people("alice", "bob", "mallory")
        inbox = await bob.inbox()
        await alice.place("bob")
        again = await resume(mallory, "/ws/user", inbox.connection_id)
        await again.next("resumed")
        assert is_fresh(again, inbox)
        assert told(again) == []
        assert "bye" not in await inbox.settled()

    @pytest.mark.gen_test
    async def test_is_one_of_another_path(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        again = await resume(bob, f"/ws/call/{call['call_id']}", inbox.connection_id)
        await again.next("resumed")
        assert is_fresh(again, inbox)
        assert "bye" not in await inbox.settled()

    @pytest.mark.gen_test
    async def test_is_one_of_another_call(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        _, mine, _ = await running.both_in(alice, bob)
        other = await carol.place("alice")
        again = await resume(alice, f"/ws/call/{other['call_id']}", mine.connection_id)
        await again.next("resumed")
        assert is_fresh(again, mine)

    @pytest.mark.gen_test
    async def test_is_one_whose_window_is_over(self, running: Running) -> None:
        bob = await running.person("bob")
        inbox = await bob.inbox()
        await lost(running, inbox)
        running.clock.move(121)
        await running.server.sweep()
        again = await bob.again(inbox)
        await again.next("resumed")
        assert is_fresh(again, inbox)

    @pytest.mark.gen_test
    async def test_is_one_that_was_closed_for_good(self, running: Running) -> None:
        bob = await running.person("bob")
        inbox = await bob.inbox()
        await inbox.close(1000)
        await running.until(lambda: len(running.services.hub) == 0)
        again = await bob.again(inbox)
        await again.next("resumed")
        assert is_fresh(again, inbox)

    @pytest.mark.gen_test
    async def test_is_not_one_that_was_about_to_be_swept(self, running: Running) -> None:
        bob = await running.person("bob")
        inbox = await bob.inbox()
        await lost(running, inbox)
        running.clock.move(121)
        again = await bob.again(inbox)
        await running.server.sweep()
        assert (await again.next("resumed"))["complete"]
        assert (await again.request("ping"))["type"] == "ack"

    @pytest.mark.gen_test
    async def test_is_not_one_that_comes_back_while_it_is_swept(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides())
        bob = await running.person("bob")
        inbox = await bob.inbox()
        await lost(running, inbox)
        with stalling.stalled():
            session = running.services.hub.get(inbox.connection_id)
            coming = asyncio.create_task(bob.again(inbox))
            await running.until(lambda: session is not None and session.detached_at_s is None)
            running.clock.move(121)
            running.services.hub.sweep()
        assert (await coming).connection_id == inbox.connection_id


class TestWhatWasAskedBefore:
    @pytest.mark.gen_test
    async def test_is_answered_again_and_done_once(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        first = await mine.request("chat", id="once", text="hello")
        await lost(running, mine)
        again = await alice.again(mine)
        assert await again.request("chat", id="once", text="hello") == first
        assert (await theirs.settled()).count("chat") == 1

    @pytest.mark.gen_test
    async def test_and_was_never_answered_is_done_once(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        await inbox.send("answer", id="once", call_id=call["call_id"])
        await inbox.settled()
        await lost(running, inbox)
        again = await bob.again(inbox)
        assert (await again.request("answer", id="once", call_id=call["call_id"]))["type"] == "ack"
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document["rev"] == 2

    @pytest.mark.gen_test
    async def test_and_is_still_worked_on_is_answered_on_the_new_socket(
        self, start: Start, stalling: StallingMongo
    ) -> None:
        running = await start(stalling.overrides())
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        with stalling.stalled():
            await inbox.send("answer", id="once", call_id=call["call_id"])
            await inbox.send("ping")
            await inbox.next("pong")
            coming = asyncio.create_task(bob.again(inbox))
            await running.until(lambda: len(running.services.hub.connections) == 2)
        again = await coming
        await again.send("answer", id="once", call_id=call["call_id"])
        assert (await again.answer_to("once"))["type"] == "ack"
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document["rev"] == 2

    @pytest.mark.gen_test
    async def test_and_fails_for_a_passing_reason_is_told_on_the_new_socket(
        self, start: Start, stalling: StallingMongo
    ) -> None:
        running = await start(stalling.overrides(timeout_ms=500))
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        with stalling.holding_writes():
            await inbox.send("answer", id="once", call_id=call["call_id"])
            await inbox.send("ping")
            await inbox.next("pong")
            again = await bob.again(inbox)
            error = await again.answer_to("once")
        assert (error["code"], error["retryable"]) == ("unavailable", True)
        assert (await again.request("answer", id="once", call_id=call["call_id"]))["type"] == "ack"


class TestAParticipant:
    @pytest.mark.gen_test
    async def test_is_seen_to_be_reconnecting_and_to_be_back(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        theirs.cut()
        away = await mine.next("participant")
        assert (away["user_id"], away["leg_id"], away["connection"]) == (bob.id, theirs.leg_id, "reconnecting")
        await bob.again(theirs)
        assert (await mine.next("participant"))["connection"] == "connected"
        assert "join" not in await mine.settled()

    @pytest.mark.gen_test
    async def test_is_shown_as_reconnecting_to_whoever_comes_meanwhile(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await running.answered(alice, bob)
        mine = await alice.room(call)
        await lost(running, mine)
        (shown,) = (await bob.room(call)).connected["snapshot"]["participants"]
        assert (shown["user"]["id"], shown["connection"]) == (alice.id, "reconnecting")

    @pytest.mark.gen_test
    async def test_gets_the_signaling_that_was_missed(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        await lost(running, theirs)
        await mine.request("offer", to=theirs.leg_id, sdp="v=0\r\n")
        for number in range(20):
            await mine.request("candidate", to=theirs.leg_id, candidates=[number])
        again = await bob.again(theirs)
        assert (await again.next("offer"))["sdp"] == "v=0\r\n"
        assert [(await again.next("candidate"))["candidates"] for _ in range(20)] == [[n] for n in range(20)]
        assert (await again.next("resumed"))["complete"]

    @pytest.mark.gen_test
    async def test_keeps_what_it_sends(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        await theirs.request("media", audio=True, video=True, screen=False, hand=False)
        await mine.next("participant")
        await lost(running, theirs)
        await mine.next("participant")
        await bob.again(theirs)
        assert (await mine.next("participant"))["media"]["video"]

    @pytest.mark.gen_test
    async def test_is_joined_again_in_the_call_itself(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await lost(running, theirs)
        assert (await mine.next("call"))["call"]["legs"][1]["state"] == "reconnecting"
        await bob.again(theirs)
        assert (await mine.next("call"))["call"]["legs"][1]["state"] == "joined"
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document["legs"][1]["state"] == "joined"

    @pytest.mark.gen_test
    async def test_that_is_back_before_the_loss_is_stored_is_joined_in_the_end(
        self, start: Start, stalling: StallingMongo
    ) -> None:
        running = await start(stalling.overrides())
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        with stalling.holding_writes():
            await lost(running, theirs)
            await bob.again(theirs)
        states = [(await mine.next("call"))["call"]["legs"][1]["state"] for _ in range(2)]
        assert states == ["reconnecting", "joined"]
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document["legs"][1]["state"] == "joined"

    @pytest.mark.gen_test
    async def test_that_is_lost_before_the_return_is_stored_is_reconnecting_in_the_end(
        self, start: Start, stalling: StallingMongo
    ) -> None:
        running = await start(stalling.overrides())
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        await lost(running, theirs)
        await mine.next("call")
        with stalling.holding_writes():
            await lost(running, await bob.again(theirs))
        states = [(await mine.next("call"))["call"]["legs"][1]["state"] for _ in range(2)]
        assert states == ["joined", "reconnecting"]

    @pytest.mark.gen_test
    async def test_is_lost_when_the_window_is_over(self, start: Start) -> None:
        running = await start(PATIENT)
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        await lost(running, theirs)
        running.clock.move(31)
        await running.server.sweep()
        left = await mine.next("leave")
        assert (left["user_id"], left["leg_id"], left["reason"]) == (bob.id, theirs.leg_id, "connection_lost")
        assert (await mine.next("ended"))["call"]["end_reason"] == "connection_lost"

    @pytest.mark.gen_test
    async def test_is_not_lost_before(self, start: Start) -> None:
        running = await start(PATIENT)
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        await lost(running, theirs)
        running.clock.move(29)
        await running.server.sweep()
        assert "leave" not in await mine.settled()
        assert (await (await bob.again(theirs)).next("resumed"))["complete"]

    @pytest.mark.gen_test
    async def test_is_not_lost_while_the_others_hear_them(self, start: Start) -> None:
        running = await start(PATIENT)
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        await mine.request("stats", leg_id=theirs.leg_id, connection="connected")
        await lost(running, theirs)
        running.clock.move(31)
        await running.server.sweep()
        assert "leave" not in await mine.settled()
        await mine.request("stats", leg_id=theirs.leg_id, connection="disconnected")
        await running.server.sweep()
        assert (await mine.next("leave"))["reason"] == "connection_lost"

    @pytest.mark.gen_test
    async def test_that_was_only_heard_comes_back_with_a_new_session(self, start: Start) -> None:
        running = await start(PATIENT)
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        await mine.request("stats", leg_id=theirs.leg_id, connection="connected")
        await lost(running, theirs)
        running.clock.move(31)
        await running.server.sweep()
        again = await bob.again(theirs)
        await again.next("resumed")
        assert is_fresh(again, theirs)
        assert (await mine.next("join"))["participant"]["leg_id"] == theirs.leg_id

    @pytest.mark.gen_test
    async def test_leaves_the_call_going_when_both_are_away_for_a_moment(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await lost(running, mine)
        await lost(running, theirs)
        again = [await alice.again(mine), await bob.again(theirs)]
        await again[0].request("chat", text="still there?")
        assert (await again[1].next("chat"))["text"] == "still there?"
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document["state"] == "connecting"


class TestADrainedServer:
    @pytest.mark.gen_test
    async def test_keeps_the_session_for_whoever_is_back_soon_enough(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        running.server.send_home()
        assert (await inbox.closed()).code == CloseCode.DRAINING
        await alice.place("bob")
        again = await bob.again(inbox)
        assert await again.next("incoming")
        assert (await again.next("resumed"))["complete"]
