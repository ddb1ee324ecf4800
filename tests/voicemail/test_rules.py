"""Who may leave a message to whom, and when; and what they may say of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.calls import rules as calls
from server.calls.model import Call, LegState
from server.calls.rules import Callee
from server.errors import BadRequest, BadState, NotFound
from server.voicemail import rules
from server.voicemail.rules import NOT_TAKEN, recipient
from tests.clock import START
from tests.helpers import ALICE, BOB, CAROL, active, answered, placed

WINDOW_S = 600.0


def missed() -> Call:
    """A call of Alice to Bob that rang out."""
    return calls.end(placed(), "no_answer", START, by=None)


def ended_as(state: LegState) -> Call:
    """A call of Alice that Bob did not take for that reason."""
    call = missed()
    return replace(call, legs=(call.legs[0], replace(call.legs[1], state=state)))


@pytest.mark.parametrize("state", sorted(NOT_TAKEN))
def test_the_caller_of_a_call_that_was_not_taken_may(state: LegState) -> None:
    assert recipient(ended_as(state), ALICE.id, START, WINDOW_S).user == BOB


@pytest.mark.parametrize("state", ["left", "joined", "invited"])
def test_nobody_may_whose_call_was_taken(state: LegState) -> None:
    with pytest.raises(BadState, match="not taken"):
        recipient(ended_as(state), ALICE.id, START, WINDOW_S)


def test_the_caller_may_who_gave_up() -> None:
    assert recipient(calls.cancel(placed(), ALICE.id, START), ALICE.id, START, WINDOW_S).user == BOB


def test_nobody_may_after_a_call_that_went_on_and_ended() -> None:
    call = calls.hang_up(active(answered(placed())), BOB.id, START)
    with pytest.raises(BadState, match="not taken"):
        recipient(call, ALICE.id, START, WINDOW_S)


def test_nobody_may_while_it_rings() -> None:
    with pytest.raises(BadState, match="once the call is over"):
        recipient(placed(), ALICE.id, START, WINDOW_S)


def test_the_callee_may_not() -> None:
    with pytest.raises(BadState, match="Only the caller"):
        recipient(missed(), BOB.id, START, WINDOW_S)


def test_for_a_stranger_there_is_no_such_call() -> None:
    with pytest.raises(NotFound):
        recipient(missed(), CAROL.id, START, WINDOW_S)


def test_nobody_may_after_a_call_to_several() -> None:
    call = calls.cancel(placed(Callee(user=BOB, reached=True), CAROL), ALICE.id, START)
    with pytest.raises(BadState, match="to several"):
        recipient(call, ALICE.id, START, WINDOW_S)


def test_the_window_is_open_until_its_very_end() -> None:
    moment = START + timedelta(seconds=WINDOW_S)
    assert recipient(missed(), ALICE.id, moment - timedelta(milliseconds=1), WINDOW_S).user == BOB
    with pytest.raises(BadState, match="within 10 minutes"):
        recipient(missed(), ALICE.id, moment, WINDOW_S)


@pytest.mark.parametrize(("text", "is_ms"), [("1", 1), ("179999", 179_999), ("180000", 180_000), ("182000", 180_000)])
def test_a_length_is_at_most_the_longest_message(text: str, is_ms: int) -> None:
    assert rules.duration_ms(text, 180) == is_ms


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "182001", "9" * 5000, "٣", "1e3", " 1"])
def test_a_length_against_the_rule_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        rules.duration_ms(text, 180)
    assert refused.value.fields == {"duration_ms": "a whole number of milliseconds from 1 to 182000"}


@pytest.mark.parametrize(("text", "levels"), [("", ()), ("0", (0,)), ("0,50,100", (0, 50, 100))])
def test_a_waveform_is_read(text: str, levels: tuple[int, ...]) -> None:
    assert rules.waveform(text) == levels


def test_a_waveform_has_at_most_128_levels() -> None:
    assert len(rules.waveform(",".join(["7"] * 128))) == 128
    with pytest.raises(BadRequest):
        rules.waveform(",".join(["7"] * 129))


@pytest.mark.parametrize("text", ["101", "-1", "1,", ",", "1,,2", "1;2", "NaN", "1.5", "0100", "٣"])
def test_a_waveform_against_the_rule_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        rules.waveform(text)
    assert list(refused.value.fields) == ["waveform"]
