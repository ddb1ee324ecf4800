"""``/ws/call/{call_id}``: two people in the room of a call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from server.close_codes import CloseCode
from tests.peer import Peer
from tests.running import Running, Start

MEDIA: dict[str, Any] = {"audio": True, "video": False, "screen": False, "hand": True}

SDP = "\r\n".join(
    [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        's="quotes" \\backslashes\\ and /slashes/',
        "a=fingerprint:sha-256 AA:BB:CC",
        "a=x-unicode:\u00e9\u4f60\U0001f600\u2028\u2029\u0000\u0001\u007f",
        "",
    ]
)


class TestMeeting:
    @pytest.mark.gen_test
    async def test_tells_those_who_are_there_of_the_newcomer(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await running.answered(alice, bob)
        mine = await alice.room(call)
        theirs = await bob.room(call)
        join = await mine.next("join")
        assert (join["call_id"], join["user_id"]) == (call["call_id"], bob.id)
        assert join["participant"] == {
            "leg_id": theirs.leg_id,
            "user": call["legs"][1]["user"],
            "rank": 1,
            "connection": "connected",
            "media": {"audio": False, "video": False, "screen": False, "hand": False},
            "paths": {},
        }

    @pytest.mark.gen_test
    async def test_tells_the_newcomer_by_the_snapshot_alone(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        _, _, theirs = await running.both_in(alice, bob)
        assert await theirs.settled() == []
        assert [other["user"]["id"] for other in theirs.connected["snapshot"]["participants"]] == [alice.id]

    @pytest.mark.gen_test
    async def test_numbers_the_frames_of_each_from_one(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        for text in ("one", "two"):
            await mine.request("chat", text=text)
        await theirs.settled()
        for peer in (mine, theirs):
            numbers = [frame["seq"] for frame in peer.frames if "seq" in frame]
            assert numbers == list(range(1, len(numbers) + 1))

    @pytest.mark.gen_test
    async def test_anew_without_a_resume_takes_the_place_of_the_socket_before(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        again = await bob.room(call)
        bye, code, _ = await theirs.closed()
        assert bye is not None
        assert (code, bye["action"]) == (CloseCode.REPLACED, "stop")
        assert (await mine.next("join"))["participant"]["leg_id"] == again.leg_id

    @pytest.mark.gen_test
    async def test_lets_a_callee_in_who_has_not_answered_yet(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await alice.place("bob")
        assert (await bob.room(call)).connected["snapshot"]["call"]["state"] == "inviting"


class TestSignaling:
    @pytest.mark.gen_test
    @pytest.mark.parametrize("kind", ["offer", "answer"])
    async def test_passes_an_sdp_on_byte_for_byte(self, running: Running, kind: str) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        assert (await mine.request(kind, to=theirs.leg_id, sdp=SDP))["type"] == "ack"
        frame = await theirs.next(kind)
        assert frame["sdp"] == SDP
        assert (frame["from"], frame["user_id"], frame["call_id"]) == (mine.leg_id, alice.id, call["call_id"])

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "written",
        [r'"a=\u00e9\r\n\/"', r'"\u0041\u00DF\ud83d\ude00"', '"é😀"', r'"\"\\\b\f\t"', '""'],
        ids=ascii,
    )
    async def test_passes_an_sdp_on_as_it_was_written(self, running: Running, written: str) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        await mine.send_text(f'{{"type":"offer","to":"{theirs.leg_id}","sdp":{written}}}')
        await theirs.next("offer")
        assert f'"sdp":{written}' in theirs.texts[-1]

    @pytest.mark.gen_test
    async def test_passes_30_kib_on(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        sdp = "a=candidate:\r\n" * (30 * 1024 // 14)
        await mine.send("offer", to=theirs.leg_id, sdp=sdp)
        assert (await theirs.next("offer"))["sdp"] == sdp

    @pytest.mark.gen_test
    async def test_takes_an_sdp_of_32_kib_however_it_was_written(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        for sdp in ("x" * 32768, "\n" * 32768 if 2 * 32768 < 65000 else "\n" * 32000, "é" * 16384):
            await mine.send_text(json.dumps({"type": "offer", "to": theirs.leg_id, "sdp": sdp}, ensure_ascii=False))
            assert (await theirs.next("offer"))["sdp"] == sdp

    @pytest.mark.gen_test
    @pytest.mark.parametrize("sdp", ["x" * 32769, "é" * 16385], ids=["ascii", "utf-8"])
    async def test_refuses_an_sdp_over_32_kib(self, running: Running, sdp: str) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        text = json.dumps({"type": "offer", "id": "o", "to": theirs.leg_id, "sdp": sdp}, ensure_ascii=False)
        await mine.send_text(text)
        answer = await mine.answer_to("o")
        assert (answer["code"], answer["errors"]) == ("too_large", {"sdp": "at most 32768 bytes"})
        assert await theirs.settled() == []

    @pytest.mark.gen_test
    @pytest.mark.parametrize("sdp", [None, 1, {"$ne": 1}, ["x"], True])
    async def test_refuses_an_sdp_that_is_no_text(self, running: Running, sdp: object) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        answer = await mine.request("offer", to=theirs.leg_id, sdp=sdp)
        assert (answer["code"], set(answer["errors"])) == ("bad_request", {"sdp"})

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "candidates",
        [
            [],
            [{"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}],
            [{"candidate": ""}, {"candidate": "é\r\n", "usernameFragment": None}],
        ],
        ids=["the end", "one", "two"],
    )
    async def test_passes_candidates_on(self, running: Running, candidates: list[object]) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        await mine.send("candidate", to=theirs.leg_id, candidates=candidates)
        frame = await theirs.next("candidate")
        assert (frame["candidates"], frame["from"]) == (candidates, mine.leg_id)

    @pytest.mark.gen_test
    @pytest.mark.parametrize("candidates", [None, {}, "x", 1])
    async def test_refuses_candidates_that_are_no_list(self, running: Running, candidates: object) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        answer = await mine.request("candidate", to=theirs.leg_id, candidates=candidates)
        assert (answer["code"], set(answer["errors"])) == ("bad_request", {"candidates"})

    @pytest.mark.gen_test
    async def test_keeps_the_order(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        for number in range(50):
            await mine.send("candidate", to=theirs.leg_id, candidates=[number])
        assert [(await theirs.next("candidate"))["candidates"] for _ in range(50)] == [[n] for n in range(50)]

    @pytest.mark.gen_test
    @pytest.mark.parametrize("to", ["", "x", "$ne", "00000000-0000-7000-8000-000000000000"])
    async def test_to_an_unknown_leg_is_refused(self, running: Running, to: str) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        answer = await mine.request("offer", to=to, sdp=SDP)
        assert (answer["code"], set(answer["errors"])) == ("bad_request", {"to"})
        assert await theirs.settled() == []

    @pytest.mark.gen_test
    async def test_to_oneself_is_refused(self, running: Running) -> None:
        _, mine, _ = await running.both_in(*await running.people("alice", "bob"))
        answer = await mine.request("offer", to=mine.leg_id, sdp=SDP)
        assert (answer["type"], answer["code"]) == ("error", "bad_request")

    @pytest.mark.gen_test
    async def test_to_somebody_who_is_not_in_the_room_is_refused(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await running.answered(alice, bob)
        mine = await alice.room(call)
        answer = await mine.request("offer", to=call["legs"][1]["leg_id"], sdp=SDP)
        assert (answer["code"], answer["retryable"]) == ("bad_state", False)

    @pytest.mark.gen_test
    async def test_to_a_leg_of_another_call_is_refused(self, running: Running) -> None:
        alice, bob, carol, dave = await running.people("alice", "bob", "carol", "dave")
        _, mine, _ = await running.both_in(alice, bob)
        _, _, elsewhere = await running.both_in(carol, dave)
        assert (await mine.request("offer", to=elsewhere.leg_id, sdp=SDP))["code"] == "bad_request"
        assert await elsewhere.settled() == []

    @pytest.mark.gen_test
    @pytest.mark.parametrize("field", ["from", "user_id", "seq", "timestamp", "call_id"])
    async def test_takes_nobodys_word_for_who_they_are(self, running: Running, field: str) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        answer = await mine.request("offer", to=theirs.leg_id, sdp=SDP, **{field: theirs.leg_id})
        assert (answer["code"], set(answer["errors"])) == ("bad_request", {field})
        assert await theirs.settled() == []

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "kind", ["connected", "join", "participant", "call", "ended", "bye", "ack", "error", "incoming", "resumed"]
    )
    async def test_takes_no_frame_that_only_the_server_says(self, running: Running, kind: str) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        assert (await mine.request(kind))["code"] == "unknown_type"
        assert await theirs.settled() == []

    @pytest.mark.gen_test
    async def test_reaches_somebody_whose_socket_is_away_when_they_come_back(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        theirs.cut()
        await running.until_away(theirs)
        await mine.request("offer", to=theirs.leg_id, sdp=SDP)
        assert (await (await bob.again(theirs)).next("offer"))["sdp"] == SDP


class TestMedia:
    @pytest.mark.gen_test
    async def test_is_shown_to_the_others(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await mine.request("media", **MEDIA)
        shown = await theirs.next("participant")
        assert (shown["leg_id"], shown["user_id"], shown["call_id"]) == (mine.leg_id, alice.id, call["call_id"])
        assert (shown["media"], shown["connection"]) == (MEDIA, "connected")

    @pytest.mark.gen_test
    async def test_is_shown_to_whoever_comes_later(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await running.answered(alice, bob)
        await (await alice.room(call)).request("media", **MEDIA)
        (shown,) = (await bob.room(call)).connected["snapshot"]["participants"]
        assert shown["media"] == MEDIA

    @pytest.mark.gen_test
    @pytest.mark.parametrize("missing", MEDIA)
    async def test_says_all_four(self, running: Running, missing: str) -> None:
        _, mine, _ = await running.both_in(*await running.people("alice", "bob"))
        answer = await mine.request("media", **{name: value for name, value in MEDIA.items() if name != missing})
        assert (answer["code"], set(answer["errors"])) == ("bad_request", {missing})


class TestChat:
    @pytest.mark.gen_test
    async def test_comes_to_everybody_the_writer_too(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        ack = await mine.request("chat", text="<b>Grüße</b> \U0001f600")
        for peer in (mine, theirs):
            message = await peer.next("chat")
            assert (message["text"], message["user"]["id"]) == ("<b>Grüße</b> \U0001f600", alice.id)
            assert message["message_id"] == ack["message_id"]

    @pytest.mark.gen_test
    async def test_takes_4096_characters_and_no_more(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        assert (await mine.request("chat", text="\U0001f600" * 4096))["type"] == "ack"
        answer = await mine.request("chat", text="x" * 4097)
        assert (answer["code"], answer["errors"]) == ("too_large", {"text": "at most 4096 characters"})
        assert await theirs.settled() == ["chat"]

    @pytest.mark.gen_test
    async def test_is_never_empty(self, running: Running) -> None:
        _, mine, _ = await running.both_in(*await running.people("alice", "bob"))
        assert (await mine.request("chat", text=""))["code"] == "bad_request"


class TestMediaPath:
    async def flows(self, mine: Peer, theirs: Peer) -> None:
        """Both report that sound and picture arrive."""
        await mine.request("stats", leg_id=theirs.leg_id, connection="connected")
        await theirs.request("stats", leg_id=mine.leg_id, connection="connected")

    @pytest.mark.gen_test
    async def test_of_both_makes_the_call_active(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        await mine.request("stats", leg_id=theirs.leg_id, connection="connected")
        states = [(await mine.next("call"))["call"]["state"]]
        await theirs.request("stats", leg_id=mine.leg_id, connection="connected")
        states.append((await mine.next("call"))["call"]["state"])
        assert states == ["connecting", "active"]

    @pytest.mark.gen_test
    async def test_that_flows_keeps_the_call_when_no_lease_was_renewed_for_a_minute(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await self.flows(mine, theirs)
        while (await mine.next("call"))["call"]["state"] != "active":
            pass
        running.clock.move(60)  # as after a database that was away
        await running.server.sweep()
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document["state"] == "active"

    @pytest.mark.gen_test
    async def test_of_one_does_not(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await mine.request("stats", leg_id=theirs.leg_id, connection="connected")
        await mine.next("call")
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document["state"] == "connecting"

    @pytest.mark.gen_test
    async def test_that_never_flows_ends_the_call(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        running.clock.move(20.5)
        await running.server.sweep()
        for peer in (mine, theirs):
            assert (await peer.next("ended"))["call"]["end_reason"] == "ice_failed"

    @pytest.mark.gen_test
    async def test_that_flows_keeps_the_call(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        await self.flows(mine, theirs)
        await mine.next("call")
        await mine.next("call")
        await mine.next("participant")
        running.clock.move(30)
        await running.server.sweep()
        assert await mine.settled() == []

    @pytest.mark.gen_test
    async def test_lasts_as_long_as_a_call_may(self, start: Start) -> None:
        running = await start({"calls.max_duration_s": 30})
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        await self.flows(mine, theirs)
        await mine.next("call")
        await mine.next("call")
        running.clock.move(31)
        await running.server.sweep()
        assert (await theirs.next("ended"))["call"]["end_reason"] == "max_duration"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("whom", ["oneself", "a stranger"])
    async def test_is_to_another_leg_of_the_call(self, running: Running, whom: str) -> None:
        _, mine, _ = await running.both_in(*await running.people("alice", "bob"))
        leg_id = mine.leg_id if whom == "oneself" else "00000000-0000-7000-8000-000000000000"
        answer = await mine.request("stats", leg_id=leg_id, connection="connected")
        assert (answer["code"], set(answer["errors"])) == ("bad_request", {"leg_id"})


class TestTheEnd:
    async def ends(self, running: Running, peer: Peer, reason: str) -> None:
        """The peer is told that the call has ended, and then nothing but ``bye``."""
        await peer.next("ended")
        bye, code, _ = await peer.closed()
        assert bye is not None
        assert (code, bye["action"], bye["session_kept"]) == (CloseCode.NORMAL, "stop", False)
        kinds = [frame["type"] for frame in peer.frames if frame["type"] != "ack"]
        assert kinds[-2:] == ["ended", "bye"]
        ended = next(frame for frame in peer.frames if frame["type"] == "ended")
        assert (ended["call"]["state"], ended["call"]["end_reason"]) == ("ended", reason)

    @pytest.mark.gen_test
    @pytest.mark.parametrize("who", [0, 1])
    async def test_by_a_hangup_of_either_reaches_both(self, running: Running, who: int) -> None:
        _, *peers = await running.both_in(*await running.people("alice", "bob"))
        assert (await peers[who].request("hangup"))["type"] == "ack"
        for peer in peers:
            await self.ends(running, peer, "hangup")

    @pytest.mark.gen_test
    async def test_by_leaving_reaches_both(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        assert (await mine.request("leave"))["type"] == "ack"
        for peer in (mine, theirs):
            await self.ends(running, peer, "hangup")

    @pytest.mark.gen_test
    async def test_by_http_reaches_both(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        await bob.do("hangup", call)
        for peer in (mine, theirs):
            await self.ends(running, peer, "hangup")

    @pytest.mark.gen_test
    async def test_by_closing_the_socket_for_good_reaches_the_other(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        await mine.close(1000)
        await self.ends(running, theirs, "hangup")

    @pytest.mark.gen_test
    @pytest.mark.parametrize("reason", ["media_denied", "ice_failed"])
    async def test_has_the_reason_that_was_given(self, running: Running, reason: str) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        await mine.send("hangup", reason=reason)
        await self.ends(running, theirs, reason)

    @pytest.mark.gen_test
    @pytest.mark.parametrize("reason", ["admin_ended", "connection_lost", "", None, {"$ne": 1}])
    async def test_has_no_reason_that_is_not_a_participants_to_give(self, running: Running, reason: object) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        assert (await mine.request("hangup", reason=reason))["code"] == "bad_request"
        assert await theirs.settled() == []

    @pytest.mark.gen_test
    async def test_while_it_rings_is_a_cancel(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        mine = await alice.room(await alice.place("bob"))
        await mine.send("hangup")
        await self.ends(running, mine, "cancelled")
        assert (await inbox.next("incoming_stopped"))["reason"] == "cancelled"

    @pytest.mark.gen_test
    async def test_by_a_decline_reaches_the_callers_room(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call = await alice.place("bob")
        mine = await alice.room(call)
        await bob.do("decline", call)
        await self.ends(running, mine, "declined")

    @pytest.mark.gen_test
    async def test_by_the_deadline_reaches_the_callers_room(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await bob.inbox()
        mine = await alice.room(await alice.place("bob"))
        running.clock.move(45.5)
        await running.server.sweep()
        await self.ends(running, mine, "no_answer")

    @pytest.mark.gen_test
    async def test_stands_in_both_histories_with_its_duration(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        running.clock.move(12)
        await mine.send("hangup")
        await theirs.closed()
        for person in (alice, bob):
            (item,) = await person.history()
            assert (item["call_id"], item["end_reason"], item["missed"]) == (call["call_id"], "hangup", False)
            assert 12.0 <= item["duration_s"] < 14.0

    @pytest.mark.gen_test
    async def test_empties_the_room(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        await mine.send("hangup")
        for peer in (mine, theirs):
            await peer.closed()
        assert (len(running.server.rooms), len(running.services.hub)) == (0, 0)

    @pytest.mark.gen_test
    async def test_is_told_to_those_whose_socket_is_away(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        call, mine, theirs = await running.both_in(alice, bob)
        theirs.cut()
        await running.until_away(theirs)
        await mine.request("hangup")
        late = await bob.open(f"/ws/call/{call['call_id']}", resume=theirs.connection_id, last_seq="0")
        assert (await late.closed()).code == CloseCode.ENDED


class TestThree:
    @pytest.mark.gen_test
    async def test_stay_two_when_one_leaves(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        call = await alice.place("bob", "carol")
        for person in (bob, carol):
            await person.do("answer", call)
        rooms = [await person.room(call) for person in (alice, bob, carol)]
        await rooms[2].send("leave")
        for room in rooms[:2]:
            left = await room.next("leave")
            assert (left["leg_id"], left["user_id"], left["reason"]) == (rooms[2].leg_id, carol.id, "hangup")
        assert (await rooms[2].closed()).code == CloseCode.NORMAL
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document["state"] == "connecting"

    @pytest.mark.gen_test
    async def test_get_what_is_for_all_and_not_what_is_for_one(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        call = await alice.place("bob", "carol")
        for person in (bob, carol):
            await person.do("answer", call)
        mine, theirs, third = [await person.room(call) for person in (alice, bob, carol)]
        await mine.request("offer", to=theirs.leg_id, sdp=SDP)
        await mine.request("chat", text="hello")
        assert "offer" in await theirs.settled()
        assert await third.settled() == ["chat"]

    @pytest.mark.gen_test
    async def test_keep_whoever_has_left_outside(self, running: Running) -> None:
        alice, bob, carol = await running.people("alice", "bob", "carol")
        call = await alice.place("bob", "carol")
        for person in (bob, carol):
            await person.do("answer", call)
        rooms = [await person.room(call) for person in (alice, bob, carol)]
        await rooms[2].send("leave")
        await rooms[2].closed()
        assert (await (await carol.open(f"/ws/call/{call['call_id']}")).closed()).code == CloseCode.ENDED
