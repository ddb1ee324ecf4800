"""From a client's bytes to the domain and back: every frame with an `id` gets exactly one `ack` or `error`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from server.close_codes import CloseCode
from server.errors import AlreadyAnswered, BadRequest, TooLarge, Unavailable
from server.realtime import frames
from server.realtime.dispatch import Commands, Dispatcher, Result
from server.realtime.session import Session
from server.settings import SocketSettings
from tests.helpers import until
from tests.realtime.fakes import World, socket_of

SETTINGS = SocketSettings(frames_burst=300, queue_length=3, bad_frames_per_minute=20, limited_frames_per_10_s=200)


class Desk(World):
    """A dispatcher on a list, with one quick command (`chat`) and one slow one (`hangup`)."""

    def __init__(self, settings: SocketSettings = SETTINGS) -> None:
        super().__init__()
        self.session = self.connected()
        self.transport = socket_of(self.session)
        self.closed: list[CloseCode] = []
        self.faults: list[BaseException] = []
        self.done: list[str | None] = []  # the ids of what was acted on
        self.chat: Callable[[], Result] = lambda: None
        self.gate = asyncio.Event()
        self.gate.set()
        self.hangup: Callable[[], Result] = lambda: None
        commands = Commands(
            frames.FrameReader(frames.ChatFromClient, frames.HangUp),
            quick={frames.ChatFromClient: self._chat},
            slow={frames.HangUp: self._hangup},
        )
        assert self.session.connection is not None
        self.connection = self.session.connection
        self.dispatcher = Dispatcher(
            self.session, self.connection, commands, settings, self.clock, self.closed.append, self.faults.append
        )

    def _chat(self, session: Session, frame: frames.ChatFromClient) -> Result:
        self.done.append(frame.id)
        return self.chat()

    async def _hangup(self, session: Session, frame: frames.HangUp) -> Result:
        await self.gate.wait()
        self.done.append(frame.id)
        return self.hangup()

    def says(self, type_: str, id_: str | None = None, **fields: Any) -> None:
        """The client sends a frame."""
        frame: dict[str, Any] = {"type": type_, **fields}
        self.dispatcher.receive(msgspec.json.encode(frame if id_ is None else frame | {"id": id_}))

    def says_chat(self, id_: str | None = None) -> None:
        """The client sends a quick frame."""
        self.says("chat", id_, text="hello")

    async def idle(self) -> None:
        """Waits until the worker has nothing to do."""
        await until(lambda: self.dispatcher._worker is None)

    @property
    def answers(self) -> list[tuple[str, str | None]]:
        """Type (or code) and id of each answer."""
        return [(frame.get("code", frame["type"]), frame.get("id")) for frame in self.transport.frames]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def fails(error: Exception) -> Callable[[], Result]:
    def fail() -> Result:
        raise error

    return fail


# ── quick commands ──


def test_a_frame_with_an_id_is_acknowledged(desk: Desk) -> None:
    desk.says_chat("1")
    assert (desk.answers, desk.done) == ([("ack", "1")], ["1"])


def test_a_frame_without_an_id_is_not_answered(desk: Desk) -> None:
    desk.says_chat()
    assert (desk.answers, desk.done) == ([], [None])


def test_the_ack_carries_the_result_and_when(desk: Desk) -> None:
    desk.chat = lambda: {"message_id": "m"}
    desk.says_chat("1")
    assert desk.transport.frames == [
        {"type": "ack", "id": "1", "timestamp": "2026-11-20T05:12:07.345Z", "message_id": "m"}
    ]


def test_a_refusal_says_why_and_whether_to_try_again(desk: Desk) -> None:
    desk.chat = fails(AlreadyAnswered())
    desk.says_chat("1")
    (error,) = desk.transport.frames
    assert (error["type"], error["id"], error["code"], error["retryable"]) == ("error", "1", "already_answered", False)
    assert error["message"] == AlreadyAnswered.title


def test_a_refusal_without_an_id_is_an_error_all_the_same(desk: Desk) -> None:
    desk.chat = fails(AlreadyAnswered())
    desk.says_chat()
    assert desk.answers == [("already_answered", None)]


def test_the_last_error_is_kept_for_the_record(desk: Desk) -> None:
    desk.chat = fails(AlreadyAnswered())
    desk.says_chat("1")
    assert desk.connection.last_error == "already_answered"


def test_an_id_that_comes_again_is_answered_again_and_done_once(desk: Desk) -> None:
    desk.says_chat("1")
    desk.says_chat("1")
    assert (desk.answers, desk.done) == ([("ack", "1")] * 2, ["1"])


def test_a_refusal_for_good_is_answered_again(desk: Desk) -> None:
    desk.chat = fails(AlreadyAnswered())
    desk.says_chat("1")
    desk.chat = lambda: None
    desk.says_chat("1")
    assert (desk.answers, desk.done) == ([("already_answered", "1")] * 2, ["1"])


def test_a_refusal_for_a_passing_reason_is_not_remembered(desk: Desk) -> None:
    desk.chat = fails(Unavailable())
    desk.says_chat("1")
    desk.chat = lambda: None
    desk.says_chat("1")
    assert (desk.answers, desk.done) == ([("unavailable", "1"), ("ack", "1")], ["1", "1"])


def test_an_id_is_done_anew_after_two_minutes(desk: Desk) -> None:
    desk.says_chat("1")
    desk.clock.move(120)
    desk.says_chat("1")
    assert desk.done == ["1", "1"]


def test_a_fault_is_an_internal_error_and_reported(desk: Desk) -> None:
    fault = ZeroDivisionError()
    desk.chat = fails(fault)
    desk.says_chat("1")
    assert (desk.answers, desk.faults, desk.closed) == ([("internal_error", "1")], [fault], [])


def test_a_fault_tells_the_client_nothing_of_its_cause(desk: Desk) -> None:
    desk.chat = fails(ValueError("a secret"))
    desk.says_chat("1")
    assert b"a secret" not in desk.transport.sent[0]


def test_after_a_fault_the_frame_may_be_sent_again(desk: Desk) -> None:
    desk.chat = fails(ZeroDivisionError())
    desk.says_chat("1")
    desk.chat = lambda: None
    desk.says_chat("1")
    assert desk.answers == [("internal_error", "1"), ("ack", "1")]


# ── ping and pong ──


def test_a_ping_is_answered(desk: Desk) -> None:
    desk.says("ping")
    assert desk.answers == [("pong", None)]


def test_a_ping_with_an_id_is_acknowledged_too(desk: Desk) -> None:
    desk.says("ping", "1")
    assert desk.answers == [("pong", None), ("ack", "1")]


def test_a_pong_needs_no_answer(desk: Desk) -> None:
    desk.says("pong")
    assert desk.answers == []


# ── slow commands ──


@pytest.mark.gen_test
async def test_slow_work_is_acknowledged_when_it_is_done(desk: Desk) -> None:
    desk.gate.clear()
    desk.says("hangup", "1")
    await asyncio.sleep(0)
    assert desk.answers == []
    desk.gate.set()
    await desk.idle()
    assert desk.answers == [("ack", "1")]


@pytest.mark.gen_test
async def test_slow_work_is_done_in_order(desk: Desk) -> None:
    desk.gate.clear()
    for number in "123":
        desk.says("hangup", number)
    await asyncio.sleep(0)
    desk.gate.set()
    await desk.idle()
    assert desk.done == ["1", "2", "3"]


@pytest.mark.gen_test
async def test_quick_work_does_not_wait_for_slow_work(desk: Desk) -> None:
    desk.gate.clear()
    desk.says("hangup", "slow")
    desk.says_chat("quick")
    assert desk.answers == [("ack", "quick")]


@pytest.mark.gen_test
async def test_slow_work_that_comes_again_meanwhile_is_done_and_answered_once(desk: Desk) -> None:
    desk.gate.clear()
    desk.says("hangup", "1")
    desk.says("hangup", "1")
    desk.gate.set()
    await desk.idle()
    assert (desk.answers, desk.done) == ([("ack", "1")], ["1"])


@pytest.mark.gen_test
async def test_slow_work_that_comes_again_afterwards_is_answered_again(desk: Desk) -> None:
    desk.says("hangup", "1")
    await desk.idle()
    desk.says("hangup", "1")
    assert (desk.answers, desk.done) == ([("ack", "1")] * 2, ["1"])


@pytest.mark.gen_test
async def test_a_full_queue_refuses_what_is_more(desk: Desk) -> None:
    desk.gate.clear()
    for number in range(5):
        desk.says("hangup", str(number))
    assert desk.answers == [("rate_limited", "3"), ("rate_limited", "4")]


@pytest.mark.gen_test
async def test_what_a_full_queue_refused_may_be_sent_again(desk: Desk) -> None:
    desk.gate.clear()
    for number in range(4):
        desk.says("hangup", str(number))
    desk.gate.set()
    await desk.idle()
    desk.says("hangup", "3")
    await desk.idle()
    assert (desk.done, desk.answers[-1]) == (["0", "1", "2", "3"], ("ack", "3"))


@pytest.mark.gen_test
async def test_a_slow_refusal_is_answered(desk: Desk) -> None:
    desk.hangup = fails(AlreadyAnswered())
    desk.says("hangup", "1")
    await desk.idle()
    assert desk.answers == [("already_answered", "1")]


@pytest.mark.gen_test
async def test_slow_work_without_a_database_is_refused_and_may_be_sent_again(desk: Desk) -> None:
    desk.hangup = fails(Unavailable())
    desk.says("hangup", "1")
    await desk.idle()
    desk.hangup = lambda: None
    desk.says("hangup", "1")
    await desk.idle()
    assert desk.answers == [("unavailable", "1"), ("ack", "1")]


@pytest.mark.gen_test
async def test_a_slow_fault_is_reported_and_the_work_goes_on(desk: Desk) -> None:
    fault = ZeroDivisionError()
    outcomes: list[Callable[[], Result]] = [fails(fault), lambda: None]
    desk.hangup = lambda: outcomes.pop(0)()
    desk.says("hangup", "1")
    desk.says("hangup", "2")
    await desk.idle()
    assert (desk.answers, desk.faults) == ([("internal_error", "1"), ("ack", "2")], [fault])


@pytest.mark.gen_test
@pytest.mark.parametrize("error", [None, AlreadyAnswered(), Unavailable()], ids=["ack", "refusal", "passing refusal"])
async def test_slow_work_is_answered_on_the_socket_that_came_back(desk: Desk, error: Exception | None) -> None:
    desk.gate.clear()
    desk.says("hangup", "1")
    desk.hub.attach(desk.session, desk.accepted())
    if error is not None:
        desk.hangup = fails(error)
    desk.gate.set()
    await desk.idle()
    assert [frame["id"] for frame in socket_of(desk.session).frames] == ["1"]


# ── bad frames ──


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"", "bad_request", None),
        (b"{", "bad_request", None),
        (b"\xff\xfe", "bad_request", None),
        (b"[1]", "bad_request", "body"),
        (b"{}", "bad_request", "type"),
        (b'{"type":"unheard-of"}', "unknown_type", "type"),
        (b'{"type":7}', "bad_request", "type"),
        (b'{"type":"chat"}', "bad_request", "text"),
        (b'{"type":"chat","text":7}', "bad_request", "text"),
        (b'{"type":"chat","text":{"$ne":null}}', "bad_request", "text"),
        (b'{"type":"chat","text":"hello","to":"all"}', "bad_request", "to"),
        (b'{"type":"chat","text":"hello","id":""}', "bad_request", "id"),
        (b'{"type":"hangup","reason":"boredom"}', "bad_request", "reason"),
        (b'{"type":"chat","text":' + b"[" * 50_000, "bad_request", None),
    ],
    ids=str,
)
def test_a_frame_that_cannot_be_understood_is_refused(desk: Desk, data: bytes, code: str, field: str | None) -> None:
    desk.dispatcher.receive(data)
    (error,) = desk.transport.frames
    assert (error["type"], error["code"], error["retryable"]) == ("error", code, False)
    assert field is None or field in error["errors"]
    assert (desk.closed, desk.faults, desk.done) == ([], [], [])


def test_a_bad_frame_with_an_id_is_answered_under_it(desk: Desk) -> None:
    desk.says("chat", "1", text=7)
    assert desk.answers == [("bad_request", "1")]


def test_a_bad_frame_under_an_id_that_was_answered_gets_that_answer_again(desk: Desk) -> None:
    desk.says_chat("1")
    desk.says("chat", "1", text=7)
    assert desk.answers == [("ack", "1")] * 2


@pytest.mark.gen_test
async def test_a_bad_frame_under_an_id_that_is_worked_on_leaves_the_one_answer_to_the_work(desk: Desk) -> None:
    desk.gate.clear()
    desk.says("hangup", "1")
    desk.says("chat", "1", text=7)
    desk.gate.set()
    await desk.idle()
    assert desk.answers == [("ack", "1")]


def test_bad_frames_below_the_limit_leave_the_socket_open(desk: Desk) -> None:
    for _ in range(19):
        desk.says("unheard-of")
    assert (desk.closed, len(desk.answers)) == ([], 19)


def test_too_many_bad_frames_close_the_socket(desk: Desk) -> None:
    for _ in range(20):
        desk.says("unheard-of")
    assert desk.closed == [CloseCode.BAD_MESSAGES]


def test_bad_frames_that_repeat_an_id_count_as_well(desk: Desk) -> None:
    for _ in range(20):
        desk.says("unheard-of", "1")
    assert desk.closed == [CloseCode.BAD_MESSAGES]


def test_frames_that_a_command_does_not_understand_are_bad_frames(desk: Desk) -> None:
    desk.chat = fails(BadRequest("to: no such leg", fields={"to": "no such leg"}))
    for number in range(20):
        desk.says_chat(str(number))
    assert (desk.closed, len(desk.answers)) == ([CloseCode.BAD_MESSAGES], 20)


def test_frames_that_are_too_large_are_understood(desk: Desk) -> None:
    desk.chat = fails(TooLarge("text: at most 4096 characters"))
    for number in range(30):
        desk.says_chat(str(number))
    assert (desk.closed, set(code for code, _ in desk.answers)) == ([], {"too_large"})


def test_bad_frames_of_long_ago_do_not_count(desk: Desk) -> None:
    for _ in range(40):
        desk.says("unheard-of")
        desk.clock.move(3.2)
    assert desk.closed == []


# ── too many frames ──


@pytest.fixture
def limited() -> Desk:
    return Desk(SocketSettings(frames_per_s=20, frames_burst=100, limited_frames_per_10_s=200))


def test_a_burst_is_acted_on(limited: Desk) -> None:
    for _ in range(100):
        limited.says_chat()
    assert (len(limited.done), limited.answers) == (100, [])


def test_frames_above_the_rate_are_refused_and_not_acted_on(limited: Desk) -> None:
    for number in range(101):
        limited.says_chat(str(number))
    assert (len(limited.done), limited.answers[-1]) == (100, ("rate_limited", "100"))
    assert limited.transport.frames[-1]["retryable"] is True


def test_a_frame_above_the_rate_may_be_sent_again(limited: Desk) -> None:
    for number in range(101):
        limited.says_chat(str(number))
    limited.clock.move(1)
    limited.says_chat("100")
    assert (limited.answers[-1], limited.done[-1]) == (("ack", "100"), "100")


def test_frames_at_the_rate_are_all_acted_on(limited: Desk) -> None:
    for _ in range(1000):
        limited.says_chat()
        limited.clock.move(0.05)
    assert len(limited.done) == 1000


def test_bad_frames_above_the_rate_are_refused_for_the_rate(limited: Desk) -> None:
    for _ in range(100):
        limited.says_chat()
    limited.dispatcher.receive(b"{")
    assert limited.answers == [("rate_limited", None)]


def test_too_many_frames_above_the_rate_close_the_socket(limited: Desk) -> None:
    for _ in range(299):
        limited.says_chat()
    assert limited.closed == []
    limited.says_chat()
    assert limited.closed == [CloseCode.RATE_LIMITED]


def test_frames_above_the_rate_over_a_long_time_do_not_close_the_socket(limited: Desk) -> None:
    for _ in range(100):
        limited.says_chat()
    for _ in range(40):
        for _ in range(40):
            limited.says_chat()
        limited.clock.move(4)
    assert limited.closed == []


def test_a_flood_of_pings_closes_the_socket_as_one_of_frames_does(limited: Desk) -> None:
    for _ in range(299):
        limited.dispatcher.count_control()
    assert limited.closed == []
    limited.dispatcher.count_control()
    assert limited.closed == [CloseCode.RATE_LIMITED]


@pytest.mark.gen_test
async def test_each_id_gets_exactly_one_answer_in_whatever_mixture(desk: Desk) -> None:
    desk.chat = fails(AlreadyAnswered())
    sent = []
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("chat", {"text": "x"}),
        ("hangup", {}),
        ("chat", {"text": 7}),
        ("unheard-of", {}),
    ]
    for number in range(3):
        for type_, fields in kinds:
            sent.append(f"{type_} {number} {fields}")
            desk.says(type_, sent[-1], **fields)
    await desk.idle()
    assert sorted(str(id_) for _, id_ in desk.answers) == sorted(sent)
