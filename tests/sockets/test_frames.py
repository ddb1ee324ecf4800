"""Frames from clients: each with an ``id`` is answered once, wrong ones are explained, too many are held back."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest

from server.close_codes import CloseCode
from server.realtime.frames import FromClient
from tests.dialogues.talking import begin
from tests.handlers.test_security import OPERATORS, number_or_json
from tests.peer import Frame, Peer
from tests.running import Running, StallingMongo, Start

LENIENT: dict[str, object] = {
    "sockets.bad_frames_per_minute": 10_000,
    "sockets.frames_burst": 10_000,
    "sockets.limited_frames_per_10_s": 100_000,
}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

GOOD_VALUES: dict[str, Any] = {
    **dict.fromkeys(("call_id", "to", "leg_id", "text", "recording_id", "segment", "message_id"), "x"),
    **dict.fromkeys(("audio", "video", "screen", "hand", "final"), True),
    **{"usernames": ["bob"], "legs": {"x": {}}, "action": "ask", "agree": True},
    **{"sdp": "v=0", "candidates": [], "user_ids": [], "connection": "connected", "reason": "hangup"},
}
"""What each field of a frame may hold."""


async def refused(peer: Peer, text: str) -> Frame:
    """The error that ``text`` is answered with; the connection stays."""
    await peer.send_text(text)
    error = await peer.next("error")
    assert (await peer.request("ping"))["type"] == "ack"
    return error


class TestAnswers:
    @pytest.mark.gen_test
    async def test_come_once_for_each_id(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        for number in range(5):
            await inbox.send("ping", id=f"p{number}")
        await inbox.settled()
        assert [frame["id"] for frame in inbox.frames if frame["type"] == "ack"][:5] == [f"p{n}" for n in range(5)]

    @pytest.mark.gen_test
    async def test_do_not_come_without_an_id(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        await inbox.send("watch", user_ids=[])
        assert await inbox.settled() == []

    @pytest.mark.gen_test
    async def test_carry_no_number_and_a_time(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        ack, error = await inbox.request("ping"), await inbox.request("nonsense")
        for frame in (ack, error):
            assert "seq" not in frame
            assert TIMESTAMP.fullmatch(frame["timestamp"])

    @pytest.mark.gen_test
    async def test_to_a_ping_are_a_pong(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        await inbox.send("ping")
        assert await inbox.next("pong")

    @pytest.mark.gen_test
    async def test_of_a_refusal_name_code_sentence_and_whether_to_try_again(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        error = await inbox.request("answer", call_id="nonsense")
        assert {name: error[name] for name in ("type", "code", "message", "retryable")} == {
            "type": "error", "code": "not_found", "message": "There is no such call", "retryable": False,
        }  # fmt: skip

    @pytest.mark.gen_test
    async def test_do_not_wait_for_slow_work_before_them(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides(timeout_ms=500))
        inbox = await (await running.person("alice")).inbox()
        with stalling.stalled():
            await inbox.send("watch", id="slow", user_ids=[])
            assert (await inbox.request("ping", id="quick"))["type"] == "ack"
            assert (await inbox.answer_to("slow"))["code"] == "unavailable"

    @pytest.mark.gen_test
    async def test_to_slow_work_come_in_order(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        for number in range(20):
            await inbox.send("watch", id=f"w{number}", user_ids=[])
        await inbox.answer_to("w19")
        ids = [frame["id"] for frame in inbox.frames if frame["type"] == "ack"]
        assert ids == [f"w{number}" for number in range(20)]


class TestTheSameIdAgain:
    @pytest.mark.gen_test
    async def test_is_answered_again_and_done_once(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        first, second = [await mine.request("chat", id="once", text="hello") for _ in range(2)]
        assert first == second
        assert await theirs.settled() == ["chat"]

    @pytest.mark.gen_test
    async def test_is_answered_with_the_same_refusal(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        first, second = [await inbox.request("answer", id="once", call_id="nonsense") for _ in range(2)]
        assert (first["type"], first) == ("error", second)

    @pytest.mark.gen_test
    async def test_while_it_is_worked_on_is_answered_once(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        inbox = await bob.inbox()
        call = await alice.place("bob")
        for _ in range(5):
            await inbox.send("answer", id="once", call_id=call["call_id"])
        await inbox.answer_to("once")
        await inbox.settled()
        answers = [frame for frame in inbox.frames if frame.get("id") == "once"]
        assert {frame["type"] for frame in answers} == {"ack"}
        assert (await alice.api("GET", f"/calls/{call['call_id']}")).document["rev"] == 2

    @pytest.mark.gen_test
    async def test_is_done_again_after_two_minutes(self, running: Running) -> None:
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        await mine.request("chat", id="once", text="hello")
        running.clock.move(121)
        await mine.request("chat", id="once", text="hello again")
        assert await theirs.settled() == ["chat", "chat"]

    @pytest.mark.gen_test
    async def test_is_done_again_after_a_refusal_that_passes(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides(timeout_ms=500))
        inbox = await (await running.person("alice")).inbox()
        with stalling.stalled():
            error = await inbox.request("watch", id="once", user_ids=[])
        assert (error["code"], error["retryable"]) == ("unavailable", True)
        assert (await inbox.request("watch", id="once", user_ids=[]))["type"] == "ack"

    @pytest.mark.gen_test
    async def test_on_another_socket_is_another_frame(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        _, mine, theirs = await running.both_in(alice, bob)
        await mine.request("chat", id="once", text="one")
        await theirs.request("chat", id="once", text="two")
        assert await mine.settled() == ["chat", "chat"]


class TestWhatCannotBeUnderstood:
    @pytest.mark.gen_test
    async def test_of_an_unknown_type_is_told_the_types_there_are(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        error = await inbox.request("offer", to="x", sdp="v=0")
        assert (error["code"], error["errors"]) == ("unknown_type", {"type": "unknown"})
        assert error["message"] == "type: one of answer, decline, ignore, ping, pong, presence, ringing, watch"

    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "text",
        [
            "", "nonsense", "{", "[]", "null", "1", '"ping"', "{}", '{"type":1}', '{"type":null}', '{"type":["ping"]}',
            '{"type":"ping","id":1}', '{"type":"ping","id":""}', '{"type":"ping","id":"' + 65 * "x" + '"}',
            '{"type":"ping","id":{"$ne":1}}', '{"type":"watch","user_ids":NaN}', "[" * 5000, '{"a":' * 5000,
            '{"type":"watch","user_ids":["\\ud800"]}', '{"type":"Ping"}', '{"type":"ping"}{"type":"ping"}',
        ],
        ids=lambda text: text[:20],
    )  # fmt: skip
    async def test_is_explained_and_the_connection_stays(self, running: Running, text: str) -> None:
        inbox = await (await running.person("alice")).inbox()
        error = await refused(inbox, text)
        assert error["code"] in ("bad_request", "unknown_type")
        assert error["retryable"] is False

    @pytest.mark.gen_test
    async def test_is_answered_to_its_id_where_it_has_one(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        assert (await refused(inbox, '{"id":"me","type":"watch","user_ids":1}'))["id"] == "me"
        assert "id" not in await refused(inbox, '{"id":1,"type":"watch","user_ids":1}')

    @pytest.mark.gen_test
    async def test_is_told_by_name_of_a_field_that_there_is_not(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        assert (await inbox.request("ping", colour="blue"))["errors"] == {"colour": "There is no field `colour`"}

    @pytest.mark.gen_test
    async def test_is_told_by_name_of_a_field_that_is_missing(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        assert (await inbox.request("decline"))["errors"] == {"call_id": "Missing field `call_id`"}

    @pytest.mark.gen_test
    async def test_repeats_nothing_of_what_was_said(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        error = await inbox.request("watch", user_ids=["secret" * 20])
        assert "secret" not in json.dumps(error)

    @pytest.mark.gen_test
    async def test_ends_the_connection_after_twenty_in_a_minute(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        for _ in range(20):
            await inbox.send_text("nonsense")
        bye, code, _ = await inbox.closed()
        assert bye is not None
        assert (code, bye["action"]) == (CloseCode.BAD_MESSAGES, "stop")
        assert [frame["type"] for frame in inbox.frames] == ["connected"] + 20 * ["error"] + ["bye"]

    @pytest.mark.gen_test
    async def test_is_forgiven_after_a_minute(self, running: Running) -> None:
        inbox = await (await running.person("alice")).inbox()
        for _ in range(3):
            for _ in range(19):
                await refused(inbox, "nonsense")
            running.clock.move(61)
        assert (await inbox.request("ping"))["type"] == "ack"


class TestEveryFieldOfEveryFrame:
    @pytest.mark.gen_test
    async def test_refuses_operators_and_everything_else_that_it_does_not_hold(self, start: Start) -> None:
        running = await start(LENIENT)
        alice, bob = await running.people("alice", "bob")
        _, room, _ = await running.both_in(alice, bob)
        dialogue = await (await begin(running, "carol")).open()
        peers = {"user": await alice.inbox(), "call": room, "dialogue": dialogue}
        tried = 0
        for name, endpoint in running.services.endpoints.items():
            for kind, shape in endpoint.commands.reader.types.items():
                for field in (each for each in shape.__struct_fields__ if each != "id"):
                    for value in wrong_for(field):
                        text = frame_text(kind, required_of(shape), field, value)
                        error = await refused(peers[name], text)
                        assert (error["code"], field in str(error["errors"])) == ("bad_request", True), text[:200]
                        tried += 1
        assert tried > 150


def wrong_for(field: str) -> list[Any]:
    """What the field does not hold. Candidates are a list of whatever the other side makes of it."""
    return [value for value in OPERATORS if not (field == "candidates" and isinstance(value, list))]


def required_of(shape: type[FromClient]) -> list[str]:
    """The fields that such a frame cannot do without."""
    return [each.encode_name for each in msgspec.structs.fields(shape) if each.required]


def frame_text(kind: str, fields: list[str], field: str, value: Any) -> str:
    """A frame in which one field is wrong."""
    said = {"type": kind} | {name: GOOD_VALUES[name] for name in fields if name not in ("id", field)}
    return f'{json.dumps(said)[:-1]},"{field}":{number_or_json(value).decode()}}}'


class TestTooMany:
    @pytest.mark.gen_test
    async def test_above_the_burst_are_not_acted_on(self, start: Start) -> None:
        running = await start({"sockets.frames_burst": 5, "sockets.frames_per_s": 0.1})
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        answers = [await mine.request("chat", text=str(number)) for number in range(7)]
        assert [answer["type"] for answer in answers] == 5 * ["ack"] + 2 * ["error"]
        assert (answers[6]["code"], answers[6]["retryable"]) == ("rate_limited", True)
        assert await theirs.settled() == 5 * ["chat"]

    @pytest.mark.gen_test
    async def test_are_acted_on_again_after_a_while(self, start: Start) -> None:
        running = await start({"sockets.frames_burst": 1, "sockets.frames_per_s": 0.1})
        inbox = await (await running.person("alice")).inbox()
        await inbox.request("ping")
        assert (await inbox.request("ping", id="again"))["code"] == "rate_limited"
        running.clock.move(11)
        assert (await inbox.request("ping", id="again"))["type"] == "ack"

    @pytest.mark.gen_test
    async def test_for_long_end_the_connection(self, start: Start) -> None:
        running = await start({"sockets.frames_burst": 1, "sockets.frames_per_s": 0.1})
        inbox = await (await running.person("alice")).inbox()
        for _ in range(201):
            await inbox.send("ping")
        bye, code, _ = await inbox.closed()
        assert bye is not None
        assert (code, bye["action"], bye["retry_after_ms"]) == (CloseCode.RATE_LIMITED, "resume", 5000)

    @pytest.mark.gen_test
    async def test_of_one_do_not_concern_the_others(self, start: Start) -> None:
        running = await start({"sockets.frames_burst": 5, "sockets.frames_per_s": 0.1})
        _, mine, theirs = await running.both_in(*await running.people("alice", "bob"))
        for _ in range(50):
            await mine.send("ping")
        assert (await theirs.request("chat", text="I can talk"))["type"] == "ack"
        assert (await mine.next("chat"))["text"] == "I can talk"

    @pytest.mark.gen_test
    async def test_to_be_worked_on_are_told_to_wait(self, start: Start, stalling: StallingMongo) -> None:
        running = await start(stalling.overrides() | {"sockets.queue_length": 2})
        inbox = await (await running.person("alice")).inbox()
        with stalling.stalled():
            for number in range(4):
                await inbox.send("watch", id=f"w{number}", user_ids=[])
            late = await inbox.answer_to("w2")
        assert (late["code"], late["retryable"]) == ("rate_limited", True)
        assert [(await inbox.answer_to(f"w{number}"))["type"] for number in range(2)] == ["ack", "ack"]
