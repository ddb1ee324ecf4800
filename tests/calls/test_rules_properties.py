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
from server.calls.notices import begins_to_ring, notices
from server.calls.outcomes import outcome
from server.calls.rules import Callee
from server.errors import AlreadyAnswered, BadRequest, BadState, CallEnded, CallFull, Forbidden
from server.ids import new_id
from server.realtime.bus import ToDevices
from tests.clock import ManualClock
from tests.helpers import (
    ALICE,
    BOB,
    CAROL,
    TIMING,
    counted_ids,
    device,
    frame_in,
    long_lists,
    person,
    placed,
    property_of,
)

PEOPLE = (ALICE, BOB, CAROL)
MOST = 3
"""So many may be in one of these calls, or ring."""
DAVE = person("dave")
REFUSALS = (AlreadyAnswered, BadRequest, BadState, CallEnded, CallFull, Forbidden)
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


def _invite(call: Call, user_id: str, now: datetime, **stands_in_the_way: bool) -> Call:
    """The others of the three are called in, and with something in the way Dave, too, for whom nothing ever rings."""
    callees = [Callee(user=each, reached=True, **stands_in_the_way) for each in PEOPLE if each.id != user_id]
    if stands_in_the_way:
        callees.append(Callee(user=DAVE, reached=True, do_not_disturb=True))
    return rules.invite(call, user_id, callees, now, TIMING, new_id, MOST)


def _remove(call: Call, user_id: str, on: str, now: datetime) -> Call:
    """The device says who is to go."""
    leg = call.leg_of(PEOPLE[DEVICES.index(on.split()[1])].id)
    return call if leg is None else rules.remove(call, user_id, leg.leg_id, now)


