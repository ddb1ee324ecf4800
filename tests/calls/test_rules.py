"""How a call lives, one rule at a time; `test_rules_properties` tries them in every order."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from server.calls import rules
from server.calls.model import Call, Leg
from server.calls.rules import Callee, Timing
from server.errors import AlreadyAnswered, BadState, CallEnded
from server.realtime.frames import UserRef
from tests.clock import START
from tests.helpers import ALICE, BOB, CAROL, TIMING, active, answered, device, leg_id, person, placed

LATER = START + timedelta(seconds=7)
STRANGER = person("mallory")
MINUTE = timedelta(seconds=60)


def leg_of(call: Call, user: UserRef) -> Leg:
    leg = call.leg_of(user.id)
    assert leg is not None
    return leg


def ringing(call: Call, user: UserRef = BOB) -> Call:
    return rules.acknowledge_ringing(call, user.id, START)


def leased_for_ever(call: Call) -> Call:
    return replace(call, lease_until=START + timedelta(days=1000))


# ── placing ──


def test_a_new_call_invites_the_callee_and_has_the_caller_in_it() -> None:
    call = placed()
    assert (call.state, call.rev) == ("inviting", 1)
    assert [(leg.user, leg.state) for leg in call.legs] == [(ALICE, "joined"), (BOB, "invited")]


def test_a_new_call_rings_for_45_seconds() -> None:
    call = placed()
    assert call.ring_deadline == call.deadline == START + timedelta(seconds=45)


def test_every_leg_and_the_call_have_ids_of_their_own() -> None:
    call = placed(BOB, CAROL)
    assert len({call.call_id, *(leg.leg_id for leg in call.legs)}) == 4


def test_a_callee_who_is_not_to_be_disturbed_ends_the_call_at_once() -> None:
    call = placed(Callee(user=BOB, reached=True, do_not_disturb=True))
    assert (call.state, call.end_reason, call.rev) == ("ended", "do_not_disturb", 1)
    assert leg_of(call, BOB).state == "do_not_disturb"


def test_one_who_is_not_to_be_disturbed_does_not_end_the_call_for_others() -> None:
    call = placed(Callee(user=BOB, reached=True, do_not_disturb=True), CAROL)
    assert call.state == "inviting"
    assert not leg_of(call, BOB).is_ringable


def test_one_who_takes_calls_from_contacts_only_ends_the_call_of_a_stranger_at_once() -> None:
    call = placed(Callee(user=BOB, reached=True, contacts_only=True))
    assert (call.end_reason, leg_of(call, BOB).state, leg_of(call, BOB).reason) == (
        "do_not_disturb", "do_not_disturb", "contacts_only",
    )  # fmt: skip


def test_one_who_is_in_a_call_rings_and_is_said_to_be_in_one() -> None:
    leg = leg_of(placed(Callee(user=BOB, reached=True, in_call=True)), BOB)
    assert (leg.is_ringable, leg.call_waiting) == (True, True)


def test_one_who_is_in_a_call_and_wants_no_second_one_is_busy() -> None:
    call = placed(Callee(user=BOB, reached=True, in_call=True, call_waiting="busy"))
    assert (call.end_reason, leg_of(call, BOB).state, leg_of(call, BOB).call_waiting) == ("busy", "busy", False)


def test_one_who_wants_no_second_call_and_is_in_none_rings_as_usual() -> None:
    leg = leg_of(placed(Callee(user=BOB, reached=True, call_waiting="busy")), BOB)
    assert (leg.is_ringable, leg.call_waiting) == (True, False)


def test_a_busy_one_does_not_end_the_call_for_others() -> None:
    call = placed(Callee(user=BOB, reached=True, in_call=True, call_waiting="busy"), CAROL)
    assert (call.state, leg_of(call, BOB).left_at) == ("inviting", START)


def test_quiet_is_said_before_busy() -> None:
    call = placed(Callee(user=BOB, reached=True, do_not_disturb=True, in_call=True, call_waiting="busy"))
    assert call.end_reason == "do_not_disturb"


# ── while it rings ──


def test_do_not_disturb_while_it_rings_ends_the_call() -> None:
    call = rules.disturb_no_more(ringing(placed()), BOB.id, LATER)
    assert (call.end_reason, call.ended_by, leg_of(call, BOB).state) == ("do_not_disturb", None, "do_not_disturb")


def test_do_not_disturb_while_it_rings_leaves_the_call_to_others() -> None:
    call = rules.disturb_no_more(placed(BOB, CAROL), BOB.id, LATER)
    assert (call.state, leg_of(call, CAROL).is_ringable) == ("inviting", True)


def test_do_not_disturb_changes_nothing_for_one_who_talks() -> None:
    call = answered(placed())
    assert rules.disturb_no_more(call, BOB.id, LATER) is call


def test_one_who_takes_another_call_rings_on_softly() -> None:
    call = rules.busy_elsewhere(ringing(placed()), BOB.id, LATER, "ring")
    assert (call.state, leg_of(call, BOB).call_waiting) == ("ringing", True)


def test_one_who_takes_another_call_and_wants_no_second_one_is_busy() -> None:
    call = rules.busy_elsewhere(ringing(placed()), BOB.id, LATER, "busy")
    assert (call.end_reason, leg_of(call, BOB).state) == ("busy", "busy")


def test_what_rings_softly_already_goes_on_so() -> None:
    call = placed(Callee(user=BOB, reached=True, in_call=True))
    assert rules.busy_elsewhere(call, BOB.id, LATER, "ring") is call


def test_another_call_changes_nothing_for_one_who_is_in_this_one() -> None:
    call = answered(placed())
    assert rules.busy_elsewhere(call, BOB.id, LATER, "busy") is call


# ── reaching and ringing ──


def test_a_device_that_comes_later_is_noted() -> None:
    call = rules.reach(placed(Callee(user=BOB, reached=False)), BOB.id)
    assert leg_of(call, BOB).reached and call.rev == 2


def test_a_second_device_that_comes_changes_nothing() -> None:
    call = placed()
    assert rules.reach(call, BOB.id) is call


def test_the_call_rings_when_the_first_device_says_so() -> None:
    call = rules.acknowledge_ringing(placed(), BOB.id, LATER)
    assert (call.state, leg_of(call, BOB).state, leg_of(call, BOB).ringing_at) == ("ringing", "ringing", LATER)


def test_ringing_does_not_lengthen_the_call() -> None:
    call = placed()
    assert rules.acknowledge_ringing(call, BOB.id, LATER).deadline == call.deadline


def test_a_second_device_that_rings_changes_nothing() -> None:
    call = ringing(placed())
    assert rules.acknowledge_ringing(call, BOB.id, LATER) is call


@pytest.mark.parametrize(
    "call",
    [
        answered(placed()),
        answered(answered(placed(BOB, CAROL)), by=CAROL),
        rules.decline(placed(BOB, CAROL), BOB.id, START),
        rules.block(placed(), BOB.id, START, 0.5),
        rules.disturb_no_more(placed(BOB, CAROL), BOB.id, START),
        rules.busy_elsewhere(placed(BOB, CAROL), BOB.id, START, "busy"),
    ],
    ids=["answered", "among several", "declined", "blocked", "do not disturb", "busy"],
)
def test_nothing_rings_for_one_whose_leg_rings_no_longer(call: Call) -> None:
    with pytest.raises(AlreadyAnswered):
        rules.acknowledge_ringing(call, BOB.id, LATER)


def test_the_caller_does_not_ring() -> None:
    with pytest.raises(BadState):
        rules.acknowledge_ringing(placed(), ALICE.id, LATER)


def test_a_stranger_does_not_ring() -> None:
    with pytest.raises(BadState):
        rules.acknowledge_ringing(placed(), STRANGER.id, LATER)


def test_nothing_rings_for_an_ended_call() -> None:
    with pytest.raises(CallEnded):
        rules.acknowledge_ringing(rules.cancel(placed(), ALICE.id, START), BOB.id, LATER)


# ── answering ──


def test_an_answer_connects_the_call() -> None:
    call = rules.answer(ringing(placed()), BOB.id, device("telephone"), LATER, TIMING)
    assert (call.state, call.answered_at) == ("connecting", LATER)
    assert (leg_of(call, BOB).state, leg_of(call, BOB).device) == ("joined", device("telephone"))


def test_an_answer_comes_before_any_device_rings() -> None:
    assert answered(placed()).state == "connecting"


def test_media_has_20_seconds_from_the_answer() -> None:
    call = rules.answer(placed(), BOB.id, device("telephone"), LATER, TIMING)
    assert call.deadline == LATER + timedelta(seconds=20)


def test_an_answered_call_is_leased_to_the_nodes_that_hold_it() -> None:
    call = rules.answer(placed(), BOB.id, device("telephone"), LATER, TIMING)
    assert call.lease_until == LATER + timedelta(seconds=40)


def test_the_second_device_that_answers_is_told_so() -> None:
    with pytest.raises(AlreadyAnswered):
        answered(answered(placed(), on="telephone"), on="tablet")


def test_the_winner_who_answers_again_changes_nothing() -> None:
    call = answered(placed(), on="telephone")
    assert answered(call, on="telephone", now=LATER) is call


def test_an_answer_after_a_decline_elsewhere_is_told_so() -> None:
    with pytest.raises(AlreadyAnswered):
        answered(rules.decline(placed(), BOB.id, START))


def test_an_answer_after_a_decline_in_a_call_of_three_is_told_so() -> None:
    with pytest.raises(AlreadyAnswered):
        answered(rules.decline(placed(BOB, CAROL), BOB.id, START))


def test_a_cancelled_call_cannot_be_answered() -> None:
    with pytest.raises(CallEnded):
        answered(rules.cancel(placed(), ALICE.id, START))


def test_the_caller_cannot_answer() -> None:
    with pytest.raises(BadState):
        answered(placed(), by=ALICE)


def test_a_stranger_cannot_answer() -> None:
    with pytest.raises(BadState):
        answered(placed(), by=STRANGER)


def test_a_second_person_who_answers_does_not_begin_the_call_anew() -> None:
    call = answered(placed(BOB, CAROL), by=BOB)
    assert answered(call, by=CAROL, now=LATER).answered_at == START


# ── dialling each other ──


def test_dialling_the_caller_back_answers_the_call() -> None:
    call = rules.merge(placed(media="video"), BOB.id, device("telephone"), "video", LATER, TIMING)
    assert (call.state, call.media, call.rev) == ("connecting", "video", 2)


def test_dialling_back_with_other_media_makes_it_audio() -> None:
    call = rules.merge(placed(media="video"), BOB.id, device("telephone"), "audio", LATER, TIMING)
    assert (call.media, call.rev) == ("audio", 2)


def test_dialling_back_twice_changes_nothing() -> None:
    call = rules.merge(placed(media="video"), BOB.id, device("telephone"), "audio", LATER, TIMING)
    assert rules.merge(call, BOB.id, device("telephone"), "video", LATER, TIMING) is call


def test_dialling_back_an_ended_call_is_refused() -> None:
    with pytest.raises(CallEnded):
        rules.merge(rules.cancel(placed(), ALICE.id, START), BOB.id, device("t"), "video", LATER, TIMING)


# ── declining ──


def test_a_decline_ends_the_call_of_two() -> None:
    call = rules.decline(ringing(placed()), BOB.id, LATER)
    assert (call.state, call.end_reason, call.ended_by, call.ended_at) == ("ended", "declined", BOB.id, LATER)
    assert (leg_of(call, BOB).state, leg_of(call, ALICE).state) == ("declined", "left")


def test_one_of_two_callees_who_declines_leaves_the_other_ringing() -> None:
    call = rules.decline(placed(BOB, CAROL), BOB.id, LATER)
    assert not call.is_over and leg_of(call, CAROL).is_ringable


def test_the_last_of_two_callees_who_declines_ends_the_call() -> None:
    call = rules.decline(rules.decline(placed(BOB, CAROL), BOB.id, START), CAROL.id, LATER)
    assert (call.state, call.end_reason) == ("ended", "declined")


def test_a_decline_leaves_whoever_waited_alone_for_a_while() -> None:
    call = answered(placed(BOB, CAROL), by=BOB)
    call = rules.leave(call, leg_id(call, ALICE), START, "hangup", ALICE.id)
    assert (call.alone_until, rules.decline(call, CAROL.id, LATER).alone_until) == (None, LATER + MINUTE)


def test_a_decline_after_the_answer_is_told_so() -> None:
    with pytest.raises(AlreadyAnswered):
        rules.decline(answered(placed()), BOB.id, LATER)


def test_a_second_decline_changes_nothing() -> None:
    call = rules.decline(placed(), BOB.id, START)
    assert rules.decline(call, BOB.id, LATER) is call


def test_a_cancelled_call_cannot_be_declined() -> None:
    with pytest.raises(CallEnded):
        rules.decline(rules.cancel(placed(), ALICE.id, START), BOB.id, LATER)


def test_the_caller_cannot_decline() -> None:
    with pytest.raises(BadState):
        rules.decline(placed(), ALICE.id, LATER)


# ── cancelling ──


@pytest.mark.parametrize("call", [placed(), ringing(placed())], ids=["inviting", "ringing"])
def test_the_caller_cancels_while_it_rings(call: Call) -> None:
    after = rules.cancel(call, ALICE.id, LATER)
    assert (after.state, after.end_reason, after.ended_by) == ("ended", "cancelled", ALICE.id)


def test_a_cancelled_call_was_missed() -> None:
    assert leg_of(rules.cancel(placed(), ALICE.id, LATER), BOB).state == "missed"


def test_an_answered_call_cannot_be_cancelled() -> None:
    with pytest.raises(AlreadyAnswered):
        rules.cancel(answered(placed()), ALICE.id, LATER)


def test_a_callee_cannot_cancel() -> None:
    with pytest.raises(BadState):
        rules.cancel(placed(), BOB.id, LATER)


def test_an_ended_call_cannot_be_cancelled() -> None:
    with pytest.raises(CallEnded):
        rules.cancel(rules.cancel(placed(), ALICE.id, START), ALICE.id, LATER)


# ── hanging up ──


@pytest.mark.parametrize("who", [ALICE, BOB], ids=["caller", "callee"])
def test_either_hangs_up(who: UserRef) -> None:
    call = rules.hang_up(active(answered(placed())), who.id, LATER)
    assert (call.state, call.end_reason, call.ended_by) == ("ended", "hangup", who.id)
    assert {leg.state for leg in call.legs} == {"left"}


def test_a_caller_who_hangs_up_while_it_rings_cancels() -> None:
    assert rules.hang_up(placed(), ALICE.id, LATER).end_reason == "cancelled"


def test_a_callee_who_hangs_up_while_it_rings_declines() -> None:
    assert rules.hang_up(placed(), BOB.id, LATER).end_reason == "declined"


def test_a_caller_without_a_camera_ends_the_call_for_that_reason() -> None:
    assert rules.hang_up(placed(), ALICE.id, LATER, "media_denied").end_reason == "media_denied"


def test_hanging_up_says_that_media_could_not_connect() -> None:
    assert rules.hang_up(answered(placed()), BOB.id, LATER, "ice_failed").end_reason == "ice_failed"


def test_a_stranger_cannot_hang_up() -> None:
    with pytest.raises(BadState):
        rules.hang_up(answered(placed()), STRANGER.id, LATER)


def test_one_who_has_left_cannot_hang_up() -> None:
    call = answered(answered(placed(BOB, CAROL), by=BOB), by=CAROL)
    with pytest.raises(BadState):
        rules.hang_up(rules.leave(call, leg_id(call, BOB), START, "hangup", BOB.id), BOB.id, LATER)


def test_an_ended_call_cannot_be_hung_up() -> None:
    with pytest.raises(CallEnded):
        rules.hang_up(rules.hang_up(answered(placed()), BOB.id, START), BOB.id, LATER)


# ── media ──


def test_one_side_with_media_does_not_make_the_call_active() -> None:
    call = answered(placed())
    assert rules.media_connected(call, leg_id(call, ALICE), LATER, TIMING).state == "connecting"


def test_both_sides_with_media_make_the_call_active_for_12_hours() -> None:
    call = active(answered(placed()), LATER)
    assert (call.state, call.deadline) == ("active", LATER + timedelta(hours=12))


def test_media_reported_twice_by_one_side_counts_once() -> None:
    call = answered(placed())
    once = rules.media_connected(call, leg_id(call, ALICE), LATER, TIMING)
    assert rules.media_connected(once, leg_id(call, ALICE), LATER, TIMING) is once


def test_media_of_somebody_who_has_not_answered_is_no_media() -> None:
    call = placed()
    assert rules.media_connected(call, leg_id(call, BOB), LATER, TIMING) is call


def test_media_after_the_end_changes_nothing() -> None:
    call = rules.hang_up(answered(placed()), BOB.id, START)
    assert rules.media_connected(call, leg_id(call, ALICE), LATER, TIMING) is call


# ── sockets ──


def test_a_lost_socket_is_not_a_lost_call() -> None:
    call = active(answered(placed()))
    after = rules.socket_lost(call, leg_id(call, BOB))
    assert (after.state, leg_of(after, BOB).state) == ("active", "reconnecting")


def test_a_socket_that_comes_back_joins_again() -> None:
    call = active(answered(placed()))
    after = rules.socket_back(rules.socket_lost(call, leg_id(call, BOB)), leg_id(call, BOB), START)
    assert leg_of(after, BOB).state == "joined"


def test_a_socket_that_is_lost_twice_changes_nothing() -> None:
    call = answered(placed())
    lost = rules.socket_lost(call, leg_id(call, BOB))
    assert rules.socket_lost(lost, leg_id(call, BOB)) is lost


def test_a_socket_that_was_not_lost_does_not_come_back() -> None:
    call = answered(placed())
    assert rules.socket_back(call, leg_id(call, BOB), START) is call


def test_a_socket_lost_after_the_end_changes_nothing() -> None:
    call = rules.hang_up(answered(placed()), BOB.id, START)
    assert rules.socket_lost(call, leg_id(call, ALICE)) is call


def test_one_who_reconnects_may_still_hang_up() -> None:
    call = active(answered(placed()))
    assert rules.hang_up(rules.socket_lost(call, leg_id(call, BOB)), BOB.id, LATER).is_over


# ── leaving ──


def test_one_of_two_who_leaves_ends_the_call() -> None:
    call = active(answered(placed()))
    after = rules.leave(call, leg_id(call, BOB), LATER, "hangup", BOB.id)
    assert (after.state, after.end_reason, after.rev) == ("ended", "hangup", call.rev + 1)


def test_one_of_two_who_is_lost_ends_the_call_for_that_reason() -> None:
    call = active(answered(placed()))
    after = rules.leave(call, leg_id(call, BOB), LATER, "connection_lost", None)
    assert (after.end_reason, leg_of(after, BOB).reason) == ("connection_lost", "connection_lost")


def test_one_of_three_who_leaves_leaves_the_others_talking() -> None:
    call = active(answered(answered(placed(BOB, CAROL), by=BOB), by=CAROL))
    after = rules.leave(call, leg_id(call, BOB), LATER, "hangup", BOB.id)
    assert (after.state, leg_of(after, BOB).state) == ("active", "left")


def test_a_caller_who_leaves_while_it_rings_cancels() -> None:
    call = placed(BOB, CAROL)
    assert rules.leave(call, leg_id(call, ALICE), LATER, "hangup", ALICE.id).end_reason == "cancelled"


def test_one_who_has_not_answered_cannot_leave() -> None:
    call = placed()
    assert rules.leave(call, leg_id(call, BOB), LATER, "hangup", BOB.id) is call


def test_leaving_twice_changes_nothing() -> None:
    call = answered(answered(placed(BOB, CAROL), by=BOB), by=CAROL)
    once = rules.leave(call, leg_id(call, BOB), LATER, "hangup", BOB.id)
    assert rules.leave(once, leg_id(call, BOB), LATER, "hangup", BOB.id) is once


# ── deadlines ──


def test_a_call_before_its_deadline_does_not_expire() -> None:
    call = placed()
    assert rules.expire(call, call.ring_deadline - timedelta(milliseconds=1)) is call


def test_a_call_that_nobody_took_ends_as_no_answer() -> None:
    call = placed()
    after = rules.expire(call, call.ring_deadline)
    assert (after.end_reason, after.ended_by, leg_of(after, BOB).state) == ("no_answer", None, "missed")


def test_a_call_for_which_no_device_was_there_ends_as_unreachable() -> None:
    call = placed(Callee(user=BOB, reached=False))
    after = rules.expire(call, call.ring_deadline)
    assert (after.end_reason, leg_of(after, BOB).state) == ("unreachable", "unreachable")


def test_one_device_that_was_there_makes_it_no_answer() -> None:
    call = rules.reach(placed(Callee(user=BOB, reached=False)), BOB.id)
    assert rules.expire(call, call.ring_deadline).end_reason == "no_answer"


def test_media_that_never_connects_ends_as_ice_failed() -> None:
    call = answered(placed())
    assert rules.expire(call, START + TIMING.connect).end_reason == "ice_failed"


def test_the_longest_call_ends_as_max_duration() -> None:
    call = leased_for_ever(active(answered(placed())))
    assert rules.expire(call, START + TIMING.max_duration).end_reason == "max_duration"


def test_a_call_whose_nodes_are_dead_ends_as_connection_lost() -> None:
    call = active(answered(placed()))
    assert rules.expire(call, START + TIMING.lease).end_reason == "connection_lost"


def test_a_call_whose_lease_is_renewed_goes_on() -> None:
    call = leased_for_ever(active(answered(placed())))
    assert rules.expire(call, START + TIMING.lease) is call


def test_an_ended_call_does_not_expire() -> None:
    call = rules.hang_up(answered(placed()), BOB.id, START)
    assert rules.expire(call, START + timedelta(days=1)) is call


def test_expiring_twice_changes_nothing() -> None:
    call = rules.expire(placed(), START + TIMING.ring)
    assert rules.expire(call, START + TIMING.ring) is call


def test_a_third_person_stops_ringing_at_the_deadline_though_the_others_talk() -> None:
    call = leased_for_ever(active(answered(placed(BOB, CAROL), by=BOB)))
    after = rules.expire(call, call.ring_deadline)
    assert (after.state, leg_of(after, CAROL).state, after.rev) == ("active", "missed", call.rev + 1)


def test_a_third_person_rings_until_the_deadline_though_the_others_talk() -> None:
    call = leased_for_ever(active(answered(placed(BOB, CAROL), by=BOB)))
    assert rules.expire(call, call.ring_deadline - timedelta(milliseconds=1)) is call


def test_one_who_waits_alone_for_somebody_who_never_answers_is_released() -> None:
    call = active(answered(placed(BOB, CAROL), by=BOB))
    call = leased_for_ever(rules.leave(call, leg_id(call, BOB), START, "hangup", BOB.id))
    alone = rules.expire(call, call.ring_deadline)
    assert (alone.state, alone.alone_until) == ("active", call.ring_deadline + MINUTE)
    assert rules.expire(alone, call.ring_deadline + MINUTE).end_reason == "lonely"


def test_something_is_due_when_the_state_ends() -> None:
    call = answered(placed())
    assert call.due_at == call.deadline == START + TIMING.connect


def test_something_is_due_when_a_third_person_stops_ringing() -> None:
    call = active(answered(placed(BOB, CAROL), by=BOB))
    assert call.due_at == call.ring_deadline


def test_nothing_is_due_of_an_ended_call() -> None:
    assert rules.cancel(placed(), ALICE.id, START).due_at is None


# ── ending ──


def test_ending_closes_every_leg() -> None:
    call = rules.end(answered(placed(BOB, CAROL), by=BOB), "admin_ended", LATER, by=None)
    assert [leg.state for leg in call.legs] == ["left", "left", "missed"]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def left_by_bob_while_carol_rings() -> Call:
    call = answered(ringing(placed(BOB, CAROL), CAROL), BOB, now=at(2))
    return leased_for_ever(rules.leave(call, leg_id(call, BOB), at(5), "hangup", BOB.id))


def test_one_who_answers_and_leaves_does_not_end_the_ringing_of_another() -> None:
    call = left_by_bob_while_carol_rings()
    assert rules.expire(call, at(22)) is call


def test_whoever_answers_after_another_has_left_has_the_whole_time_to_connect() -> None:
    call = leased_for_ever(answered(left_by_bob_while_carol_rings(), CAROL, now=at(40)))
    assert not rules.expire(call, at(59.9)).is_over
    assert rules.expire(call, at(60)).end_reason == "ice_failed"


def test_when_nobody_answers_after_another_has_left_the_caller_is_alone_at_the_deadline() -> None:
    after = rules.expire(left_by_bob_while_carol_rings(), at(45))
    assert (after.state, leg_of(after, CAROL).state, after.due_at) == ("connecting", "missed", at(45 + 60))
    assert rules.expire(after, at(45 + 60)).end_reason == "lonely"


def test_a_second_answer_has_the_whole_time_to_connect() -> None:
    call = answered(answered(placed(BOB, CAROL), BOB, now=at(2)), CAROL, now=at(21))
    assert (call.state, call.deadline) == ("connecting", at(41))


def test_a_second_answer_shortens_nothing_for_those_who_talk() -> None:
    call = active(answered(placed(BOB, CAROL), BOB))
    assert answered(call, CAROL, now=LATER).deadline == call.deadline


def test_an_ended_call_has_no_deadline_and_no_lease() -> None:
    call = rules.end(answered(placed()), "error", LATER, by=None)
    assert (call.deadline, call.lease_until) == (None, None)


def test_an_ended_call_does_not_end_again() -> None:
    call = rules.end(placed(), "error", START, by=None)
    assert rules.end(call, "hangup", LATER, by=ALICE.id) is call


def test_timing_takes_seconds() -> None:
    timing = Timing(ring_s=1.5, connect_s=2, max_duration_s=3, lease_s=4)
    assert placed(timing=timing).ring_deadline == START + timedelta(seconds=1.5)
