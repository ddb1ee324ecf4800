"""Counting what a client sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.realtime.limits import OffenceWindow, TokenBucket
from tests.helpers import property_of


def taken(bucket: TokenBucket, times: int, now_s: float) -> int:
    """How many of so many tries at one time succeed."""
    return sum(bucket.take(now_s) for _ in range(times))


def test_a_burst_is_allowed_at_once() -> None:
    assert taken(TokenBucket(20, 100, 0.0), 150, 0.0) == 100


def test_tokens_come_back_at_the_rate() -> None:
    bucket = TokenBucket(20, 100, 0.0)
    taken(bucket, 100, 0.0)
    assert taken(bucket, 100, 2.0) == 40


def test_no_more_than_a_burst_is_saved_up() -> None:
    bucket = TokenBucket(20, 100, 0.0)
    assert taken(bucket, 200, 3600.0) == 100


def test_a_refused_try_costs_nothing() -> None:
    bucket = TokenBucket(1, 1, 0.0)
    taken(bucket, 50, 0.0)
    assert bucket.take(1.0)


def test_parts_of_a_token_add_up() -> None:
    bucket = TokenBucket(2, 1, 0.0)
    bucket.take(0.0)
    assert [bucket.take(at_s) for at_s in (0.25, 0.5)] == [False, True]


def test_the_wait_is_until_the_next_token() -> None:
    bucket = TokenBucket(4, 1, 0.0)
    bucket.take(0.0)
    assert bucket.wait_s() == pytest.approx(0.25)


def test_there_is_no_wait_while_there_are_tokens() -> None:
    assert TokenBucket(4, 2, 0.0).wait_s() == 0.0


def test_a_bucket_that_was_used_is_not_full() -> None:
    bucket = TokenBucket(1, 10, 0.0)
    bucket.take(0.0)
    assert [bucket.is_full(at_s) for at_s in (0.0, 0.9, 1.0)] == [False, False, True]


@property_of(500)
@given(
    waits_s=st.lists(st.sampled_from((0.0, 0.01, 0.05, 0.3, 7.0)), max_size=200),
    rate_per_s=st.integers(1, 50),
    burst=st.integers(1, 20),
)
def test_never_more_than_the_burst_and_the_rate_allow(waits_s: list[float], rate_per_s: int, burst: int) -> None:
    bucket, now_s, allowed = TokenBucket(rate_per_s, burst, 0.0), 0.0, 0
    for wait_s in waits_s:
        now_s += wait_s
        allowed += bucket.take(now_s)
    assert allowed <= burst + now_s * rate_per_s + 1e-6


def test_the_limit_is_reached_by_so_many_offences() -> None:
    window = OffenceWindow(3, 60.0)
    assert [window.add(0.0) for _ in range(3)] == [False, False, True]


def test_offences_that_are_long_past_do_not_count() -> None:
    window = OffenceWindow(3, 60.0)
    assert [window.add(at_s) for at_s in (0.0, 59.0, 60.1, 61.0)] == [False, False, False, True]


def test_offences_at_both_ends_of_the_window_count() -> None:
    window = OffenceWindow(2, 60.0)
    assert [window.add(at_s) for at_s in (0.0, 60.0)] == [False, True]


def test_a_slow_offender_is_never_stopped() -> None:
    window = OffenceWindow(20, 60.0)
    assert not any(window.add(3.2 * count) for count in range(200))
