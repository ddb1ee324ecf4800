"""A call that goes on on another device of the same person."""

from __future__ import annotations

from server.calls import rules
from tests.clock import START
from tests.helpers import ALICE, BOB, active, answered, device, leg_id, placed

TALKING = active(answered(placed(BOB), on="telephone"))


def test_the_leg_stands_with_the_device_on_which_it_goes_on() -> None:
    after = rules.move(TALKING, leg_id(TALKING, BOB), device("tablet"))
    leg = after.leg_of(BOB.id)
    assert leg is not None and leg.device is not None and leg.device.label == "tablet"
    assert (after.rev, after.state) == (TALKING.rev + 1, "active")


def test_another_window_of_the_same_device_changes_nothing() -> None:
    assert rules.move(TALKING, leg_id(TALKING, BOB), device("telephone")) is TALKING


def test_whoever_is_called_and_only_looks_in_takes_the_call_nowhere() -> None:
    call = placed(BOB)
    assert rules.move(call, leg_id(call, BOB), device("tablet")) is call


def test_a_call_that_is_over_goes_nowhere() -> None:
    over = rules.hang_up(TALKING, ALICE.id, START)
    assert rules.move(over, leg_id(over, BOB), device("tablet")) is over
