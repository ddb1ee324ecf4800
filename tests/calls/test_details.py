"""What else is said of a call beside its outcome."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.calls import rules
from server.calls.details import details
from server.calls.rules import Callee
from tests.clock import START
from tests.helpers import ALICE, BOB, CAROL, TIMING, active, answered, placed

LATER = START + timedelta(seconds=12)
RINGING = rules.acknowledge_ringing(placed(media="audio"), BOB.id, START)


def shown(sentence: str) -> str:
    """The sentence without the characters that nobody sees."""
    return sentence.replace("\u2068", "").replace("\u2069", "")


@pytest.mark.parametrize(("media", "said"), [("audio", "Audio call"), ("video", "Video call")])
def test_the_kind_of_a_call_that_goes_on(media: str, said: str) -> None:
    assert details(placed(media=media), ALICE.id) == said  # type: ignore[arg-type]


@pytest.mark.parametrize(("who", "said"), [(ALICE, "Video call · Bob hung up"), (BOB, "Video call · You hung up")])
def test_who_hung_up(who: object, said: str) -> None:
    call = rules.hang_up(active(answered(placed())), BOB.id, LATER)
    assert shown(details(call, who.id)) == said  # type: ignore[attr-defined]


def test_a_name_stands_apart_from_the_direction_of_the_sentence() -> None:
    call = rules.hang_up(active(answered(placed())), BOB.id, LATER)
    assert "\u2068Bob\u2069" in details(call, ALICE.id)


def test_how_long_it_rang_for_whoever_missed_it() -> None:
    call = rules.cancel(RINGING, ALICE.id, LATER)
    assert shown(details(call, BOB.id)) == "Audio call · Alice hung up · Rang for 0:12"


def test_that_one_hung_up_oneself_is_not_said_twice() -> None:
    assert details(rules.cancel(RINGING, ALICE.id, LATER), ALICE.id) == "Audio call · Rang for 0:12"


def test_how_long_it_rang_until_the_deadline() -> None:
    call = rules.expire(RINGING, START + TIMING.ring)
    assert [details(call, who.id) for who in (ALICE, BOB)] == 2 * ["Audio call · Rang for 0:45"]


def test_what_never_rang_rang_for_no_time() -> None:
    assert details(rules.expire(placed(), START + TIMING.ring), BOB.id) == "Video call"
    assert details(placed(Callee(user=BOB, reached=True, do_not_disturb=True)), ALICE.id) == "Video call"


def test_what_was_answered_says_nothing_of_its_ringing() -> None:
    call = rules.hang_up(active(answered(RINGING, now=LATER)), ALICE.id, LATER)
    assert "Rang" not in details(call, BOB.id) + details(call, ALICE.id)


def test_a_third_who_missed_it_reads_how_long_it_rang_for_them() -> None:
    call = rules.acknowledge_ringing(placed(BOB, CAROL), CAROL.id, START)
    call = rules.expire(replace(active(answered(call)), lease_until=None), call.ring_deadline)
    ended = rules.hang_up(call, BOB.id, call.ring_deadline)
    assert shown(details(ended, CAROL.id)) == "Video call · Bob hung up · Rang for 0:45"


def test_the_sentences_come_in_the_persons_language() -> None:
    german = {
        "Audio call": "Anruf",
        "%(name)s hung up": "%(name)s hat aufgelegt",
        "Rang for %(duration)s": "%(duration)s",
    }
    call = rules.cancel(RINGING, ALICE.id, LATER)
    assert shown(details(call, BOB.id, german.__getitem__)) == "Anruf · Alice hat aufgelegt · 0:12"
