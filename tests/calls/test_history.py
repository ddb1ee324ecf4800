"""In which lists of whose history a call stands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from server.calls import rules
from server.calls.history import AFTER_SEPARATOR, direction_of, tokens, unread_by, wanted
from server.calls.model import Call, has_gone, was_missed_by
from server.calls.rules import Callee
from server.ids import new_id
from tests.calls.test_rules_properties import CALLEES, EVENTS, Life
from tests.clock import START
from tests.helpers import ALICE, BOB, CAROL, TIMING, active, answered, long_lists, person, placed, property_of

LATER = START + timedelta(seconds=12)


def of(user_id: str, call: Call, **options: bool) -> set[str]:
    """Somebody's tokens, without their id in front."""
    theirs = [token for token in tokens(call, **options) if token.split(":")[0] == user_id]
    return {token.removeprefix(user_id).removeprefix(":") for token in theirs}


def blocked(call: Call) -> Call:
    """The call to somebody who has blocked the caller."""
    legs = tuple(replace(leg, state="blocked") if leg.user == BOB else leg for leg in call.legs)
    return replace(call, legs=legs)


def test_a_call_that_rings_stands_with_its_state() -> None:
    assert of(ALICE.id, placed()) == {"", "live:inviting", "outgoing", "outgoing:with:bob"}
    assert of(BOB.id, placed()) == {"", "live:inviting", "incoming", "incoming:with:alice"}


def test_a_call_that_was_talked_in_stands_on_both_sides() -> None:
    call = rules.hang_up(active(answered(placed())), BOB.id, LATER)
    assert of(ALICE.id, call) == {"", "outgoing", "outgoing:with:bob"}
    assert of(BOB.id, call) == {"", "incoming", "incoming:with:alice"}


def test_a_call_that_nobody_took_is_missed_and_unread() -> None:
    call = rules.cancel(placed(), ALICE.id, LATER)
    assert of(BOB.id, call) == {
        "", "incoming", "incoming:with:alice", "missed", "missed:with:alice", "unread",
    }  # fmt: skip
    assert of(ALICE.id, call) == {"", "outgoing", "outgoing:with:bob"}


def test_what_was_seen_is_missed_and_not_unread() -> None:
    call = rules.cancel(placed(), ALICE.id, LATER)
    assert of(BOB.id, call) - of(BOB.id, call, seen=True) == {"unread"}


def test_a_call_that_was_declined_is_not_missed() -> None:
    assert "missed" not in of(BOB.id, rules.decline(placed(), BOB.id, LATER))


@pytest.mark.parametrize("state", ["missed", "unreachable", "busy", "do_not_disturb"])
def test_whoever_was_called_in_vain_has_missed_the_call(state: str) -> None:
    call = rules.cancel(placed(), ALICE.id, LATER)
    legs = (call.legs[0], replace(call.legs[1], state=state))
    assert unread_by(replace(call, legs=legs)) == (BOB.id,)


def test_whoever_does_not_want_to_be_disturbed_finds_the_call_unread() -> None:
    assert "unread" in of(BOB.id, placed(Callee(user=BOB, reached=True, do_not_disturb=True)))


def test_a_call_that_one_has_missed_is_unread_while_the_others_talk_and_when_they_have_ended_it() -> None:
    call = replace(active(answered(placed(BOB, CAROL))), lease_until=None)
    rung_out = rules.expire(call, call.ring_deadline)
    assert {"missed", "unread"} <= of(CAROL.id, rung_out)
    assert "unread" in of(CAROL.id, rules.hang_up(rung_out, BOB.id, call.ring_deadline))


def test_a_call_of_three_stands_with_each_of_the_others() -> None:
    assert {"incoming:with:alice", "incoming:with:carol"} <= of(BOB.id, placed(BOB, CAROL))


def test_whoever_was_called_in_in_vain_stands_with_who_called_them_and_not_with_all_the_others() -> None:
    call = replace(active(answered(placed())), lease_until=None)
    callees = [Callee(user=user, reached=True, do_not_disturb=True) for user in (CAROL, person("dave"))]
    call = rules.invite(call, BOB.id, callees, LATER, TIMING, new_id, 6)
    together = {token for token in of(CAROL.id, call) if ":with:" in token}
    assert together == {"incoming:with:bob", "missed:with:bob"}


def test_a_blocked_call_that_goes_on_is_no_news_to_whoever_blocks() -> None:
    assert (of(BOB.id, blocked(placed())), bool(of(ALICE.id, blocked(placed())))) == (set(), True)


def test_a_blocked_call_that_is_over_is_found_and_not_missed() -> None:
    call = blocked(rules.cancel(placed(), ALICE.id, LATER))
    assert of(BOB.id, call) == {"", "incoming", "incoming:with:alice"}


@pytest.mark.parametrize(
    ("kind", "people", "tokens_wanted"),
    [
        ("all", None, ["bob"]),
        ("missed", None, ["bob:missed"]),
        ("outgoing", None, ["bob:outgoing"]),
        ("missed", ["alice"], ["bob:missed:with:alice"]),
        ("all", ["alice"], ["bob:incoming:with:alice", "bob:outgoing:with:alice"]),
        ("incoming", ["alice", "carol"], ["bob:incoming:with:alice", "bob:incoming:with:carol"]),
        ("all", [], []),
    ],
)
def test_a_list_is_a_few_tokens(kind: str, people: list[str] | None, tokens_wanted: list[str]) -> None:
    assert wanted("bob", kind, people) == tokens_wanted  # type: ignore[arg-type]


@given(st.sampled_from(CALLEES), long_lists(EVENTS))
@property_of(300)
def test_whatever_happens_each_list_holds_what_it_says(callees: tuple[Callee, ...], events: list) -> None:  # type: ignore[type-arg]
    for call in Life(callees, events).versions:
        found = set(tokens(call))
        assert len(found) == len(tokens(call))
        for leg in call.legs:
            user_id = leg.user.id
            if leg.state == "blocked" and not call.is_over:
                assert not [token for token in found if token.split(":")[0] == user_id]
                continue
            mine = direction_of(call, user_id)
            assert (user_id in found) and (f"{user_id}:{mine}" in found)
            assert (f"{user_id}:missed" in found) == was_missed_by(call, user_id)
            assert (f"{user_id}:unread" in found) == was_missed_by(call, user_id)
            assert (f"{user_id}:live:{call.state}" in found) == (not call.is_over and not has_gone(call, leg))
            for other in set(call.user_ids()) - {user_id}:
                assert len(found & set(wanted(user_id, "all", [other]))) <= 1
                assert found & set(wanted(user_id, "missed", [other])) == set() or was_missed_by(call, user_id)


@given(st.sampled_from(CALLEES), long_lists(EVENTS))
@property_of(100)
def test_every_token_of_a_person_lies_in_their_range_and_no_other(callees: tuple[Callee, ...], events: list) -> None:  # type: ignore[type-arg]
    call = Life(callees, events).versions[-1]
    for user_id in call.user_ids():
        in_range = {token for token in tokens(call) if user_id <= token < user_id + AFTER_SEPARATOR}
        assert in_range == {token for token in tokens(call) if token.split(":")[0] == user_id}
