"""Blocked people: to everybody but whoever has blocked, the call looks like one that nobody answers.

The property below lives two calls through the same events: one to somebody who has blocked the caller, and its twin to
somebody whose telephone rings and who never comes. Nobody else can tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import product
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from server.calls import rules
from server.calls.model import Call, hides_a_block, seen_by, view
from server.calls.notices import notices
from server.calls.outcomes import outcome
from server.calls.rules import Callee
from server.errors import AlreadyAnswered, BadState, CallEnded
from server.realtime.bus import ToDevices
from server.realtime.frames import UserRef
from server.wire import encode
from tests.clock import START, ManualClock
from tests.helpers import (
    ALICE,
    BOB,
    CAROL,
    TIMING,
    active,
    answered,
    counted_ids,
    device,
    frame_in,
    long_lists,
    placed,
    property_of,
)

BLOCKER = Callee(user=BOB, reached=False, blocked=True, seems_ringing_after_s=0.7)
SOON = START + timedelta(seconds=0.7)


def blocked(*others: Callee) -> Call:
    """A call of Alice's to Bob, who has blocked her, and perhaps to others."""
    return placed(BLOCKER, *others)


def state_for(viewer: str, call: Call) -> tuple[str, str]:
    """Call and leg of the blocker as somebody sees them."""
    shown = view(call, viewer)
    return shown["state"], shown["legs"][1]["state"]


# ── what it looks like ──


def test_a_blocked_call_begins_like_any_other() -> None:
    assert state_for(ALICE.id, blocked()) == ("inviting", "invited")


def test_after_a_moment_it_seems_to_ring() -> None:
    assert state_for(ALICE.id, rules.expire(blocked(), SOON)) == ("ringing", "ringing")


def test_it_does_not_seem_to_ring_before_a_device_could() -> None:
    call = blocked()
    assert rules.expire(call, SOON - timedelta(milliseconds=1)) is call
    assert call.due_at == SOON


def test_the_ring_seems_to_be_a_device_of_the_callee() -> None:
    call = blocked()
    assert rules.seems_to_ring_now(call, rules.expire(call, SOON)) == BOB.id


def test_it_rings_out_like_any_other() -> None:
    call = rules.expire(rules.expire(blocked(), SOON), START + TIMING.ring)
    shown = view(call, ALICE.id)
    assert (shown["state"], shown["end_reason"], shown["ended_by"]) == ("ended", "no_answer", None)
    assert (shown["legs"][1]["state"], shown["legs"][1]["reason"]) == ("missed", "no_answer")


def test_whoever_has_blocked_sees_that_they_have() -> None:
    call = rules.expire(blocked(), START + TIMING.ring)
    assert (state_for(BOB.id, call), view(call, BOB.id)["end_reason"]) == (("ended", "blocked"), "blocked")


def test_in_a_group_the_others_see_no_block_either() -> None:
    call = rules.expire(blocked(Callee(user=CAROL, reached=True)), SOON)
    assert state_for(CAROL.id, call) == ("ringing", "ringing")


def test_a_call_without_a_block_is_the_same_for_everybody() -> None:
    call = placed(BOB, CAROL)
    assert seen_by(call, ALICE.id) is call and not hides_a_block(call)


@pytest.mark.parametrize("wish", ["contacts_only", "do_not_disturb", "in_call"])
def test_nothing_else_that_stands_in_the_way_is_seen(wish: str) -> None:
    callee = Callee(user=BOB, reached=True, blocked=True, call_waiting="busy", **{wish: True})
    assert state_for(ALICE.id, placed(callee)) == ("inviting", "invited")


# ── what it does ──


def test_whoever_has_blocked_cannot_take_it() -> None:
    with pytest.raises(AlreadyAnswered):
        answered(blocked())


def test_whoever_has_blocked_and_dials_the_caller_answers_it() -> None:
    call = rules.merge(blocked(), BOB.id, device("telephone"), "video", START, TIMING)
    assert (call.state, state_for(ALICE.id, call)) == ("connecting", ("connecting", "joined"))


