"""``/ws/call/{call_id}``: more than two people in the room of a call."""

from __future__ import annotations

from typing import Any

import pytest

from server.close_codes import CloseCode
from tests.peer import Frame, Peer
from tests.running import Person, Running, Start


async def three_in(running: Running) -> tuple[dict[str, Any], list[Person], list[Peer]]:
    """Alice has called Bob and has then called Carol in; all are in the room and have read everything."""
    people = await running.people("alice", "bob", "carol")
    call, mine, theirs = await running.both_in(people[0], people[1])
    assert (await mine.request("invite", usernames=["carol"]))["type"] == "ack"
    assert (await people[2].do("answer", call)).status == 200
    hers = await people[2].room(call)
    rooms = [mine, theirs, hers]
    for room in rooms:
        await room.settled()
        room.forget()
    return call, people, rooms


async def state_of(person: Person, call: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = (await person.api("GET", f"/calls/{call['call_id']}")).document
    return document


class TestCallingIn:
    @pytest.mark.gen_test
    async def test_rings_the_devices_of_whoever_is_called(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        inbox = await carol.inbox()
        call, _, theirs = await running.both_in(alice, bob)
        ack = await theirs.request("invite", usernames=["carol"])
        incoming = await inbox.next("incoming")
        assert (incoming["call_id"], incoming["user_id"]) == (call["call_id"], bob.id)
        assert 40_000 < incoming["expires_in_ms"] <= 45_000
        assert [leg["user"]["username"] for leg in ack["call"]["legs"]] == ["alice", "bob", "carol"]

    @pytest.mark.gen_test
    async def test_is_told_to_everybody_in_the_room(self, running: Running) -> None:
        alice, bob, _ = await running.people("alice", "bob", "carol")
        _, mine, theirs = await running.both_in(alice, bob)
        await mine.request("invite", usernames=["carol"])
        told = await theirs.next("call")
        while len(told["call"]["legs"]) < 3:
            told = await theirs.next("call")
        assert (told["call"]["legs"][2]["invited_by"], told["user_id"]) == (alice.id, alice.id)

    @pytest.mark.gen_test
    async def test_goes_over_http_too(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        inbox = await carol.inbox()
        call = await running.answered(alice, bob)
        answer = await alice.api("POST", f"/calls/{call['call_id']}/invite", {"usernames": ["carol"]})
        assert (answer.status, len(answer.document["legs"])) == (200, 3)
        await inbox.next("incoming", call_id=call["call_id"])

    @pytest.mark.gen_test
    async def test_a_device_that_comes_later_finds_the_call_with_its_own_time(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        call = await running.answered(alice, bob)
        running.clock.move(50)  # past the first ring
        await alice.api("POST", f"/calls/{call['call_id']}/invite", {"usernames": ["carol"]})
        (ringing,) = (await carol.inbox()).connected["snapshot"]["incoming"]
        assert 40_000 < ringing["expires_in_ms"] <= 45_000

    @pytest.mark.gen_test
    async def test_lets_whoever_answers_into_the_room_of_the_others(self, running: Running) -> None:
        _, people, rooms = await three_in(running)
        present = rooms[2].connected["snapshot"]["participants"]
        assert {each["user"]["id"] for each in present} == {people[0].id, people[1].id}

    @pytest.mark.gen_test
    async def test_passes_signaling_between_each_two(self, running: Running) -> None:
        _, _, (mine, theirs, hers) = await three_in(running)
        await hers.request("offer", to=theirs.leg_id, sdp="v=0")
        assert (await theirs.next("offer"))["from"] == hers.leg_id
        assert await mine.settled() == []

    @pytest.mark.gen_test
    async def test_more_than_may_be_is_refused(self, start: Start) -> None:
        running = await start({"calls.max_participants": 2})
        alice, bob, _ = await running.people("alice", "bob", "carol")
        _, mine, _ = await running.both_in(alice, bob)
        assert (await mine.request("invite", usernames=["carol"]))["code"] == "call_full"

    @pytest.mark.gen_test
    async def test_whoever_is_busy_and_wants_no_second_call_is_an_outcome(self, running: Running) -> None:
        alice, bob, carol, dave = await running.people("alice", "bob", "carol", "dave")
        await running.answered(carol, dave)
        await carol.api("PATCH", "/users/me", {"call_waiting": "busy"})
        _, mine, _ = await running.both_in(alice, bob)
        ack = await mine.request("invite", usernames=["carol"])
        assert (ack["call"]["state"], ack["call"]["legs"][2]["state"]) == ("connecting", "busy")

    @pytest.mark.gen_test
    async def test_whoever_has_blocked_the_one_who_calls_hears_nothing(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        inbox = await carol.inbox()
        await carol.api("PUT", f"/contacts/{bob.id}/block")
        await inbox.settled()
        inbox.forget()
        _, _, theirs = await running.both_in(alice, bob)
        ack = await theirs.request("invite", usernames=["carol"])
        assert ack["call"]["legs"][2]["state"] in ("invited", "ringing")
        assert await inbox.settled() == []

    @pytest.mark.gen_test
    async def test_a_block_of_somebody_else_in_the_call_stops_nothing(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        await carol.api("PUT", f"/contacts/{alice.id}/block")
        inbox = await carol.inbox()
        call, _, theirs = await running.both_in(alice, bob)
        await theirs.request("invite", usernames=["carol"])
        await inbox.next("incoming", call_id=call["call_id"])

    @pytest.mark.gen_test
    async def test_a_block_while_it_rings_stops_what_the_blocked_one_has_begun(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        inbox = await carol.inbox()
        call, _, theirs = await running.both_in(alice, bob)
        await theirs.request("invite", usernames=["carol"])
        await inbox.next("incoming", call_id=call["call_id"])
        await carol.api("PUT", f"/contacts/{bob.id}/block")
        assert (await inbox.next("incoming_stopped"))["reason"] == "held_back"

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        ("usernames", "code"), [(["nobody"], "user_not_found"), (["alice"], "cannot_call_self"), ([], "bad_request")]
    )
    async def test_of_nobody_who_can_be_called_is_refused(
        self, running: Running, usernames: list[str], code: str
    ) -> None:
        _, mine, _ = await running.both_in(*await running.people("alice", "bob"))
        answer = await mine.request("invite", usernames=usernames)
        assert (answer["code"], set(answer["errors"])) == (code, {"usernames"})

    @pytest.mark.gen_test
    async def test_by_a_stranger_finds_no_call(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        call = await running.answered(alice, bob)
        answer = await carol.api("POST", f"/calls/{call['call_id']}/invite", {"usernames": ["carol"]})
        assert (answer.status, answer.code) == (404, "not_found")

    @pytest.mark.gen_test
    async def test_counts_as_a_call(self, start: Start) -> None:
        running = await start({"calls.calls_per_minute": 2})
        alice, bob, _ = await running.people("alice", "bob", "carol")
        _, mine, _ = await running.both_in(alice, bob)
        await mine.request("invite", usernames=["carol"])
        await mine.request("remove", leg_id=(await state_of(alice, (await alice.history())[0]))["legs"][2]["leg_id"])
        assert (await mine.request("invite", usernames=["carol"]))["code"] == "too_many_calls"

    @pytest.mark.gen_test
    async def test_dialling_whoever_calls_one_in_is_an_answer(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        call, _, theirs = await running.both_in(alice, bob)
        await theirs.request("invite", usernames=["carol"])
        dialled = await carol.place("bob", media="audio")
        assert (dialled["call_id"], dialled["merged"], dialled["media"]) == (call["call_id"], True, call["media"])


class TestTheHost:
    @pytest.mark.gen_test
    async def test_asks_one_to_mute_and_nobody_else_hears_it(self, running: Running) -> None:
        _, people, (mine, theirs, hers) = await three_in(running)
        assert (await mine.request("mute_request", to=hers.leg_id))["type"] == "ack"
        asked = await hers.next("mute_request")
        assert (asked["from"], asked["user_id"]) == (mine.leg_id, people[0].id)
        assert await theirs.settled() == []

    @pytest.mark.gen_test
    async def test_sends_somebody_away(self, running: Running) -> None:
        call, people, (mine, theirs, hers) = await three_in(running)
        assert (await mine.request("remove", leg_id=hers.leg_id))["type"] == "ack"
        for room in (theirs, hers):
            assert (await room.next("leave", leg_id=hers.leg_id))["reason"] == "removed"
        bye, code, _ = await hers.closed()
        assert bye is not None and (code, bye["action"]) == (CloseCode.ENDED, "stop")
        assert (await state_of(people[0], call))["state"] != "ended"

    @pytest.mark.gen_test
    async def test_whoever_was_sent_away_is_told_once_that_they_left(self, running: Running) -> None:
        _, _, (mine, theirs, hers) = await three_in(running)
        await mine.request("remove", leg_id=hers.leg_id)
        await hers.closed()
        assert (await theirs.settled()).count("leave") == 1

    @pytest.mark.gen_test
    async def test_whoever_was_sent_away_comes_back_only_when_called(self, running: Running) -> None:
        call, people, (mine, _, hers) = await three_in(running)
        await mine.request("remove", leg_id=hers.leg_id)
        assert (await (await people[2].open(f"/ws/call/{call['call_id']}")).closed()).code == CloseCode.ENDED
        await mine.request("invite", usernames=["carol"])
        assert (await people[2].do("answer", call)).status == 200
        assert (await people[2].room(call)).leg_id == hers.leg_id

    @pytest.mark.gen_test
    async def test_alone_ends_a_call_of_three_for_everybody(self, running: Running) -> None:
        _, _, (mine, theirs, hers) = await three_in(running)
        assert (await theirs.request("hangup"))["code"] == "forbidden"
        assert (await mine.request("hangup"))["type"] == "ack"
        for room in (mine, theirs, hers):
            assert (await room.next("ended"))["call"]["end_reason"] == "hangup"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("deed", ["mute_request", "remove"])
    async def test_alone_does_that(self, running: Running, deed: str) -> None:
        _, _, (mine, theirs, hers) = await three_in(running)
        fields = {"to": hers.leg_id} if deed == "mute_request" else {"leg_id": hers.leg_id}
        assert (await theirs.request(deed, **fields))["code"] == "forbidden"
        assert await hers.settled() == await mine.settled() == []

    @pytest.mark.gen_test
    @pytest.mark.parametrize("deed", [{"kind": "mute_request", "to": "x"}, {"kind": "remove", "leg_id": "x"}])
    async def test_needs_somebody_to_do_it_to(self, running: Running, deed: dict[str, str]) -> None:
        _, _, (mine, _, _) = await three_in(running)
        assert (await mine.request(**deed))["code"] == "bad_request"

    @pytest.mark.gen_test
    async def test_is_whoever_is_there_longest_when_the_caller_leaves(self, running: Running) -> None:
        call, people, (mine, theirs, hers) = await three_in(running)
        assert (await state_of(people[1], call))["host"] == mine.leg_id
        await mine.request("leave")
        while (told := await hers.next("call"))["call"]["host"] == mine.leg_id:
            pass
        assert told["call"]["host"] == theirs.leg_id
        assert (await theirs.request("mute_request", to=hers.leg_id))["type"] == "ack"


class TestLeaving:
    @pytest.mark.gen_test
    async def test_a_call_of_three_goes_on(self, running: Running) -> None:
        call, people, (mine, theirs, hers) = await three_in(running)
        await theirs.request("leave")
        for room in (mine, hers):
            assert (await room.next("leave"))["leg_id"] == theirs.leg_id
        assert (await state_of(people[0], call))["state"] != "ended"

    @pytest.mark.gen_test
    @pytest.mark.parametrize(("action", "who"), [("hangup", 1), ("leave", 0), ("leave", 1)])
    async def test_goes_over_http_too(self, running: Running, action: str, who: int) -> None:
        call, people, rooms = await three_in(running)
        after = (await people[who].do(action, call)).document
        assert (after["state"], after["legs"][who]["state"]) == ("connecting", "left")
        assert (await rooms[2].next("leave"))["leg_id"] == rooms[who].leg_id

    @pytest.mark.gen_test
    async def test_says_why(self, running: Running) -> None:
        call, people, (mine, _, hers) = await three_in(running)
        await hers.request("leave", reason="media_denied")
        assert (await mine.next("leave"))["reason"] == "media_denied"
        assert (await state_of(people[0], call))["legs"][2]["reason"] == "media_denied"

    @pytest.mark.gen_test
    async def test_of_all_the_others_ends_the_call_after_a_minute(self, running: Running) -> None:
        call, people, (mine, theirs, hers) = await three_in(running)
        await theirs.request("leave")
        await hers.request("leave")
        assert (await state_of(people[0], call))["alone_until"] is not None
        running.clock.move(59)
        await running.server.sweep()
        assert (await state_of(people[0], call))["state"] != "ended"
        running.clock.move(2)
        await running.server.sweep()
        assert (await mine.next("ended"))["call"]["end_reason"] == "lonely"

    @pytest.mark.gen_test
    async def test_without_a_word_leaves_no_ghost_after_45_seconds(self, running: Running) -> None:
        call, people, (mine, theirs, hers) = await three_in(running)
        await mine.request("stats", leg_id=theirs.leg_id, connection="connected")
        await theirs.request("stats", leg_id=mine.leg_id, connection="connected")
        while (await mine.next("call"))["call"]["state"] != "active":
            pass
        hers.cut()
        while (await mine.next("call"))["call"]["legs"][2]["state"] != "reconnecting":
            pass
        for seconds in (20, 24):  # between them the lease of the call is renewed
            running.clock.move(seconds)
            await running.server.sweep()
        assert (await mine.next("leave"))["reason"] == "connection_lost"
        stored = await state_of(people[0], call)
        assert (stored["end_reason"], [leg["state"] for leg in stored["legs"]]) == (None, ["joined", "joined", "left"])


class TestPaths:
    @pytest.mark.gen_test
    async def test_that_somebody_reports_are_shown_to_the_others(self, running: Running) -> None:
        _, _, (mine, theirs, hers) = await three_in(running)
        await theirs.request("stats", leg_id=hers.leg_id, connection="failed")
        for room in (mine, hers):
            assert await paths_of(room, theirs.leg_id) == {hers.leg_id: "failed"}

    @pytest.mark.gen_test
    async def test_that_are_as_before_are_not_told_again(self, running: Running) -> None:
        _, _, (mine, theirs, hers) = await three_in(running)
        for _ in range(2):
            await theirs.request("stats", leg_id=hers.leg_id, connection="failed")
        assert await mine.settled() == ["participant"]

    @pytest.mark.gen_test
    async def test_stand_in_the_snapshot_of_whoever_comes_later(self, running: Running) -> None:
        call, people, (mine, theirs, _) = await three_in(running)
        await mine.request("stats", leg_id=theirs.leg_id, connection="connected")
        present = (await people[2].room(call)).connected["snapshot"]["participants"]
        assert {each["leg_id"]: each["paths"] for each in present} == {
            mine.leg_id: {theirs.leg_id: "connected"},
            theirs.leg_id: {},
        }

    @pytest.mark.gen_test
    async def test_to_somebody_who_has_gone_are_forgotten(self, running: Running) -> None:
        call, people, (mine, _, hers) = await three_in(running)
        await mine.request("stats", leg_id=hers.leg_id, connection="connected")
        await hers.request("leave")
        await mine.next("leave")
        (shown,) = (await people[1].room(call)).connected["snapshot"]["participants"]
        assert shown["paths"] == {}


async def paths_of(room: Peer, leg_id: str) -> dict[str, str]:
    """What a room hears next of the paths of a leg."""
    shown: Frame = await room.next("participant", leg_id=leg_id)
    paths: dict[str, str] = shown["paths"]
    return paths


@pytest.mark.gen_test
async def test_a_raised_hand_is_seen_by_all(running: Running) -> None:
    _, _, (mine, theirs, hers) = await three_in(running)
    await hers.request("media", audio=True, video=False, screen=False, hand=True)
    for room in (mine, theirs):
        assert (await room.next("participant", leg_id=hers.leg_id))["media"]["hand"] is True
