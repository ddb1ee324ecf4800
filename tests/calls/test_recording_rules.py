"""Recording with consent, one rule at a time: it goes on only while everybody in the call agrees."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.calls import recording_rules, rules
from server.calls.model import Call
from server.calls.recording import Recording
from server.calls.recording_rules import MAX_RECORDINGS, settled
from server.calls.rules import Callee
from server.errors import BadState, CallEnded, Forbidden
from server.ids import new_id
from server.realtime.frames import UserRef
from tests.clock import START
from tests.helpers import ALICE, BOB, CAROL, TIMING, answered, device, placed

LATER = START + timedelta(seconds=7)
MUCH_LATER = START + timedelta(seconds=70)
ID = "the-recording"


def asked(call: Call, who: UserRef = ALICE, recording_id: str = ID) -> Call:
    """Somebody has asked to record the pictures, too."""
    return settled(recording_rules.ask(call, who.id, recording_id, "video", START), START)


def said(call: Call, who: UserRef, agree: bool = True) -> Call:
    """Somebody has agreed, or not."""
    return settled(recording_rules.consent(call, who.id, ID, agree, LATER), LATER)


def joined(call: Call, who: UserRef) -> Call:
    """Somebody else has answered."""
    return settled(rules.answer(call, who.id, device(who.id), LATER, TIMING), LATER)


def left(call: Call, who: UserRef) -> Call:
    """Somebody has gone."""
    leg = call.leg_of(who.id)
    assert leg is not None
    return settled(rules.leave(call, leg.leg_id, LATER, "hangup", who.id), LATER)


def back(call: Call, who: UserRef) -> Call:
    """Somebody who had left is called back in, and comes."""
    invited = rules.invite(call, ALICE.id, [Callee(user=who, reached=True)], MUCH_LATER, TIMING, new_id, 6)
    return settled(rules.answer(invited, who.id, device(who.id), MUCH_LATER, TIMING), MUCH_LATER)


def newest(call: Call) -> Recording:
    return call.recordings[-1]


def of_two() -> Call:
    return answered(placed(BOB))


def of_three() -> Call:
    """Alice and Bob talk, it rings for Carol still."""
    return answered(placed(BOB, CAROL))


# ── asking ──


def test_who_asks_agrees_and_waits_for_the_others() -> None:
    recording = newest(asked(of_two()))
    assert (recording.state, recording.by, recording.started_at) == ("asked", ALICE, None)
    assert [(consent.user, consent.agreed_at) for consent in recording.consents] == [(ALICE, START)]


def test_a_call_without_pictures_is_recorded_without() -> None:
    call = replace(of_two(), media="audio")
    assert newest(asked(call)).media == "audio"


def test_nobody_asks_before_anybody_answered() -> None:
    with pytest.raises(BadState, match="Nobody else"):
        asked(placed(BOB))


def test_nobody_asks_while_somebody_else_has() -> None:
    with pytest.raises(BadState, match="already"):
        asked(asked(of_two()), BOB, "another")


def test_whoever_is_not_in_the_call_asks_nothing() -> None:
    with pytest.raises(BadState, match="Not in this call"):
        asked(of_three(), CAROL)


def test_nobody_asks_when_it_is_over() -> None:
    with pytest.raises(CallEnded):
        asked(rules.end(of_two(), "hangup", LATER, ALICE.id))


def test_a_call_has_so_many_recordings_and_no_more() -> None:
    call = of_two()
    for number in range(MAX_RECORDINGS):
        call = recording_rules.stop(asked(call, ALICE, str(number)), ALICE.id, "stopped", LATER)
    with pytest.raises(BadState, match=str(MAX_RECORDINGS)):
        asked(call)


# ── agreeing ──


def test_it_begins_when_everybody_has_agreed() -> None:
    recording = newest(said(asked(of_two()), BOB))
    assert (recording.state, recording.started_at) == ("on", LATER)
    assert [(consent.user, consent.agreed_at) for consent in recording.consents] == [(ALICE, START), (BOB, LATER)]


def test_it_waits_for_the_last_one() -> None:
    call = said(asked(joined(of_three(), CAROL)), BOB)
    assert newest(call).state == "asked"
    assert newest(said(call, CAROL)).state == "on"


def test_one_who_does_not_agree_is_enough() -> None:
    recording = newest(said(asked(of_two()), BOB, agree=False))
    assert (recording.state, recording.reason, recording.ended_at) == ("declined", "declined", LATER)
    consent = recording.consent_of(recording.consents[-1].leg_id)
    assert consent is not None
    assert (consent.user, consent.agreed_at, consent.refused_at) == (BOB, None, LATER)


def test_consent_can_be_withdrawn_which_ends_it() -> None:
    recording = newest(said(said(asked(of_two()), BOB), BOB, agree=False))
    assert (recording.state, recording.reason) == ("stopped", "withdrawn")
    assert (recording.consents[-1].agreed_at, recording.consents[-1].refused_at) == (LATER, LATER)


def test_to_agree_again_changes_nothing() -> None:
    call = said(asked(of_two()), BOB)
    assert recording_rules.consent(call, BOB.id, ID, True, LATER) is call


def test_nobody_agrees_to_what_is_over() -> None:
    call = said(asked(of_two()), BOB, agree=False)
    with pytest.raises(BadState, match="over"):
        said(call, BOB)


def test_whoever_asked_does_not_withdraw_but_stop() -> None:
    with pytest.raises(BadState, match="stops it instead"):
        said(asked(of_two()), ALICE, agree=False)


# ── coming and going ──


def test_it_pauses_for_whoever_comes_later_until_they_agree() -> None:
    call = joined(said(asked(of_three()), BOB), CAROL)
    assert newest(call).state == "paused"
    assert newest(said(call, CAROL)).state == "on"


def test_the_one_change_that_lets_somebody_in_pauses_it() -> None:
    before = said(asked(of_three()), BOB)
    assert joined(before, CAROL).rev == before.rev + 1


def test_whoever_comes_later_and_does_not_agree_ends_it() -> None:
    recording = newest(said(joined(said(asked(of_three()), BOB), CAROL), CAROL, agree=False))
    assert (recording.state, recording.reason) == ("stopped", "declined")


def test_it_goes_on_when_whoever_was_asked_leaves_instead() -> None:
    call = joined(said(asked(of_three()), BOB), CAROL)
    assert newest(left(call, CAROL)).state == "on"


def test_it_does_not_begin_because_the_others_leave() -> None:
    assert newest(left(asked(of_three()), BOB)).state == "asked"


def test_it_ends_when_whoever_asked_leaves() -> None:
    call = said(said(asked(joined(of_three(), CAROL)), BOB), CAROL)
    assert (newest(left(call, ALICE)).state, newest(left(call, ALICE)).reason) == ("stopped", "left")


def test_it_goes_on_while_the_socket_of_somebody_else_is_away() -> None:
    call = said(asked(of_two()), BOB)
    assert newest(settled(rules.socket_lost(call, call.legs[1].leg_id), LATER)).state == "on"


def test_it_pauses_while_the_socket_of_whoever_makes_it_is_away() -> None:
    call = said(asked(of_two()), BOB)
    away = settled(rules.socket_lost(call, call.legs[0].leg_id), LATER)
    assert newest(away).state == "paused"
    assert newest(settled(rules.socket_back(away, call.legs[0].leg_id, LATER), LATER)).state == "on"


def test_it_does_not_begin_while_nobody_could_tell_whoever_makes_it() -> None:
    call = asked(of_two())
    away = settled(rules.socket_lost(call, call.legs[0].leg_id), LATER)
    assert newest(said(away, BOB)).state == "asked"


def test_whoever_leaves_and_comes_back_is_asked_again() -> None:
    call = back(left(said(said(asked(joined(of_three(), CAROL)), BOB), CAROL), BOB), BOB)
    assert newest(call).state == "paused"
    again = settled(recording_rules.consent(call, BOB.id, ID, True, MUCH_LATER), MUCH_LATER)
    assert newest(again).state == "on"


def test_whoever_comes_back_and_does_not_agree_has_declined() -> None:
    call = back(left(said(said(asked(joined(of_three(), CAROL)), BOB), CAROL), BOB), BOB)
    recording = newest(settled(recording_rules.consent(call, BOB.id, ID, False, MUCH_LATER), MUCH_LATER))
    assert (recording.state, recording.reason) == ("stopped", "declined")


def test_it_ends_with_the_call() -> None:
    recording = newest(settled(rules.end(said(asked(of_two()), BOB), "hangup", LATER, BOB.id), LATER))
    assert (recording.state, recording.reason, recording.ended_at) == ("stopped", "call_ended", LATER)


# ── stopping ──


def test_whoever_asked_stops_it() -> None:
    recording = newest(recording_rules.stop(said(asked(of_two()), BOB), ALICE.id, "interrupted", LATER))
    assert (recording.state, recording.reason) == ("stopped", "interrupted")


def test_nobody_else_stops_it() -> None:
    with pytest.raises(Forbidden, match="withdraw"):
        recording_rules.stop(asked(of_two()), BOB.id, "stopped", LATER)


def test_to_stop_what_is_over_changes_nothing() -> None:
    call = of_two()
    assert recording_rules.stop(call, ALICE.id, "stopped", LATER) is call


def test_after_one_recording_there_may_be_another() -> None:
    call = recording_rules.stop(asked(of_two()), ALICE.id, "stopped", LATER)
    assert [recording.state for recording in asked(call, BOB, "another").recordings] == ["stopped", "asked"]
