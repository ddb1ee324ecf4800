"""The page of a call and the history say the same of it, to each person in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any, get_args

import pytest

from server.calls import rules
from server.calls.model import Call, EndReason, view
from server.calls.outcomes import outcome
from server.calls.rules import Callee
from server.wire import encode
from tests.clock import START
from tests.helpers import ALICE, BOB, CAROL, active, answered, placed
from tests.journeys.test_modules import Run, files, page, run

__all__ = ["files", "page", "run"]  # the fixtures

WORDS = 'const { outcomeWords, phaseWords, endedWords } = await import("/js/strings/ringing.js");'
LATER = START + timedelta(seconds=192)


def ends() -> Iterator[Call]:
    """Calls that have ended in every way in which a call can."""
    wishes: list[dict[str, Any]] = [
        {},
        {"contacts_only": True},
        {"do_not_disturb": True},
        {"in_call": True},
        {"in_call": True, "call_waiting": "busy"},
        {"blocked": True},
        {"reached": False},
    ]
    for wish, others in product(wishes, ((), (Callee(user=CAROL, reached=True),))):
        call = placed(Callee(user=BOB, **{"reached": True} | wish), *others)
        yield call if call.is_over else rules.expire(call, call.ring_deadline)
        if call.legs[1].is_ringable:
            yield rules.end(rules.decline(call, BOB.id, LATER), "cancelled", LATER, by=ALICE.id)
            yield rules.hang_up(active(answered(call)), BOB.id, LATER)
    for reason in get_args(EndReason):
        yield rules.end(placed(), reason, LATER, by=None)
        yield rules.end(answered(placed()), reason, LATER, by=None)


def shown(call: Call, user_id: str) -> str:
    """The call as the page of that person has it, as JavaScript."""
    return encode(view(call, user_id)).decode()


def test_what_became_of_a_call_is_said_in_the_same_words(run: Run) -> None:
    cases = [(call, leg.user.id) for call in ends() for leg in call.legs]
    asked = ",".join(f"[{shown(call, who)}, {json.dumps(who)}]" for call, who in cases)
    said = run(f"{WORDS} return [{asked}].map(([call, who]) => outcomeWords(call, who));")
    assert said == [outcome(call, who) for call, who in cases]


@pytest.mark.parametrize(
    ("call", "phase", "words"),
    [
        (placed(), "calling", "Calling Bob…"),
        (placed(), "trying", "Trying to reach Bob…"),
        (placed(), "ringing", "Ringing…"),
        (
            placed(Callee(user=BOB, reached=True, in_call=True)),
            "ringing",
            "Bob is in another call; it is ringing there softly",
        ),
    ],
)
def test_the_caller_reads_where_the_call_stands(run: Run, call: Call, phase: str, words: str) -> None:
    assert run(f'{WORDS} return phaseWords({shown(call, ALICE.id)}, "{ALICE.id}", "{phase}");') == words


@pytest.mark.parametrize(
    ("reason", "who", "words"),
    [
        ("answered_elsewhere", BOB, "You answered this call on another device"),
        ("declined_elsewhere", BOB, "You declined this call on another device"),
        ("held_back", BOB, "The call was held back"),
        ("cancelled", BOB, "Missed call"),
        ("no_answer", BOB, "Missed call"),
        ("cancelled", ALICE, "You hung up before Bob answered"),
        ("hangup", ALICE, "The call has ended"),
    ],
)
def test_what_the_page_knows_before_the_server_says_it_has_its_words(
    run: Run, reason: str, who: Any, words: str
) -> None:
    assert run(f'{WORDS} return endedWords({shown(placed(), who.id)}, "{who.id}", "{reason}");') == words


def test_whoever_is_no_longer_called_reads_why_while_the_others_talk(run: Run) -> None:
    call = rules.decline(placed(BOB, CAROL), BOB.id, LATER)
    assert run(f'{WORDS} return endedWords({shown(call, BOB.id)}, "{BOB.id}", null);') == "You declined"


def test_it_rings_softly_for_whoever_is_in_another_call_and_for_nobody_else(run: Run) -> None:
    call = placed(Callee(user=BOB, reached=True, in_call=True), CAROL)
    softly = 'const { ringsSoftly } = await import("/js/strings/ringing.js");'
    for who, is_soft in ((BOB, True), (CAROL, False), (ALICE, False)):
        assert run(f'{softly} return ringsSoftly({shown(call, who.id)}, "{who.id}");') == is_soft
