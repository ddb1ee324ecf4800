"""How long a client waits before it comes back."""

from __future__ import annotations

from ringback_client.backoff import Backoff


def most_patient() -> Backoff:
    """Delays at their ceilings."""
    return Backoff(chance=lambda: 1.0)


def test_first_attempt_comes_at_once() -> None:
    assert most_patient().next_delay_s() == 0.0


def test_ceilings_double_from_300_ms_to_30_s() -> None:
    backoff = most_patient()
    assert [backoff.next_delay_s() for _ in range(10)] == [0.0, 0.3, 0.6, 1.2, 2.4, 4.8, 9.6, 19.2, 30.0, 30.0]


def test_jitter_is_full() -> None:
    chances = iter([0.0, 0.5])
    backoff = Backoff(chance=lambda: next(chances))
    assert [backoff.next_delay_s() for _ in range(3)] == [0.0, 0.0, 0.3]


def test_without_at_once_the_first_attempt_waits_too() -> None:
    backoff = most_patient()
    assert [backoff.next_delay_s(at_once=False), backoff.next_delay_s(at_once=False)] == [0.3, 0.6]


def test_connection_that_held_60_s_starts_the_delays_anew() -> None:
    backoff = most_patient()
    backoff.next_delay_s()
    backoff.next_delay_s()
    backoff.held(60.0)
    assert backoff.next_delay_s() == 0.0


def test_connection_that_held_less_does_not() -> None:
    backoff = most_patient()
    backoff.next_delay_s()
    backoff.held(59.9)
    assert backoff.next_delay_s() == 0.3


def test_night_offline_stays_at_30_s() -> None:
    backoff = most_patient()
    assert [backoff.next_delay_s() for _ in range(5_000)][-1] == 30.0