def test_the_caller_cancels_it_like_any_other() -> None:
    shown = view(rules.cancel(blocked(), ALICE.id, START), ALICE.id)
    assert (shown["end_reason"], shown["ended_by"], shown["legs"][1]["state"]) == ("cancelled", ALICE.id, "missed")


def test_a_caller_who_hangs_up_reads_the_usual_sentence() -> None:
    assert outcome(rules.cancel(blocked(), ALICE.id, START), ALICE.id) == "You hung up before Bob answered"


def test_the_caller_reads_that_nobody_answered() -> None:
    assert outcome(rules.expire(blocked(), START + TIMING.ring), ALICE.id) == "Bob did not answer"


def test_a_group_that_talks_sees_the_blocked_one_ring_out() -> None:
    call = active(answered(blocked(Callee(user=CAROL, reached=True)), by=CAROL))
    call = rules.expire(rules.expire(call, SOON), START + TIMING.lease - timedelta(seconds=1))
    leased = replace(call, lease_until=START + timedelta(days=1))
    assert state_for(CAROL.id, rules.expire(leased, call.ring_deadline)) == ("active", "missed")


# ── being blocked while it rings ──


def test_a_block_while_it_rings_changes_nothing_for_the_caller() -> None:
    call = rules.acknowledge_ringing(placed(), BOB.id, START)
    after = rules.block(call, BOB.id, START, 0.7)
    assert view(after, ALICE.id) == view(call, ALICE.id)
    assert not after.legs[1].is_ringable


@pytest.mark.parametrize("viewer", [ALICE, CAROL], ids=["the caller", "another callee"])
def test_nobody_else_is_told_of_a_block_while_it_rings(viewer: UserRef) -> None:
    call = placed(BOB, CAROL)
    assert heard_by(viewer.id, call, rules.block(call, BOB.id, START, 0.7)) == []


def test_after_a_block_while_it_rings_the_next_change_is_the_next_for_the_others() -> None:
    call = rules.acknowledge_ringing(placed(), BOB.id, START)
    after = rules.cancel(rules.block(call, BOB.id, START, 0.7), ALICE.id, START)
    assert (view(after, ALICE.id)["rev"], view(after, BOB.id)["rev"]) == (call.rev + 1, call.rev + 2)


def test_whoever_has_blocked_and_dials_the_caller_does_not_show_it_by_the_count_of_changes() -> None:
    call = placed()
    after = rules.merge(rules.block(call, BOB.id, START, 0.7), BOB.id, device("telephone"), "video", START, TIMING)
    assert view(after, ALICE.id)["rev"] == call.rev + 1


def test_a_block_before_a_device_rang_seems_to_ring_a_moment_later() -> None:
    after = rules.block(placed(), BOB.id, START, 0.7)
    assert state_for(ALICE.id, rules.expire(after, SOON)) == ("ringing", "ringing")


@pytest.mark.parametrize("call", [answered(placed()), rules.cancel(placed(), ALICE.id, START), placed(CAROL)])
def test_a_block_changes_no_call_that_does_not_ring_for_whoever_blocks(call: Call) -> None:
    assert rules.block(call, BOB.id, START, 0.7) is call


def test_the_caller_cannot_be_hidden_from_the_callee() -> None:
    call = placed()
    assert rules.block(call, ALICE.id, START, 0.7) is call


def test_devices_that_ring_are_told_to_stop_and_nothing_more() -> None:
    call = placed()
    assert [frame["type"] for frame in heard_by(BOB.id, call, rules.block(call, BOB.id, START, 0.7))] == [
        "incoming_stopped"
    ]


def heard_by(user_id: str, before: Call | None, after: Call, by: str | None = None) -> list[dict[str, Any]]:
    """What the devices of that person are told of a change."""
    return [
        frame_in(message)
        for _, message in notices(before, after, None, START, by)
        if isinstance(message, ToDevices) and message.user_id == user_id
    ]


# ── nobody can tell it from its twin ──


class Event(NamedTuple):
    """`seconds` pass, then somebody but the one who has blocked does something."""

    deed: str
    who: str
    seconds: float


Deed = Callable[[Call, str, datetime], Call]


