"""What a call is, and how it crosses the wire."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.calls import rules
from server.calls.model import Call, talked_s, view, was_missed_by
from server.calls.rules import Callee
from tests.clock import START
from tests.helpers import ALICE, BOB, CAROL, active, answered, counted_ids, leg_id, placed


def ended(seconds: float = 192.5) -> Call:
    """A call in which people have talked for so long."""
    return rules.hang_up(active(answered(placed(make_id=counted_ids()))), BOB.id, START + timedelta(seconds=seconds))


def test_a_call_crosses_the_wire_with_all_that_clients_may_know() -> None:
    assert view(ended(), ALICE.id) == {
        "call_id": "id-3",
        "state": "ended",
        "media": "video",
        "created_by": ALICE,
        "created_at": "2026-11-20T05:12:07.345Z",
        "ring_deadline": "2026-11-20T05:12:52.345Z",
        "answered_at": "2026-11-20T05:12:07.345Z",
        "ended_at": "2026-11-20T05:15:19.845Z",
        "duration_s": 192.5,
        "end_reason": "hangup",
        "ended_by": BOB.id,
        "host": None,
        "alone_until": None,
        "recording": None,
        "rev": 5,
        "legs": [
            {
                "leg_id": "id-1",
                "user": ALICE,
                "device": "alice's",
                "state": "left",
                "reason": "hangup",
                "call_waiting": False,
                "invited_by": None,
                "ring_deadline": None,
                "joined_at": "2026-11-20T05:12:07.345Z",
                "left_at": "2026-11-20T05:15:19.845Z",
            },
            {
                "leg_id": "id-2",
                "user": BOB,
                "device": "telephone",
                "state": "left",
                "reason": "hangup",
                "call_waiting": False,
                "invited_by": ALICE.id,
                "ring_deadline": None,
                "joined_at": "2026-11-20T05:12:07.345Z",
                "left_at": "2026-11-20T05:15:19.845Z",
            },
        ],
    }


def test_what_has_not_happened_yet_is_null() -> None:
    shown = view(placed(), ALICE.id)
    assert [shown[name] for name in ("answered_at", "ended_at", "duration_s", "end_reason")] == [None] * 4
    assert [shown["legs"][1][name] for name in ("device", "reason", "joined_at", "left_at")] == [None] * 4


def test_the_caller_comes_first() -> None:
    call = placed(BOB, CAROL)
    assert [leg["user"] for leg in view(call, BOB.id)["legs"]] == [ALICE, BOB, CAROL]
    assert (call.caller.user, call.user_ids()) == (ALICE, (ALICE.id, BOB.id, CAROL.id))


def test_of_two_legs_the_later_one_has_the_higher_rank() -> None:
    call = placed(BOB, CAROL)
    assert [call.rank(leg_id(call, person)) for person in (ALICE, BOB, CAROL)] == [0, 1, 2]


def test_a_leg_is_found_by_id_and_by_person() -> None:
    call = placed()
    assert call.leg(leg_id(call, BOB)) is call.leg_of(BOB.id) is call.legs[1]


def test_an_unknown_leg_is_none() -> None:
    assert (placed().leg("unknown"), placed().leg_of("unknown")) == (None, None)


@pytest.mark.parametrize("call", [placed(), answered(placed()), rules.cancel(placed(), ALICE.id, START)])
def test_a_call_that_goes_on_or_was_not_answered_has_no_duration(call: Call) -> None:
    assert talked_s(call, call.caller) is None


def test_a_duration_is_from_the_answer_to_the_end_to_the_millisecond() -> None:
    call = ended(seconds=1.2345)
    assert talked_s(call, call.caller) == pytest.approx(1.234, abs=0.001)


def test_a_clock_that_was_set_back_makes_no_negative_duration() -> None:
    call = ended(seconds=-5)
    assert talked_s(call, call.caller) == 0.0


def test_a_call_that_nobody_took_was_missed_by_the_callee_alone() -> None:
    call = rules.cancel(placed(), ALICE.id, START)
    assert (was_missed_by(call, BOB.id), was_missed_by(call, ALICE.id)) == (True, False)


def test_a_call_for_which_no_device_was_there_was_missed() -> None:
    call = placed(Callee(user=BOB, reached=False))
    assert was_missed_by(rules.expire(call, call.ring_deadline), BOB.id)


@pytest.mark.parametrize("state", ["declined", "left", "blocked"])
def test_what_was_answered_declined_or_blocked_was_not_missed(state: str) -> None:
    call = placed()
    call = replace(call, legs=(call.legs[0], replace(call.legs[1], state=state)))
    assert not was_missed_by(call, BOB.id)


def test_nobody_misses_the_calls_of_others() -> None:
    assert not was_missed_by(rules.cancel(placed(), ALICE.id, START), CAROL.id)
