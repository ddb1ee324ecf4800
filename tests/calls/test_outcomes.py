"""What became of a call, in one sentence for each person in it."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from msgspec.structs import replace

from server.calls import rules
from server.calls.model import Call, EndReason
from server.calls.outcomes import outcome, peer_of, spoken_duration
from server.calls.rules import Callee
from tests.clock import START
from tests.helpers import ALICE, BOB, CAROL, TIMING, active, answered, leg_id, placed

LATER = START + timedelta(seconds=192)
REASONS = get_args(EndReason)
FAULT = "Ended by a fault of the server"


def test_a_call_that_goes_on_is_in_progress() -> None:
    assert outcome(answered(placed()), ALICE.id) == "In progress"


@pytest.mark.parametrize("who", [ALICE.id, BOB.id])
def test_both_read_how_long_they_talked(who: str) -> None:
    assert outcome(rules.hang_up(active(answered(placed())), BOB.id, LATER), who) == "Talked for 3:12"


def test_the_callee_of_a_cancelled_call_missed_it() -> None:
    assert outcome(rules.cancel(placed(), ALICE.id, LATER), BOB.id) == "Missed call"


def test_the_caller_of_a_cancelled_call_gave_up() -> None:
    assert outcome(rules.cancel(placed(), ALICE.id, LATER), ALICE.id) == "You hung up before Bob answered"


def test_the_caller_reads_who_declined() -> None:
    assert outcome(rules.decline(placed(), BOB.id, LATER), ALICE.id) == "Bob declined"


def test_the_callee_reads_that_they_declined() -> None:
    assert outcome(rules.decline(placed(), BOB.id, LATER), BOB.id) == "You declined"


def test_the_caller_reads_who_did_not_answer() -> None:
    assert outcome(rules.expire(placed(), START + TIMING.ring), ALICE.id) == "Bob did not answer"


def test_the_caller_reads_who_could_not_be_reached() -> None:
    call = rules.expire(placed(Callee(user=BOB, reached=False)), START + TIMING.ring)
    assert outcome(call, ALICE.id) == "Bob could not be reached"


def test_the_callee_without_a_device_reads_so() -> None:
    call = rules.expire(placed(Callee(user=BOB, reached=False)), START + TIMING.ring)
    assert outcome(call, BOB.id) == "None of your devices was there"


def test_the_caller_reads_who_does_not_want_to_be_disturbed() -> None:
    call = placed(Callee(user=BOB, reached=True, do_not_disturb=True))
    assert outcome(call, ALICE.id) == "Bob does not want to be disturbed now"


def test_the_callee_reads_what_their_do_not_disturb_held_back() -> None:
    call = placed(Callee(user=BOB, reached=True, do_not_disturb=True))
    assert outcome(call, BOB.id) == "Held back by your do-not-disturb"


def test_blocked_looks_to_the_caller_like_no_answer() -> None:
    assert outcome(rules.end(placed(), "blocked", LATER, by=None), ALICE.id) == "Bob did not answer"


def test_media_that_never_connected_is_said_so() -> None:
    call = rules.expire(answered(placed()), START + TIMING.connect)
    assert outcome(call, ALICE.id) == "The connection between you could not be made"


def test_one_who_declined_does_not_read_how_long_the_others_talked() -> None:
    call = answered(rules.decline(placed(BOB, CAROL), BOB.id, START), by=CAROL)
    assert outcome(rules.hang_up(call, CAROL.id, LATER), BOB.id) == "You declined"


def test_one_who_declined_does_not_read_that_another_did_not_answer() -> None:
    call = rules.decline(placed(BOB, CAROL), BOB.id, START)
    assert outcome(rules.expire(call, call.ring_deadline), BOB.id) == "You declined"


def test_one_who_was_left_alone_reads_how_long_they_talked() -> None:
    call = answered(placed(BOB, CAROL), by=BOB)
    call = rules.decline(rules.leave(call, leg_id(call, BOB), START, "hangup", BOB.id), CAROL.id, START)
    assert outcome(rules.end(call, "lonely", LATER, by=None), ALICE.id) == "Talked for 3:12"


STRANGER_HELD_BACK = placed(Callee(user=BOB, reached=True, contacts_only=True))
BUSY = placed(Callee(user=BOB, reached=True, in_call=True, call_waiting="busy"))
WAITING = placed(Callee(user=BOB, reached=True, in_call=True))


@pytest.mark.parametrize(
    ("call", "caller_reads", "callee_reads"),
    [
        (STRANGER_HELD_BACK, "Bob takes calls from contacts only", "Held back: you take calls from contacts only"),
        (BUSY, "Bob is in another call", "Missed while you were in another call"),
        (rules.decline(WAITING, BOB.id, LATER), "Bob is in another call and declined", "You declined"),
        (rules.expire(WAITING, WAITING.ring_deadline), "Bob did not answer", "Missed call"),
    ],
    ids=["contacts only", "busy", "declined while in a call", "not answered while in a call"],
)
def test_both_read_what_stood_in_the_way(call: Call, caller_reads: str, callee_reads: str) -> None:
    assert (outcome(call, ALICE.id), outcome(call, BOB.id)) == (caller_reads, callee_reads)


def test_whoever_has_blocked_reads_that_they_have() -> None:
    call = placed(Callee(user=BOB, reached=True, blocked=True))
    assert outcome(rules.expire(call, call.ring_deadline), BOB.id) == "You have blocked Alice"


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("call", [placed(), answered(placed())], ids=["unanswered", "answered"])
@pytest.mark.parametrize("who", [ALICE.id, BOB.id], ids=["caller", "callee"])
def test_every_reason_has_a_sentence(call: Call, reason: EndReason, who: str) -> None:
    sentence = outcome(rules.end(call, reason, LATER, by=None), who)
    assert sentence and "%" not in sentence
    assert (sentence == FAULT) <= (reason == "error")


@pytest.mark.parametrize("state", ["busy", "blocked", "do_not_disturb", "declined", "missed", "unreachable"])
def test_every_way_of_not_taking_part_has_a_sentence(state: str) -> None:
    call = rules.end(placed(BOB, CAROL), "hangup", LATER, by=None)
    legs = (call.legs[0], replace(call.legs[1], state=state), call.legs[2])
    assert outcome(replace(call, legs=legs), BOB.id) not in ("", FAULT, "Ended before it was answered")


def test_the_sentence_is_in_the_readers_language() -> None:
    german = {"%(name)s declined": "%(name)s hat abgelehnt"}
    assert outcome(rules.decline(placed(), BOB.id, LATER), ALICE.id, german.__getitem__) == "Bob hat abgelehnt"


def test_a_name_with_a_percent_sign_is_only_a_name() -> None:
    call = placed(replace(BOB, display_name="100 %s"))
    assert outcome(rules.decline(call, BOB.id, LATER), ALICE.id) == "100 %s declined"


def test_the_peer_is_the_other_one() -> None:
    call = placed()
    assert (peer_of(call, ALICE.id).user, peer_of(call, BOB.id).user) == (BOB, ALICE)


@pytest.mark.parametrize(
    ("seconds", "spoken"), [(0.0, "0:00"), (7.9, "0:07"), (192.0, "3:12"), (3599.0, "59:59"), (3765.0, "1:02:45")]
)
def test_durations_are_read_at_a_glance(seconds: float, spoken: str) -> None:
    assert spoken_duration(seconds) == spoken
