"""Who is told what when a call has changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from server.calls import rules
from server.calls.model import Call, view
from server.calls.notices import expires_in_ms, incoming_frame, notices
from server.calls.rules import Callee
from server.realtime.bus import CallNews, ToDevices, call_topic, user_topic
from server.realtime.frames import UserRef
from server.wire import encode
from tests.clock import START
from tests.helpers import ALICE, BOB, CAROL, TIMING, answered, frame_in, leg_id, placed


def told(
    before: Call | None, after: Call, whom: UserRef, device: str = "another", actor: str | None = None
) -> list[dict[str, Any]]:
    """What one device of that person hears of the change."""
    return [
        frame_in(message)
        for topic, message in notices(before, after, actor, START)
        if topic == user_topic(whom.id) and isinstance(message, ToDevices) and message.skip != device
    ]


def stopped(before: Call, after: Call, whom: UserRef = BOB) -> list[str]:
    """Why the devices of that person are told to be silent."""
    return [frame["reason"] for frame in told(before, after, whom) if frame["type"] == "incoming_stopped"]


def types(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


def test_the_rooms_hear_first() -> None:
    call = placed()
    topic, message = next(iter(notices(None, call, None, START)))
    assert (topic, message) == (call_topic(call.call_id), CallNews(call))


def test_a_new_call_rings_for_the_callee() -> None:
    assert types(told(None, placed(), BOB)) == ["incoming"]


def test_the_callers_devices_see_the_new_call() -> None:
    assert types(told(None, placed(), ALICE)) == ["call"]


def test_nothing_rings_for_one_who_is_not_to_be_disturbed() -> None:
    call = placed(Callee(user=BOB, reached=True, do_not_disturb=True))
    assert types(told(None, call, BOB)) == ["call"]


def test_incoming_says_who_calls_and_how_long_it_rings() -> None:
    call = placed()
    (frame,) = told(None, call, BOB)
    assert (frame["call_id"], frame["user_id"], frame["expires_in_ms"]) == (call.call_id, ALICE.id, 45_000)


def test_incoming_carries_the_call_as_it_crosses_the_wire() -> None:
    call = placed()
    assert msgspec.json.decode(incoming_frame(call, call.legs[1], START))["call"] == msgspec.json.decode(
        encode(view(call, BOB.id))
    )


def test_only_an_invitation_is_marked_as_what_silenced_devices_do_not_get() -> None:
    call = placed()
    messages = [message for _, message in notices(None, call, None, START) if isinstance(message, ToDevices)]
    messages += [message for _, message in notices(call, answered(call), None, START) if isinstance(message, ToDevices)]
    marked = [frame_in(message)["type"] for message in messages if message.rings]
    assert marked == ["incoming"]
    assert len(messages) > 3


def test_a_call_that_rings_already_does_not_ring_anew() -> None:
    call = placed()
    assert types(told(call, rules.acknowledge_ringing(call, BOB.id, START), BOB)) == ["call"]


def test_everybody_sees_each_change() -> None:
    call = placed()
    after = rules.acknowledge_ringing(call, BOB.id, START)
    for person in (ALICE, BOB):
        (frame,) = told(call, after, person)
        assert (frame["call"]["state"], frame["call"]["rev"]) == ("ringing", 2)


def test_an_answer_stops_the_other_devices() -> None:
    call = placed()
    assert stopped(call, answered(call)) == ["answered_elsewhere"]


def test_a_decline_stops_the_other_devices() -> None:
    call = placed()
    assert stopped(call, rules.decline(call, BOB.id, START)) == ["declined_elsewhere"]


def test_a_cancel_stops_all_devices() -> None:
    call = placed()
    assert stopped(call, rules.cancel(call, ALICE.id, START)) == ["cancelled"]


@pytest.mark.parametrize("reached", [True, False], ids=["no_answer", "unreachable"])
def test_the_deadline_stops_all_devices(reached: bool) -> None:
    call = placed(Callee(user=BOB, reached=reached))
    assert stopped(call, rules.expire(call, call.ring_deadline)) == ["no_answer"]


def test_a_lost_caller_stops_all_devices() -> None:
    call = placed()
    after = rules.leave(call, leg_id(call, ALICE), START, "connection_lost", None)
    assert stopped(call, after) == ["cancelled"]


def test_an_answer_and_an_end_told_at_once_still_say_answered_elsewhere() -> None:
    call = placed()
    assert stopped(call, rules.hang_up(answered(call), BOB.id, START)) == ["answered_elsewhere"]


def test_a_third_person_goes_on_ringing_when_the_second_answers() -> None:
    call = placed(BOB, CAROL)
    assert stopped(call, answered(call, by=BOB), CAROL) == []


def test_a_third_person_who_is_called_no_longer_stops_ringing() -> None:
    call = answered(placed(BOB, CAROL), by=BOB)
    after = rules.expire(rules.media_connected(call, leg_id(call, BOB), START, TIMING), START + TIMING.connect)
    assert stopped(call, after, CAROL) == ["cancelled"]


def test_the_device_that_answered_is_not_told_that_it_was_another() -> None:
    call = placed()
    assert types(told(call, answered(call, on="telephone"), BOB, "telephone", actor="telephone")) == ["call"]


def test_the_stop_comes_before_the_call_that_shows_why() -> None:
    call = placed()
    assert types(told(call, answered(call), BOB)) == ["incoming_stopped", "call"]


def test_a_call_that_was_answered_stops_nothing_when_it_ends() -> None:
    call = answered(placed())
    assert stopped(call, rules.hang_up(call, BOB.id, START)) == []


def test_the_time_left_is_in_milliseconds() -> None:
    call = placed()
    assert expires_in_ms(call, call.legs[1], START + timedelta(seconds=44.25)) == 750


def test_there_is_never_less_than_no_time_left() -> None:
    call = placed()
    assert expires_in_ms(call, call.legs[1], START + timedelta(seconds=60)) == 0


def test_a_change_says_who_made_it() -> None:
    call = placed()
    for _, message in notices(call, answered(call), None, START, by=BOB.id):
        if isinstance(message, ToDevices):
            assert frame_in(message)["user_id"] == BOB.id
        else:
            assert isinstance(message, CallNews) and message.by == BOB.id


def test_a_change_that_nobody_made_names_nobody() -> None:
    call = placed()
    for frame in told(call, rules.expire(call, call.ring_deadline), BOB):
        assert "user_id" not in frame