DEEDS: dict[str, Deed] = {
    "invite": lambda call, user_id, on, now: _invite(call, user_id, now),
    "invite in vain": lambda call, user_id, on, now: _invite(call, user_id, now, do_not_disturb=True),
    "invite whoever blocks": lambda call, user_id, on, now: _invite(call, user_id, now, blocked=True),
    "remove": _remove,
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
    "back": _on_leg(lambda call, leg_id, now: rules.socket_back(call, leg_id, now + TIMING.connect)),
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


def is_called(before: Leg | None, after: Leg) -> bool:
    """Whether somebody is called, for the first time or anew; also who has blocked the caller, and hears nothing."""
    has_come_back = before is not None and before.left_at is not None and after.left_at is None
    return begins_to_ring(before, after) or has_come_back


class Life:
    """One call through a list of events: every version of it, who won it, and what everybody heard."""

    def __init__(self, callees: tuple[Callee, ...], events: list[Event]) -> None:
        self._clock = ManualClock()
        self.household = Household()
        self.winners: dict[str, set[str]] = {person.id: set() for person in PEOPLE}  # since they were called last
        self.most_winners = 0
        self.deeds = ["place"]
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
        except REFUSALS:
            return
        if event.deed in ("answer", "merge"):
            self.winners[event.who].add(event.on)
            self.most_winners = max(self.most_winners, len(self.winners[event.who]))
        for leg in after.legs:
            if is_called(before.leg(leg.leg_id), leg):
                self.winners[leg.user.id] = set()
        if after is not before:
            actor = event.on if event.deed in ("answer", "merge", "decline") else None
            self.household.hear(before, after, actor, now)
            self.versions.append(after)
            self.deeds.append(event.deed)
            self.times.append(now)
            self.rings_after.append(set(self.household.rings))

    def changes(self) -> Iterator[tuple[Call, Call]]:
        """Each version with the one before it."""
        return pairwise(self.versions)

    def changes_of_legs(self) -> Iterator[tuple[Leg, Leg]]:
        """Each leg in each version with the same in the one before, but for what an invitation has begun anew."""
        for (before, after), deed in zip(self.changes(), self.deeds[1:], strict=True):
            for was in before.legs:
                now = after.leg(was.leg_id)
                assert now is not None
                if not (deed.startswith("invite") and was.left_at is not None):
                    yield was, now


lives = st.builds(Life, st.sampled_from(CALLEES), long_lists(EVENTS))


@property_of(700)
@given(lives)
def test_at_most_one_device_wins_a_call_for_a_person(life: Life) -> None:
    assert life.most_winners <= 1


@property_of(250)
@given(lives)
def test_the_device_that_won_keeps_the_call(life: Life) -> None:
    for was, now in life.changes_of_legs():
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
    call = replace(life.versions[-1], lease_until=None)
    deadline = max(call.rings_until(leg) for leg in call.legs)
    assert not any(leg.is_ringable for leg in rules.expire(call, deadline).legs)


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
        assert leg.took_part or not outcome(call, leg.user.id).startswith("Talked")


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
def test_a_call_rings_once_for_each_invitation(life: Life) -> None:
    rung = [user_id for user_id, frame in life.household.heard if frame["type"] == "incoming"]
    called = [(None, leg) for leg in life.versions[0].legs]
    for before, after in life.changes():
        called += [(before.leg(leg.leg_id), leg) for leg in after.legs]
    assert sorted(rung) == sorted(leg.user.id for was, leg in called if begins_to_ring(was, leg))


@property_of(250)
@given(lives)
def test_a_leg_that_is_closed_stays_as_it_is_until_its_person_is_called_again(life: Life) -> None:
    for was, now in life.changes_of_legs():
        assert was.left_at is None or now == was


@property_of(250)
@given(lives)
def test_whoever_was_in_the_call_has_been_there_for_ever(life: Life) -> None:
    for before, after in life.changes():
        for was in before.legs:
            now = after.leg(was.leg_id)
            assert now is not None and (now.took_part or not was.took_part)


@property_of(250)
@given(lives)
def test_the_order_of_those_in_a_call_never_changes(life: Life) -> None:
    for before, after in life.changes():
        assert after.user_ids()[: len(before.legs)] == before.user_ids()


@property_of(250)
@given(lives)
def test_no_more_are_in_a_call_or_ring_than_may_be(life: Life) -> None:
    for call in life.versions:
        assert sum(leg.is_in_call or leg.is_awaited for leg in call.legs) <= MOST


@property_of(250)
@given(lives)
def test_a_call_with_somebody_in_it_has_one_host_who_is_there(life: Life) -> None:
    for call in life.versions:
        present = {leg.leg_id for leg in call.legs if leg.is_in_call}
        assert (call.host.leg_id in present) if present and call.host else (call.host is None and not present)


@property_of(250)
@given(lives)
def test_the_host_stays_the_host_while_they_are_there_unless_the_caller_comes_back(life: Life) -> None:
    for before, after in life.changes():
        if before.host is not None and after.host is not None and after.host.leg_id != before.host.leg_id:
            was = after.leg(before.host.leg_id)
            assert after.host is after.caller or (was is not None and not was.is_in_call)


@property_of(250)
@given(lives)
def test_whoever_is_alone_in_a_call_of_several_for_whom_nobody_rings_is_so_for_a_while(life: Life) -> None:
    for call in life.versions:
        here = sum(leg.is_in_call for leg in call.legs)
        awaited = any(leg.is_awaited for leg in call.legs)
        alone = call.answered_at is not None and not call.is_over and here == 1 and not awaited
        assert (call.alone_until is not None) == alone or call.is_over
        assert not alone or len(call.legs) > 2


@property_of(250)
@given(lives)
def test_nobody_rings_for_a_call_in_which_nobody_is(life: Life) -> None:
    for call in life.versions:
        assert call.is_over or any(leg.is_in_call for leg in call.legs)


@property_of(250)
@given(lives)
def test_a_call_that_goes_on_has_two_people_or_one_for_a_while_and_a_deadline(life: Life) -> None:
    for call in life.versions:
        concerned = [leg for leg in call.legs if leg.is_in_call or leg.is_awaited]
        assert call.is_over or call.deadline is not None
        assert call.is_over or len(concerned) >= 2 or call.alone_until is not None


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
    for _ in range(8):
        moments = [moment for moment in (call.due_at, call.lease_until) if moment is not None]
        call = rules.expire(call, min(moments)) if moments else call
    assert call.is_over
