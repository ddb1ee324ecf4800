"""A connection: it says `bye` before it closes, and nothing afterwards."""

from __future__ import annotations

import pytest

from server.close_codes import REGISTRY, CloseCode
from server.realtime.connection import Connection
from server.realtime.framing import MAX_REASON_BYTES
from tests.clock import ManualClock
from tests.realtime.fakes import World, connection, socket_of


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def socket(clock: ManualClock) -> Connection:
    return connection(clock)


def test_a_frame_goes_out_as_it_is(socket: Connection) -> None:
    socket.send(b'{"type":"pong"}')
    assert socket_of(socket).sent == [b'{"type":"pong"}']


def test_sending_is_speaking_to_the_client(socket: Connection, clock: ManualClock) -> None:
    clock.move(7)
    socket.send(b"{}")
    assert socket.last_sent_s == clock.monotonic()


def test_a_new_connection_is_open(socket: Connection, clock: ManualClock) -> None:
    assert (socket.closing, socket.close_code, socket.opened_at_s) == (False, None, clock.monotonic())


@pytest.mark.parametrize("code", CloseCode, ids=lambda code: code.name.lower())
def test_bye_says_what_the_registry_says(socket: Connection, code: CloseCode) -> None:
    socket.close(code)
    (bye,) = socket_of(socket).frames
    rule = REGISTRY[code]
    assert (bye["type"], bye["code"], bye["name"], bye["action"]) == ("bye", code, code.name.lower(), rule.action)
    assert (bye["message"], bye["retry_after_ms"]) == (rule.message, rule.retry_after_ms)


def test_the_close_frame_has_the_code_and_the_reason_of_bye(socket: Connection) -> None:
    socket.close(CloseCode.FORBIDDEN, "Not a participant of this call")
    assert socket_of(socket).closed == (4507, "Not a participant of this call")
    assert socket_of(socket).frames[0]["message"] == "Not a participant of this call"


def test_a_long_reason_is_cut_in_the_close_frame_and_whole_in_bye(socket: Connection) -> None:
    reason = "ä" * 100
    socket.close(CloseCode.INTERNAL_ERROR, reason)
    _, sent = socket_of(socket).closed or (None, None)
    assert sent == "ä" * (MAX_REASON_BYTES // 2)
    assert socket_of(socket).frames[0]["message"] == reason


def test_a_connection_closes_once(socket: Connection) -> None:
    assert socket.close(CloseCode.DRAINING)
    assert not socket.close(CloseCode.REPLACED)
    assert (socket.close_code, socket_of(socket).types) == (CloseCode.DRAINING, ["bye"])


def test_nothing_is_said_after_the_close(socket: Connection) -> None:
    socket.close(CloseCode.NORMAL)
    socket.send(b"{}")
    assert (socket_of(socket).types, socket_of(socket).dropped_after_close) == (["bye"], 1)


def test_a_client_that_leaves_is_told_nothing(socket: Connection) -> None:
    socket_of(socket).client_leaves()
    assert (socket.closing, socket.close(CloseCode.NORMAL), socket_of(socket).sent) == (True, False, [])


def test_a_connection_that_is_closing_says_so(socket: Connection) -> None:
    socket.close(CloseCode.NORMAL)
    assert socket.closing


def test_the_wait_before_coming_back_can_be_given(socket: Connection) -> None:
    socket.close(CloseCode.DRAINING, retry_after_ms=12_345)
    assert socket_of(socket).frames[0]["retry_after_ms"] == 12_345


def test_no_wait_at_all_can_be_given(socket: Connection) -> None:
    socket.close(CloseCode.UNAVAILABLE, retry_after_ms=0)
    assert socket_of(socket).frames[0]["retry_after_ms"] == 0


def test_whoever_came_to_resume_may_try_that_again(socket: Connection) -> None:
    socket.close(CloseCode.UNAVAILABLE, resumable=True)
    bye = socket_of(socket).frames[0]
    assert (bye["action"], bye["session_kept"]) == ("resume", True)


def test_a_terminal_code_stays_terminal_for_whoever_came_to_resume(socket: Connection) -> None:
    socket.close(CloseCode.SIGNED_OUT, resumable=True)
    bye = socket_of(socket).frames[0]
    assert (bye["action"], bye["session_kept"]) == ("stop", False)


@pytest.mark.parametrize("code", CloseCode, ids=lambda code: code.name.lower())
def test_bye_says_whether_the_session_is_kept(code: CloseCode) -> None:
    session = World().connected()
    transport = socket_of(session)
    assert session.connection is not None
    session.connection.close(code)
    assert transport.frames[0]["session_kept"] == REGISTRY[code].session_kept


def test_there_is_nothing_to_keep_without_a_session(socket: Connection) -> None:
    socket.close(CloseCode.DRAINING)
    assert socket_of(socket).frames[0]["session_kept"] is False


def test_bye_carries_no_seq(socket: Connection) -> None:
    socket.close(CloseCode.NORMAL)
    assert "seq" not in socket_of(socket).frames[0]


def test_a_peer_that_reads_nothing_is_cut_off(socket: Connection) -> None:
    socket.cut(CloseCode.SLOW_CONSUMER)
    assert (socket_of(socket).aborted, socket.close_code) == (True, CloseCode.SLOW_CONSUMER)


def test_a_connection_that_was_closing_is_cut_for_the_first_reason(socket: Connection) -> None:
    socket.close(CloseCode.DRAINING)
    socket.cut(CloseCode.SLOW_CONSUMER)
    assert (socket.close_code, socket.close_reason) == (CloseCode.DRAINING, REGISTRY[CloseCode.DRAINING].message)


def test_what_waits_is_what_the_socket_holds_back(socket: Connection) -> None:
    socket_of(socket).buffered_bytes = 4711
    assert socket.buffered_bytes == 4711
