"""The newest of what was written, as a room keeps it."""

from __future__ import annotations

from server.calls.chat import ChatMessage
from server.rooms.chat_log import KEPT_BYTES, KEPT_MESSAGES, ChatLog
from tests.clock import START
from tests.helpers import ALICE


def message(number: int, text: str = "hello") -> ChatMessage:
    return ChatMessage(f"m-{number:03}", "k-1", ALICE, text, START)


def ids(log: ChatLog) -> list[str]:
    return [str(each["message_id"]) for each in log.messages()]


def test_messages_stand_in_the_order_of_their_ids_however_they_came() -> None:
    log = ChatLog()
    for number in (2, 1, 3):
        log.add(message(number))
    assert ids(log) == ["m-001", "m-002", "m-003"]


def test_a_message_that_is_known_is_not_added() -> None:
    log = ChatLog()
    assert (log.add(message(1)), log.add(message(1)), len(ids(log))) == (True, False, 1)


def test_the_oldest_make_room() -> None:
    log = ChatLog()
    for number in range(KEPT_MESSAGES + 2):
        log.add(message(number))
    assert (ids(log)[0], len(ids(log))) == ("m-002", KEPT_MESSAGES)


def test_long_ones_make_room_for_fewer() -> None:
    log = ChatLog()
    for number in range(5):
        log.add(message(number, "x" * (KEPT_BYTES // 3)))
    assert ids(log) == ["m-003", "m-004"]


def test_what_was_written_before_and_meanwhile_is_there_once() -> None:
    log = ChatLog()
    log.add(message(3))
    log.read([message(1), message(2), message(3)])
    assert (ids(log), log.is_read) == (["m-001", "m-002", "m-003"], True)
