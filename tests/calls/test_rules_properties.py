"""What must always hold of a call, whatever happens in whatever order (the invariants of the project's brief).

1. At most one device wins a call for a person. 2. `ended` happens once and is the last that anybody hears. 3. No device
rings for a call that does not. 9. Every ended call has a reason that a person can read.

A call lives through a list of events from hypothesis, each applied as the switchboard does it: the rule judges the call
as it stands, and the notices of each change are read by a household of devices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise, product
from typing import Any, NamedTuple, get_args

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from server.calls import rules
from server.calls.model import Call, EndReason, Leg
from server.calls.notices import notices
from server.calls.outcomes import outcome
from server.calls.rules import Callee
from server.errors import AlreadyAnswered, BadState, CallEnded
from server.realtime.bus import ToDevices
from tests.clock import ManualClock
from tests.helpers import ALICE, BOB, CAROL, TIMING, counted_ids, device, frame_in, long_lists, placed, property_of

PEOPLE = (ALICE, BOB, CAROL)
DEVICES = ("telephone", "tablet", "computer")
STATES = ("inviting", "ringing", "connecting", "active", "ended")
FAULT = "Ended by a fault of the server"

Deed = Callable[[Call, str, str, datetime], Call]


def _on_leg(rule: Callable[[Call, str, datetime], Call]) -> Deed:
    """A rule that speaks of a leg, as one about a person; for somebody who is not in the call nothing happens."""

    def deed(call: Call, user_id: str, on: str, now: datetime) -> Call:
        leg = call.leg_of(user_id)
        return call if leg is None else rule(call, leg.leg_id, now)

    return deed


DEEDS: dict[str, Deed] = {
    "reach": lambda call, user_id, on, now: rules.reach(call, user_id),
    "ringing": lambda call, user_id, on, now: rules.acknowledge_ringing(call, user_id, now),
    "answer": lambda call, user_id, on, now: rules.answer(call, user_id, device(on), now, TIMING),
    "merge": lambda call, user_id, on, now: rules.merge(call, user_id, device(on), "audio", now, TIMING),
    "decline": lambda call, user_id, on, now: rules.decline(call, user_id, now),
    "block": lambda call, user_id, on, now: rules.block(call, user_id, now, 0.7),
    "quiet": lambda call, user_id, on, now: rules.disturb_no_more(call, user_id, now),
    "waiting": lambda call, user_id, on, now: rules.busy_elsewhere(call, user_id, now, "ring"),
    "busy": lambda call, user_id, on, now: rules.busy_elsewhere(call, user_id, now, "busy"),
    "cancel": lambda call, user_id, on, now: rules.cancel(call, user_id, now),
    "hangup": lambda call, user_id, on, now: rules.hang_up(call, user_id, now),
    "no camera": lambda call, user_id, on, now: rules.hang_up(call, user_id, now, "media_denied"),
    "media": _on_leg(lambda call, leg_id, now: rules.media_connected(call, leg_id, now, TIMING)),
    "lost": _on_leg(lambda call, leg_id, now: rules.socket_lost(call, leg_id)),
    "back": _on_leg(lambda call, leg_id, now: rules.socket_back(call, leg_id)),
    "leave": _on_leg(lambda call, leg_id, now: rules.leave(call, leg_id, now, "hangup", None)),
    "gone": _on_leg(lambda call, leg_id, now: rules.leave(call, leg_id, now, "connection_lost", None)),
    "admin": lambda call, user_id, on, now: rules.end(call, "admin_ended", now, by=None),
    "expire": lambda call, user_id, on, now: rules.expire(call, now),
    "renew": lambda call, user_id, on, now: call,  # the lease, which is no change: see `Life`
}


class Event(NamedTuple):
    """`seconds` pass, then somebody does something, on one of their devices."""

    deed: str
    who: str
    on: str
    seconds: float


WAITS_S = (0.0, 3.0, 21.0, 46.0, 50_000.0)
EVENTS = [
    Event(deed, person.id, f"{person.id}'s {name}", seconds)
    for deed, person, name, seconds in product(DEEDS, PEOPLE, DEVICES, WAITS_S)
]
CALLEES = [
    (Callee(user=BOB, reached=True),),
    (Callee(user=BOB, reached=False),),
    (Callee(user=BOB, reached=True, do_not_disturb=True),),
    (Callee(user=BOB, reached=True), Callee(user=CAROL, reached=True)),
    (Callee(user=BOB, reached=True, do_not_disturb=True), Callee(user=CAROL, reached=False)),
    (Callee(user=BOB, reached=True, contacts_only=True),),
    (Callee(user=BOB, reached=True, in_call=True),),
    (Callee(user=BOB, reached=True, in_call=True, call_waiting="busy"),),
    (Callee(user=BOB, reached=True, blocked=True),),
    (Callee(user=BOB, reached=True, blocked=True), Callee(user=CAROL, reached=True, in_call=True)),
]


class Household:
    """The devices of everybody in the call, as they understand what they are told."""

    def __init__(self) -> None:
        self.rings: set[str] = set()  # devices
        self.heard: list[tuple[str, dict[str, Any]]] = []  # user id, frame

    def hear(self, before: Call | None, after: Call, actor: str | None, now: datetime) -> None:
        """Everybody reads the notices of one change; `actor` is the device that caused it by an answer or a decline."""
        for _, message in notices(before, after, actor, now):
            if isinstance(message, ToDevices):
                frame = frame_in(message)
                self.heard.append((message.user_id, frame))
                for name in (f"{message.user_id}'s {each}" for each in DEVICES):
                    if name != message.skip:
                        self._read(name, frame, after.leg_of(message.user_id), is_actor=name == actor)

    def _read(self, name: str, frame: dict[str, Any], leg: Leg | None, *, is_actor: bool) -> None:
        if frame["type"] == "incoming":
            self.rings.add(name)
        elif frame["type"] == "incoming_stopped" or (is_actor and leg is not None and not leg.is_ringable):
            self.rings.discard(name)  # the device that acted itself learns from the call that it may be silent


class Life:
    """One call through a list of events: every version of it, who won it, and what everybody heard."""

    def __init__(self, callees: tuple[Callee, ...], events: list[Event]) -> None:
        self._clock = ManualClock()
        self.household = Household()
        self.winners: dict[str, set[str]] = {person.id: set() for person in PEOPLE}
        self.times = [self._clock.now()]
        self.versions = [placed(*callees, make_id=counted_ids())]
        self.household.hear(None, self.versions[0], None, self._clock.now())
        self.rings_after = [set(self.household.rings)]
        for event in events:
            self._live(event)

    def _live(self, event: Event) -> None:
        """One event as the switchboard applies it: a refusal changes nothing, a change is told."""
        self._clock.move(event.seconds)
        before, now = self.versions[-1], self._clock.now()
        if event.deed == "renew" and before.lease_until is not None:
            self.versions[-1] = replace(before, lease_until=now + TIMING.lease)
        try:
            after = DEEDS[event.deed](before, event.who, event.on, now)
        except (AlreadyAnswered, CallEnded, BadState):
            return
        if event.deed in ("answer", "merge"):
            self.winners[event.who].add(event.on)
        if after is not before:
            actor = event.on if event.deed in ("answer", "merge", "decline") else None
            self.household.hear(before, after, actor, now)
            self.versions.append(after)
            self.times.append(now)
            self.rings_after.append(set(self.household.rings))

    def changes(self) -> Iterator[tuple[Call, Call]]:
        """Each version with the one before it."""
        return pairwise(self.versions)


lives = st.builds(Life, st.sampled_from(CALLEES), long_lists(EVENTS))


@property_of(700)
@given(lives)
def test_at_most_one_device_wins_a_call_for_a_person(life: Life) -> None:
    for user_id, winners in life.winners.items():
        assert len(winners) <= 1, user_id


@property_of(250)
@given(lives)
def test_the_device_that_won_keeps_the_call(life: Life) -> None:
    for before, after in life.changes():
        for was, now in zip(before.legs, after.legs, strict=True):
            assert was.device is None or now.device == was.device


@property_of(250)
@given(lives)
def test_a_call_ends_once_and_does_not_change_afterwards(life: Life) -> None:
    assert [call.is_over for call in life.versions[:-1]] == [False] * (len(life.versions) - 1)


@property_of(250)
@given(lives)
def test_the_end_is_the_last_that_anybody_hears_and_everybody_hears_it_once(life: Life) -> None:
    ends = [frame["type"] == "call" and frame["call"]["state"] == "ended" for _, frame in life.household.heard]
    end = life.versions[-1]
    # Whoever has blocked the caller hears nothing, and so not of the end.
    people = sum(leg.state != "blocked" for leg in end.legs) if end.is_over else 0
    assert sum(ends) == people
    told: dict[str, bool] = {}
    for (user_id, _), is_end in zip(life.household.heard, ends, strict=True):
        assert not told.get(user_id), "something was said after the end"
        told[user_id] = is_end


@property_of(700)
@given(lives)
def test_devices_ring_for_a_leg_as_long_as_it_is_ringable_and_no_longer(life: Life) -> None:
    for call, rings in zip(life.versions, life.rings_after, strict=True):
        ringable = {leg.user.id for leg in call.legs if leg.is_ringable}
        assert rings == {f"{user_id}'s {name}" for user_id in ringable for name in DEVICES}


@property_of(250)
@given(lives)
def test_nothing_is_ringable_in_an_ended_call_nor_a_leg_that_was_answered(life: Life) -> None:
    for call in life.versions:
        for leg in call.legs:
            assert not (leg.is_ringable and (call.is_over or leg.joined_at or leg.left_at))


@property_of(250)
@given(lives)
def test_nothing_rings_past_the_deadline_once_somebody_looks(life: Life) -> None:
    call = life.versions[-1]
    call = rules.expire(replace(call, lease_until=None), call.ring_deadline)
    assert not any(leg.is_ringable for leg in call.legs)


@property_of(250)
@given(lives)
def test_every_ended_call_has_a_reason_that_each_person_in_it_can_read(life: Life) -> None:
    call = life.versions[-1]
    if call.is_over:
        assert call.end_reason in get_args(EndReason)
        for person in call.legs:
            assert outcome(call, person.user.id) not in ("", FAULT, "In progress")
    else:
        assert call.end_reason is None


@property_of(250)
@given(lives)
def test_nobody_who_was_not_in_the_call_reads_how_long_they_talked(life: Life) -> None:
    call = life.versions[-1]
    for leg in call.legs:
        assert leg.joined_at is not None or not outcome(call, leg.user.id).startswith("Talked")


@property_of(250)
@given(lives)
def test_rev_grows_by_exactly_one_with_each_change(life: Life) -> None:
    assert [call.rev for call in life.versions] == list(range(1, len(life.versions) + 1))


@property_of(250)
@given(lives)
def test_a_call_only_moves_on(life: Life) -> None:
    for before, after in life.changes():
        assert STATES.index(before.state) <= STATES.index(after.state)


@property_of(250)
@given(lives)
def test_a_call_is_answered_once(life: Life) -> None:
    assert len({call.answered_at for call in life.versions if call.answered_at is not None}) <= 1


@property_of(250)
@given(lives)
def test_a_call_rings_once_for_each_person(life: Life) -> None:
    rung = [user_id for user_id, frame in life.household.heard if frame["type"] == "incoming"]
    assert len(rung) == len(set(rung))


@property_of(250)
@given(lives)
def test_a_leg_that_is_closed_stays_as_it_is(life: Life) -> None:
    for before, after in life.changes():
        for was, now in zip(before.legs, after.legs, strict=True):
            assert was.left_at is None or now == was


@property_of(250)
@given(lives)
def test_a_call_that_goes_on_has_two_people_and_a_deadline(life: Life) -> None:
    for call in life.versions:
        concerned = [leg for leg in call.legs if leg.is_in_call or leg.is_awaited]
        assert call.is_over or (len(concerned) >= 2 and call.deadline is not None)


@property_of(250)
@given(lives)
def test_what_has_changed_a_call_by_itself_was_due(life: Life) -> None:
    for before, now in zip(life.versions, life.times, strict=True):
        changed = rules.expire(before, now) is not before
        assert changed == any(moment is not None and moment <= now for moment in (before.due_at, before.lease_until))


@property_of(250)
@given(lives)
def test_a_call_that_nobody_touches_any_more_ends(life: Life) -> None:
    call = life.versions[-1]
    for _ in range(4):
        moments = [moment for moment in (call.due_at, call.lease_until) if moment is not None]
        call = rules.expire(call, min(moments)) if moments else call
    assert call.is_over
