"""What the wire contract says of sockets, held against a running server from outside."""

from __future__ import annotations

import pytest

from server.close_codes import CloseCode
from tests.peer import Peer
from tests.running import Running, Start, _one_database, database, http_client, running, stalling, start

__all__ = ["_one_database", "database", "http_client", "running", "stalling", "start"]  # the fixtures


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/API/V1/WS/USER", "/Api/V1/Ws/User", "/WS/USER"])
async def test_a_path_in_other_letters_is_told_the_real_one(running: Running, path: str) -> None:
    _, code, reason = await (await Peer.connect(f"ws://127.0.0.1:{running.port}{path}")).closed()
    assert (code, reason) == (CloseCode.NO_SUCH_ENDPOINT, "No socket here; did you mean /api/v1/ws/user?")


@pytest.mark.gen_test
async def test_whoever_comes_while_the_server_stops_is_told_to_wait(running: Running) -> None:
    alice = await running.person("alice")
    running.server.is_draining = True
    bye, code, _ = await (await alice.open("/ws/user")).closed()
    assert bye is not None
    assert (code, bye["action"], bye["retry_after_ms"]) == (CloseCode.DRAINING, "resume", 1_000)


class TestWhoeverCausedIt:
    @pytest.mark.gen_test
    async def test_is_named_by_the_news_of_a_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await alice.inbox()
        call = await alice.place("bob")
        assert (await inbox.next("call"))["user_id"] == alice.id
        await bob.do("answer", call)
        assert (await inbox.next("call"))["user_id"] == bob.id

    @pytest.mark.gen_test
    async def test_is_named_by_the_end_of_a_call(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await bob.do("hangup", call)
        assert [(await peer.next("ended"))["user_id"] for peer in (mine, theirs)] == [bob.id, bob.id]

    @pytest.mark.gen_test
    async def test_is_named_by_leaving(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        await mine.send("leave")
        assert (await theirs.next("ended"))["user_id"] == alice.id

    @pytest.mark.gen_test
    async def test_is_named_where_it_stops_ringing(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        await alice.do("cancel", await alice.place("bob"))
        stopped = await inbox.next("incoming_stopped")
        assert (stopped["reason"], stopped["user_id"]) == ("cancelled", alice.id)

    @pytest.mark.gen_test
    async def test_is_named_where_two_calls_become_one(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await alice.place("bob")
        inbox = await alice.inbox()
        assert (await bob.place("alice"))["merged"] is True
        assert (await inbox.next("call"))["user_id"] == bob.id

    @pytest.mark.gen_test
    async def test_is_nobody_when_a_deadline_passes(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        await alice.place("bob")
        running.clock.move(45.0)
        await running.server.sweep()
        stopped = await inbox.next("incoming_stopped")
        assert (stopped["reason"], stopped.get("user_id")) == ("no_answer", None)


class TestPresence:
    @pytest.mark.gen_test
    async def test_set_by_a_device_is_seen_by_those_who_watch(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine, theirs = await alice.inbox(), await bob.inbox()
        await theirs.request("watch", user_ids=[alice.id])
        assert (await mine.request("presence", state="do_not_disturb"))["type"] == "ack"
        assert (await theirs.next("presence"))["state"] == "do_not_disturb"
        await mine.request("presence", state="online")
        assert (await theirs.next("presence"))["state"] == "online"

    @pytest.mark.gen_test
    async def test_set_by_a_device_is_in_the_profile_and_keeps_calls_away(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await (await bob.inbox()).request("presence", state="do_not_disturb")
        assert (await bob.api("GET", "/users/me")).document["do_not_disturb"] is True
        assert (await alice.place("bob"))["end_reason"] == "do_not_disturb"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("state", ["in_call", "offline", "idle", "", None, 1])
    async def test_is_set_to_nothing_that_is_a_fact_or_unknown(self, running: Running, state: object) -> None:
        inbox = await (await running.person("alice")).inbox()
        error = await inbox.request("presence", state=state)
        assert (error["code"], list(error["errors"])) == ("bad_request", ["state"])

    @pytest.mark.gen_test
    async def test_of_a_device_that_nobody_uses_is_away_and_calls_ring_there(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine, theirs = await alice.inbox(), await bob.inbox()
        await theirs.request("watch", user_ids=[alice.id])
        await mine.request("presence", state="away")
        assert (await theirs.next("presence"))["state"] == "away"
        await bob.place("alice")
        await mine.next("incoming")
        await mine.request("presence", state="active")
        assert (await theirs.next("presence"))["state"] == "online"

    @pytest.mark.gen_test
    async def test_of_a_device_that_nobody_uses_survives_a_resume(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine, theirs = await alice.inbox(), await bob.inbox()
        await mine.request("presence", state="away")
        await (await alice.again(mine)).next("resumed")
        people = (await theirs.request("watch", user_ids=[alice.id]))["people"]
        assert people == [{"user_id": alice.id, "state": "away"}]

    @pytest.mark.gen_test
    async def test_outlives_a_socket_that_is_resumed(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        mine, theirs = await alice.inbox(), await bob.inbox()
        await mine.request("presence", state="do_not_disturb")
        people = (await theirs.request("watch", user_ids=[alice.id]))["people"]
        assert people == [{"user_id": alice.id, "state": "do_not_disturb"}]
        await (await alice.again(mine)).next("resumed")
        assert "presence" not in await theirs.settled()


class TestWhoeverLooksInBeforeAnswering:
    @pytest.mark.gen_test
    async def test_may_leave_again(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        room = await bob.room(await alice.place("bob"))
        assert (await room.request("leave"))["type"] == "ack"
        assert (await room.closed()).code == CloseCode.NORMAL

    @pytest.mark.gen_test
    async def test_still_rings_afterwards(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await alice.place("bob")
        room = await bob.room(call)
        await room.send("leave")
        await room.closed()
        assert (await bob.do("answer", call)).document["state"] == "connecting"

    @pytest.mark.gen_test
    async def test_is_seen_to_leave(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await alice.place("bob")
        mine, theirs = await alice.room(call), await bob.room(call)
        await theirs.send("leave")
        assert (await mine.next("leave"))["leg_id"] == theirs.leg_id


class TestAFieldThatIsWrong:
    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        ("kind", "field"), [("offer", {"sdp": 5}), ("answer", {"sdp": None}), ("candidate", {"candidates": "x"})]
    )
    async def test_counts_as_a_bad_frame_though_it_would_be_passed_on_unread(
        self, start: Start, kind: str, field: dict[str, object]
    ) -> None:
        running = await start({"sockets.bad_frames_per_minute": 2})
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        for _ in range(2):
            await mine.send(kind, to=theirs.leg_id, **field)
        assert (await mine.closed()).code == CloseCode.BAD_MESSAGES

    @pytest.mark.gen_test
    async def test_does_not_count_when_it_is_only_too_long(self, start: Start) -> None:
        running = await start({"sockets.bad_frames_per_minute": 2, "sockets.max_chat_characters": 1})
        _, mine, _ = await running.both_in(*await running.people("alice", "bob"))
        for _ in range(3):
            assert (await mine.request("chat", text="ab"))["code"] == "too_large"
