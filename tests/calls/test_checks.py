"""A relay to try without a call, and bytes to measure a line with: for minutes, and not often."""

from __future__ import annotations

import pytest

from server.calls.checks import CHECKS_AT_ONCE, CHECKS_PER_HOUR, CREDENTIAL_TTL_S, TRANSFERS_PER_MINUTE, Checks
from server.errors import RateLimited
from server.settings import IceSettings
from tests.clock import START, ManualClock

TURN = IceSettings(turn_urls=("turn:turn.example:3478",), turn_secret="shared with coturn", credential_ttl_s=600)


def worn_out(checks: Checks, user_id: str = "alice") -> Checks:
    """That person has checked as often as they may."""
    for _ in range(CHECKS_AT_ONCE):
        checks.ice_servers(user_id)
    return checks


def test_credentials_for_a_check_run_out_before_those_of_a_call() -> None:
    answer = Checks(TURN, ManualClock()).ice_servers("alice")
    expiry = int(START.timestamp()) + CREDENTIAL_TTL_S
    assert answer["expires_in"] == CREDENTIAL_TTL_S
    assert answer["ice_servers"][0]["username"] == f"{expiry}:check-alice"  # counted apart from calls


def test_they_never_live_longer_than_is_configured() -> None:
    settings = IceSettings(turn_urls=TURN.turn_urls, turn_secret="s", credential_ttl_s=60)
    assert Checks(settings, ManualClock()).ice_servers("alice")["expires_in"] == 60


def test_whoever_checks_too_often_is_told_when_to_come_back() -> None:
    checks = worn_out(Checks(TURN, ManualClock()))
    with pytest.raises(RateLimited) as refused:
        checks.ice_servers("alice")
    assert refused.value.retry_after_s == pytest.approx(3600 / CHECKS_PER_HOUR)


def test_one_who_checks_too_often_is_in_nobodys_way() -> None:
    assert worn_out(Checks(TURN, ManualClock())).ice_servers("bob")["ice_servers"]


def test_after_a_while_one_may_check_again() -> None:
    clock = ManualClock()
    checks = worn_out(Checks(TURN, clock))
    clock.move(3600 / CHECKS_PER_HOUR)
    assert checks.ice_servers("alice")["ice_servers"]
    with pytest.raises(RateLimited):
        checks.ice_servers("alice")


def test_pieces_are_counted_beside_checks() -> None:
    checks = worn_out(Checks(TURN, ManualClock()))
    for _ in range(TRANSFERS_PER_MINUTE):
        checks.count_transfer("alice")
    with pytest.raises(RateLimited):
        checks.count_transfer("alice")


def test_whoever_has_not_checked_for_a_while_is_forgotten() -> None:
    clock = ManualClock()
    checks = worn_out(Checks(TURN, clock))
    checks.sweep()
    assert len(checks) == 1
    clock.move(3600)
    checks.sweep()
    assert len(checks) == 0