def _leg(call: Call, user_id: str) -> str:
    leg = call.leg_of(user_id)
    return leg.leg_id if leg else ""


DEEDS: dict[str, Deed] = {
    "ringing": lambda call, who, now: rules.acknowledge_ringing(call, who, now),
    "answer": lambda call, who, now: rules.answer(call, who, device(who), now, TIMING),
    "decline": lambda call, who, now: rules.decline(call, who, now),
    "cancel": lambda call, who, now: rules.cancel(call, who, now),
    "hangup": lambda call, who, now: rules.hang_up(call, who, now),
    "media": lambda call, who, now: rules.media_connected(call, _leg(call, who), now, TIMING),
    "lost": lambda call, who, now: rules.socket_lost(call, _leg(call, who)),
    "back": lambda call, who, now: rules.socket_back(call, _leg(call, who), now + TIMING.connect),
    "leave": lambda call, who, now: rules.leave(call, _leg(call, who), now, "hangup", who),
    "expire": lambda call, who, now: rules.expire(call, now),
}
EVENTS = [
    Event(deed, who.id, seconds) for deed, who, seconds in product(DEEDS, (ALICE, CAROL), (0.0, 0.8, 3.0, 21.0, 46.0))
]


class Twins:
    """A blocked call and the one that it passes for, through the same events, and what everybody heard of either."""

    def __init__(self, others: tuple[Callee, ...], events: list[Event]) -> None:
        self._clock = ManualClock()
        self.heard: tuple[list[Any], list[Any]] = ([], [])
        self.shown: list[tuple[bytes, bytes]] = []
        self.calls = (
            placed(BLOCKER, *others, make_id=counted_ids()),
            placed(Callee(user=BOB, reached=True), *others, make_id=counted_ids()),
        )
        self._tell(None, None)
        for event in events:
            self._clock.move(event.seconds)
            self._live(event.deed, event.who)

    def _live(self, deed: str, who: str) -> None:
        before, now = self.calls, self._clock.now()
        try:
            secret = DEEDS[deed](before[0], who, now)
        except (AlreadyAnswered, BadState, CallEnded) as refusal:
            with pytest.raises(type(refusal)):
                DEEDS[deed](before[1], who, now)
            return
        ringer = rules.seems_to_ring_now(before[0], secret)
        open_ = rules.acknowledge_ringing(before[1], BOB.id, now) if ringer else DEEDS[deed](before[1], who, now)
        self.calls = secret, open_
        self._tell(before, ringer)

    def _tell(self, before: tuple[Call, Call] | None, by: str | None) -> None:
        for index, after in enumerate(self.calls):
            was = before[index] if before else None
            if after is not was:
                for _, message in notices(was, after, None, self._clock.now(), by):
                    if isinstance(message, ToDevices):
                        self.heard[index].append((message.user_id, frame_in(message)))
        for viewer in (ALICE.id, CAROL.id):
            self.shown.append((encode(view(self.calls[0], viewer)), encode(view(self.calls[1], viewer))))


OTHERS: list[tuple[Callee, ...]] = [
    (),
    (Callee(user=CAROL, reached=True),),
    (Callee(user=CAROL, reached=True, do_not_disturb=True),),
    (Callee(user=CAROL, reached=True, in_call=True),),
]
twins = st.builds(Twins, st.sampled_from(OTHERS), long_lists(EVENTS))


@property_of(400)
@given(twins)
def test_nobody_sees_a_difference(pair: Twins) -> None:
    assert all(secret == open_ for secret, open_ in pair.shown)


@property_of(400)
@given(twins)
def test_nobody_hears_a_difference_and_whoever_has_blocked_hears_nothing(pair: Twins) -> None:
    secret, open_ = pair.heard
    assert [user_id for user_id, _ in secret if user_id == BOB.id] == []
    assert secret == [(user_id, frame) for user_id, frame in open_ if user_id != BOB.id]


@property_of(200)
@given(twins)
def test_everybody_else_reads_the_same_sentence(pair: Twins) -> None:
    for viewer in (ALICE.id, CAROL.id):
        assert outcome(pair.calls[0], viewer) == outcome(pair.calls[1], viewer)
