"""A call of more than two people, one rule at a time: calling others in, the host, and being alone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from server.calls import rules
from server.calls.model import Call, Leg, view, was_missed_by
from server.calls.notices import begins_to_ring, incoming_frame, notices
from server.calls.outcomes import outcome, peer_of
from server.calls.rules import LEGS_PER_PLACE, Callee
from server.errors import BadRequest, BadState, CallEnded, CallFull, Forbidden
from server.ids import new_id
from server.realtime.bus import ToDevices, user_topic
from server.realtime.frames import UserRef
from server.wire import optional_rfc3339, rfc3339
from tests.clock import START
from tests.helpers import ALICE, BOB, CAROL, TIMING, active, answered, device, frame_in, leg_id, person, placed

DAVE = person("dave")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def leg_of(call: Call, user: UserRef) -> Leg:
    leg = call.leg_of(user.id)
    assert leg is not None
    return leg


def pair() -> Call:
    """Alice and Bob talk; nobody has to renew the lease."""
    return replace(active(answered(placed())), lease_until=at(10_000_000))


def invited(call: Call, *callees: UserRef | Callee, by: UserRef = ALICE, seconds: float = 100.0, most: int = 6) -> Call:
    people = [each if isinstance(each, Callee) else Callee(user=each, reached=True) for each in callees]
    return rules.invite(call, by.id, people, at(seconds), TIMING, new_id, most)


def joined(call: Call, user: UserRef, seconds: float = 105.0) -> Call:
    return rules.answer(call, user.id, device(f"{user.id}'s"), at(seconds), TIMING)


def three(seconds: float = 105.0) -> Call:
    """Alice and Bob talk, and Carol has come in."""
    return joined(invited(pair(), CAROL), CAROL, seconds)


def left(call: Call, user: UserRef, seconds: float) -> Call:
    return rules.leave(call, leg_id(call, user), at(seconds), "hangup", user.id)


# ── calling others in ──


def test_a_call_of_two_grows_without_a_new_call() -> None:
    before, after = pair(), three()
    assert [leg.user for leg in after.legs] == [ALICE, BOB, CAROL]
    assert (after.state, [leg.state for leg in after.legs]) == ("active", ["joined"] * 3)
    assert before.rev + 2 == after.rev


def test_whoever_is_called_in_rings_for_the_whole_time_from_then_on() -> None:
    call = invited(pair(), CAROL)
    assert call.due_at == at(145)
    assert rules.expire(call, at(144.9)) is call
    assert (rules.expire(call, at(145)).state, leg_of(rules.expire(call, at(145)), CAROL).state) == ("active", "missed")


def test_each_rings_for_their_own_time() -> None:
    call = invited(invited(pair(), CAROL), DAVE, seconds=120)
    after = rules.expire(call, at(145))
    assert (leg_of(after, CAROL).is_ringable, leg_of(after, DAVE).is_ringable) == (False, True)
    assert after.due_at == at(165)


def test_the_devices_name_whoever_calls_them_in() -> None:
    call = invited(pair(), CAROL, by=BOB)
    assert b'"user_id":"bob"' in incoming_frame(call, leg_of(call, CAROL), at(100))
    assert peer_of(call, CAROL.id).user == BOB


def test_the_wire_says_who_was_called_in_by_whom_and_until_when_they_ring() -> None:
    call = invited(pair(), CAROL, by=BOB)
    shown = view(call, ALICE.id)
    assert [leg["invited_by"] for leg in shown["legs"]] == [None, ALICE.id, BOB.id]
    assert shown["legs"][2]["ring_deadline"] == shown["ring_deadline"] == rfc3339(at(145))


@pytest.mark.parametrize(
    ("wish", "state"),
    [({"do_not_disturb": True}, "do_not_disturb"), ({"in_call": True, "call_waiting": "busy"}, "busy")],
)
def test_what_stands_in_the_way_of_one_who_is_called_in_is_their_outcome(wish: dict[str, object], state: str) -> None:
    call = invited(pair(), Callee(user=CAROL, reached=True, **wish))  # type: ignore[arg-type]
    assert (call.state, leg_of(call, CAROL).state) == ("active", state)


def test_one_who_has_blocked_whoever_calls_them_in_seems_to_ring() -> None:
    call = invited(pair(), Callee(user=CAROL, reached=False, blocked=True, seems_ringing_after_s=0.5))
    assert (call.due_at, view(call, BOB.id)["legs"][2]["state"]) == (at(100.5), "invited")
    assert view(rules.expire(call, at(100.5)), BOB.id)["legs"][2]["state"] == "ringing"


def test_whoever_is_there_already_stays_as_they_are() -> None:
    call = three()
    assert invited(call, BOB, CAROL, seconds=110) is call


def test_whoever_rings_already_rings_no_longer_for_being_called_twice() -> None:
    call = invited(pair(), CAROL)
    assert invited(call, CAROL, by=BOB, seconds=110) is call


def test_whoever_has_left_can_be_called_back_and_keeps_their_place() -> None:
    before = left(three(), CAROL, 200)
    after = invited(before, CAROL, seconds=300)
    assert begins_to_ring(leg_of(before, CAROL), leg_of(after, CAROL))
    assert (leg_id(after, CAROL), after.rank(leg_id(after, CAROL))) == (leg_id(before, CAROL), 2)
    assert leg_of(joined(after, CAROL, 305), CAROL).joined_at == at(305)


def test_whoever_was_called_back_in_vain_had_still_taken_part() -> None:
    call = rules.decline(invited(left(three(), CAROL, 200), CAROL, seconds=300), CAROL.id, at(301))
    assert (leg_of(call, CAROL).state, leg_of(call, CAROL).took_part) == ("declined", True)


def test_whoever_only_rang_has_not_taken_part() -> None:
    assert not leg_of(rules.decline(invited(pair(), CAROL), CAROL.id, at(101)), CAROL).took_part


def test_the_caller_who_has_left_can_be_called_back() -> None:
    call = joined(invited(left(three(), ALICE, 200), ALICE, by=BOB, seconds=300), ALICE, 303)
    assert leg_of(call, ALICE).is_in_call


def test_no_more_are_called_in_than_may_be() -> None:
    with pytest.raises(CallFull):
        invited(three(), DAVE, most=3)


def test_whoever_rings_counts_and_whoever_has_left_does_not() -> None:
    with pytest.raises(CallFull):
        invited(invited(pair(), CAROL), DAVE, most=3)
    assert leg_of(invited(left(three(), CAROL, 200), DAVE, seconds=201, most=3), DAVE).is_ringable


def test_nobody_is_called_in_without_end() -> None:
    call = pair()
    for number in range(6 * LEGS_PER_PLACE - 2):
        call = invited(call, Callee(user=person(f"p{number}"), reached=True, do_not_disturb=True))
    with pytest.raises(CallFull):
        invited(call, DAVE)


def test_nobody_is_called_in_before_somebody_has_answered() -> None:
    with pytest.raises(BadState):
        invited(placed(), CAROL)


def test_nobody_is_called_into_a_call_that_is_over() -> None:
    with pytest.raises(CallEnded):
        invited(rules.hang_up(pair(), BOB.id, at(9)), CAROL)


@pytest.mark.parametrize("by", [CAROL, DAVE])
def test_only_those_who_are_in_it_call_others_in(by: UserRef) -> None:
    with pytest.raises(BadState):
        invited(invited(pair(), CAROL), DAVE if by is CAROL else CAROL, by=by)


def test_whoever_dials_the_one_who_calls_them_in_answers_and_changes_no_media() -> None:
    call = rules.merge(invited(pair(), CAROL), CAROL.id, device("telephone"), "audio", at(101), TIMING)
    assert (leg_of(call, CAROL).state, call.media) == ("joined", "video")


# ── the host ──


def test_the_caller_is_the_host() -> None:
    call = three()
    assert view(call, BOB.id)["host"] == leg_id(call, ALICE)


def test_when_the_caller_has_left_whoever_is_there_longest_is_the_host() -> None:
    call = three()
    assert view(left(call, ALICE, 200), CAROL.id)["host"] == leg_id(call, BOB)


def test_nobody_is_the_host_of_a_call_that_is_over() -> None:
    assert view(rules.end(three(), "hangup", at(200), by=None), ALICE.id)["host"] is None


def test_the_host_ends_a_call_of_three_for_everybody() -> None:
    call = rules.hang_up(three(), ALICE.id, at(200))
    assert (call.end_reason, call.ended_by, {leg.state for leg in call.legs}) == ("hangup", ALICE.id, {"left"})


@pytest.mark.parametrize("user", [BOB, CAROL])
def test_nobody_else_ends_a_call_of_three(user: UserRef) -> None:
    with pytest.raises(Forbidden):
        rules.hang_up(three(), user.id, at(200))


def test_each_of_the_last_two_ends_a_call_that_once_had_three() -> None:
    assert rules.hang_up(left(three(), BOB, 200), CAROL.id, at(201)).end_reason == "hangup"


def test_the_host_sends_somebody_away() -> None:
    call = three()
    after = rules.remove(call, ALICE.id, leg_id(call, CAROL), at(200))
    assert (after.state, leg_of(after, CAROL).state, leg_of(after, CAROL).reason) == ("active", "left", "removed")


def test_the_host_takes_an_invitation_back() -> None:
    call = invited(pair(), CAROL)
    after = rules.remove(call, ALICE.id, leg_id(call, CAROL), at(101))
    assert (after.state, leg_of(after, CAROL).state, leg_of(after, CAROL).reason) == ("active", "missed", "cancelled")


def test_sending_the_only_other_one_away_ends_the_call() -> None:
    call = pair()
    after = rules.remove(call, ALICE.id, leg_id(call, BOB), at(9))
    assert (after.end_reason, after.ended_by) == ("hangup", ALICE.id)


def test_sending_somebody_away_who_is_gone_changes_nothing() -> None:
    call = left(three(), CAROL, 200)
    assert rules.remove(call, ALICE.id, leg_id(call, CAROL), at(201)) is call


def test_nobody_but_the_host_sends_anybody_away() -> None:
    call = three()
    with pytest.raises(Forbidden):
        rules.remove(call, BOB.id, leg_id(call, CAROL), at(200))


@pytest.mark.parametrize("leg", ["their own", "of nobody"])
def test_only_another_who_is_in_the_call_is_sent_away(leg: str) -> None:
    call = three()
    with pytest.raises(BadRequest):
        rules.remove(call, ALICE.id, leg_id(call, ALICE) if leg == "their own" else "x", at(200))


def test_nobody_is_sent_away_before_somebody_has_answered() -> None:
    call = placed(BOB, CAROL)
    with pytest.raises(BadState):
        rules.remove(call, ALICE.id, leg_id(call, BOB), at(1))


def test_nobody_is_sent_away_by_somebody_who_has_left() -> None:
    call = left(three(), ALICE, 200)
    with pytest.raises(BadState):
        rules.remove(call, ALICE.id, leg_id(call, BOB), at(201))


# ── alone ──


def alone() -> Call:
    """Of three, only Carol is left."""
    return left(left(three(), ALICE, 200), BOB, 210)


def test_whoever_is_left_of_several_is_alone_for_a_minute() -> None:
    call = alone()
    assert (call.state, call.due_at, view(call, CAROL.id)["alone_until"]) == (
        "active", at(270), optional_rfc3339(at(270)),
    )  # fmt: skip
    assert rules.expire(call, at(269.9)) is call
    assert rules.expire(call, at(270)).end_reason == "lonely"


def test_whoever_was_left_alone_reads_how_long_they_talked() -> None:
    assert outcome(rules.expire(alone(), at(270)), CAROL.id) == "Talked for 2:45"


def test_a_call_of_two_ends_when_one_of_them_goes() -> None:
    assert left(pair(), BOB, 200).end_reason == "hangup"


def test_one_who_is_lost_leaves_the_last_of_several_alone_too() -> None:
    call = left(three(), ALICE, 200)
    call = rules.leave(call, leg_id(call, BOB), at(210), "connection_lost", None)
    assert (call.state, call.alone_until) == ("active", at(270))


def test_nobody_is_alone_while_somebody_rings() -> None:
    call = invited(alone(), ALICE, by=CAROL, seconds=220)
    assert (call.alone_until, call.due_at) == (None, at(265))


def test_whoever_calls_in_vain_is_alone_for_another_minute() -> None:
    call = rules.decline(invited(alone(), ALICE, by=CAROL, seconds=220), ALICE.id, at(230))
    assert call.alone_until == at(290)


def test_calling_somebody_for_whom_nothing_rings_gives_no_more_time() -> None:
    call = invited(alone(), Callee(user=DAVE, reached=True, do_not_disturb=True), by=CAROL, seconds=220)
    assert call.alone_until == at(270)


def test_nobody_is_alone_any_more_when_somebody_comes() -> None:
    call = joined(invited(alone(), ALICE, by=CAROL, seconds=220), ALICE, 225)
    assert (call.alone_until, rules.expire(call, at(270)).state) == (None, "active")


def test_a_call_in_which_nobody_is_any_more_is_over_though_somebody_rings() -> None:
    call = invited(pair(), CAROL, DAVE)
    call = left(left(call, ALICE, 110), BOB, 111)
    assert (call.end_reason, leg_of(call, CAROL).state) == ("hangup", "missed")


def test_how_long_one_may_be_alone_stays_as_it_was_when_the_call_began() -> None:
    timing = rules.Timing(lonely_s=5)
    assert placed(timing=timing).lonely_s == 5


# ── done with it, without a room ──


def test_one_of_a_pair_who_leaves_ends_the_call() -> None:
    assert rules.go(pair(), BOB.id, at(9)).end_reason == "hangup"


def test_whoever_leaves_while_it_rings_for_them_declines() -> None:
    assert leg_of(rules.go(invited(pair(), CAROL), CAROL.id, at(101)), CAROL).state == "declined"


def test_the_caller_who_leaves_while_it_rings_gives_it_up() -> None:
    assert rules.go(placed(), ALICE.id, at(9)).end_reason == "cancelled"


def test_whoever_has_left_cannot_leave_again() -> None:
    with pytest.raises(BadState):
        rules.go(left(three(), CAROL, 200), CAROL.id, at(201))


# ── whoever is no longer in it ──


def removed(call: Call, user: UserRef = CAROL, seconds: float = 200.0) -> Call:
    return rules.remove(call, ALICE.id, leg_id(call, user), at(seconds))


def heard(before: Call, after: Call, user: UserRef) -> list[str]:
    """The types of what the devices of that person are told of a change."""
    told = notices(before, after, None, at(200))
    return [frame_in(said)["type"] for to, said in told if to == user_topic(user.id) and isinstance(said, ToDevices)]


def states(call: Call, user: UserRef) -> dict[str, str]:
    """The legs that the person sees, by user."""
    return {leg["user"].id: leg["state"] for leg in view(call, user.id)["legs"]}


def test_whoever_goes_hears_that_they_went() -> None:
    assert heard(three(), removed(three()), CAROL) == heard(three(), left(three(), CAROL, 200), CAROL) == ["call"]


def test_whoever_has_gone_hears_nothing_of_what_comes_then() -> None:
    before = removed(three())
    assert heard(before, invited(before, DAVE, seconds=201), CAROL) == []


def test_whoever_declined_hears_nothing_of_what_comes_then() -> None:
    before = rules.decline(invited(pair(), CAROL), CAROL.id, at(101))
    assert heard(before, invited(before, DAVE, seconds=201), CAROL) == []


def test_whoever_has_gone_hears_that_it_is_over() -> None:
    before = removed(three())
    assert heard(before, rules.hang_up(before, ALICE.id, at(300)), CAROL) == ["call"]


def test_whoever_has_gone_does_not_see_who_came_then() -> None:
    call = joined(invited(removed(three()), DAVE, seconds=201), DAVE, 202)
    assert states(call, CAROL) == {"alice": "joined", "bob": "joined", "carol": "left"}
    assert states(rules.hang_up(call, ALICE.id, at(300)), CAROL) == {"alice": "left", "bob": "left", "carol": "left"}


def test_whoever_has_gone_does_not_see_when_the_others_went() -> None:
    call = left(joined(invited(removed(three()), DAVE, seconds=201), DAVE, 202), BOB, 250)
    assert states(call, CAROL)["bob"] == "joined"
    ended = view(rules.hang_up(call, ALICE.id, at(300)), CAROL.id)
    assert ended["legs"][1]["left_at"] == ended["ended_at"]


def test_whoever_declined_does_not_see_that_the_others_talked() -> None:
    call = answered(rules.decline(placed(BOB, CAROL), BOB.id, at(3)), CAROL, now=at(5))
    shown = view(call, BOB.id)
    assert (shown["answered_at"], states(call, BOB)["carol"]) == (None, "invited")


def test_whoever_comes_back_sees_everybody() -> None:
    call = joined(invited(removed(three()), DAVE, seconds=201), DAVE, 202)
    assert states(invited(call, CAROL, seconds=203), CAROL) == {
        "alice": "joined",
        "bob": "joined",
        "carol": "invited",
        "dave": "joined",
    }


def test_what_is_seen_of_a_call_that_is_over_has_no_host() -> None:
    assert view(rules.hang_up(removed(three()), ALICE.id, at(300)), CAROL.id)["host"] is None


# ── what stands in the histories ──


def test_each_has_talked_for_as_long_as_they_were_in_it() -> None:
    call = rules.hang_up(left(three(105), BOB, 200), ALICE.id, at(300))
    assert [view(call, user.id)["duration_s"] for user in (ALICE, BOB, CAROL)] == [300.0, 200.0, 195.0]


def test_whoever_was_in_it_twice_has_talked_for_both_times() -> None:
    back = joined(invited(left(three(105), CAROL, 200), CAROL, seconds=250), CAROL, 260)
    assert view(rules.hang_up(back, ALICE.id, at(300)), CAROL.id)["duration_s"] == 135.0


def test_whoever_never_came_has_not_talked() -> None:
    call = rules.hang_up(rules.decline(invited(pair(), CAROL), CAROL.id, at(101)), ALICE.id, at(300))
    assert view(call, CAROL.id)["duration_s"] is None


def test_whoever_was_called_back_in_vain_has_talked_and_missed_nothing() -> None:
    call = rules.expire(invited(left(three(105), CAROL, 200), CAROL, seconds=250), at(295))
    call = rules.hang_up(call, ALICE.id, at(300))
    assert (outcome(call, CAROL.id), was_missed_by(call, CAROL.id)) == ("Talked for 1:35", False)


def test_whoever_left_before_it_broke_off_reads_how_long_they_talked() -> None:
    call = rules.end(left(three(105), CAROL, 200), "ice_failed", at(300), by=None)
    assert outcome(call, CAROL.id) == "Talked for 1:35"
    assert outcome(call, BOB.id) == "The connection between you could not be made"


def test_whoever_was_lost_reads_so_however_it_ended_for_the_others() -> None:
    call = three()
    lost = rules.leave(call, leg_id(call, CAROL), at(200), "connection_lost", None)
    assert outcome(rules.hang_up(lost, ALICE.id, at(300)), CAROL.id) == "The connection was lost"


def test_whoever_missed_it_reads_so_while_the_others_talk() -> None:
    call = rules.expire(invited(pair(), CAROL), at(145))
    assert (outcome(call, CAROL.id), outcome(call, BOB.id)) == ("Missed call", "In progress")


# ── called twice ──


def test_whoever_is_called_back_before_anybody_was_told_that_they_declined_rings_again() -> None:
    rings = invited(pair(), CAROL)
    again = invited(rules.decline(rings, CAROL.id, at(101)), CAROL, seconds=102)
    assert heard(rings, again, CAROL) == ["incoming"]


# ── media that does not come ──


def test_whoever_has_no_media_in_time_is_in_it_no_longer_and_the_others_talk_on() -> None:
    call = three(105)
    assert call.due_at == at(125)
    after = rules.expire(call, at(125))
    assert (after.state, [leg.state for leg in after.legs]) == ("active", ["joined", "joined", "left"])
    assert leg_of(after, CAROL).reason == "ice_failed"


def test_whoever_has_media_stays() -> None:
    call = three(105)
    call = rules.media_connected(call, leg_id(call, CAROL), at(106), TIMING)
    assert rules.expire(call, at(125)) is call


def test_whoever_lost_their_socket_has_time_for_media_when_it_is_back() -> None:
    call = three(105)
    lost = rules.socket_lost(call, leg_id(call, CAROL))
    assert rules.expire(lost, at(125)) is lost
    back = rules.socket_back(lost, leg_id(call, CAROL), at(150))
    assert leg_of(rules.expire(back, at(149)), CAROL).is_in_call
    assert leg_of(rules.expire(back, at(150)), CAROL).reason == "ice_failed"


def test_whoever_is_alone_in_it_waits_for_somebody_and_not_for_media() -> None:
    call = left(left(three(105), ALICE, 110), BOB, 111)
    assert rules.expire(call, at(126)) is call
    assert leg_of(
        rules.expire(joined(invited(call, DAVE, by=CAROL, seconds=150), DAVE, 160), at(161)), CAROL
    ).is_in_call


def test_whoever_waited_alone_connects_to_who_comes_in_the_usual_time() -> None:
    call = replace(answered(placed(), now=at(5)), lease_until=at(10_000_000))
    waiting = left(invited(call, CAROL, seconds=6), BOB, 7)
    assert waiting.deadline == at(51)
    assert joined(waiting, CAROL, 8).deadline == at(28)


# ── a block of one who calls, and the call of another ──


def seems_to_ring() -> Call:
    """Carol, who has blocked Alice, seems to ring for her."""
    call = invited(pair(), Callee(user=CAROL, reached=True, blocked=True, seems_ringing_after_s=0.5))
    return rules.expire(call, at(100.5))


def test_whoever_is_called_by_another_than_the_one_they_have_blocked_rings() -> None:
    before = seems_to_ring()
    call = invited(before, CAROL, by=BOB, seconds=110)
    assert heard(before, call, CAROL) == ["incoming"]
    assert (call.inviter_of(leg_of(call, CAROL)), view(call, CAROL.id)["legs"][2]["invited_by"]) == (BOB, BOB.id)


def test_the_others_do_not_see_that_it_rings_only_now() -> None:
    before = seems_to_ring()
    after = invited(before, CAROL, by=BOB, seconds=110)
    assert [view(after, user.id) for user in (ALICE, BOB)] == [view(before, user.id) for user in (ALICE, BOB)]


def test_whoever_is_called_by_two_whom_they_have_blocked_does_not_ring() -> None:
    call = seems_to_ring()
    assert invited(call, Callee(user=CAROL, reached=True, blocked=True), by=BOB, seconds=110) is call
