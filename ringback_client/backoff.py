"""How long to wait before the next attempt to connect. Pure: no clock, no sleeping, chance is handed in."""

from __future__ import annotations

import random
from collections.abc import Callable

# Waiting spreads the clients of a server that has just come back. Full jitter (a random time between nothing and the
# ceiling) spreads them best: AWS Architecture Blog, "Exponential Backoff And Jitter".
FIRST_CEILING_S = 0.3
LAST_CEILING_S = 30.0
# A connection that held this long was a good one: what comes next is a new trouble, not the old one.
GOOD_CONNECTION_S = 60.0


class Backoff:
    """The delays of one socket: at once, then full jitter below 0.3 s, 0.6 s, 1.2 s … 30 s."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        """`chance` gives a number from 0 (inclusive) to 1, as `random.random` does."""
        self._chance = chance
        self._failures = 0

    def next_delay_s(self, *, at_once: bool = True) -> float:
        """Seconds until the next attempt; each call counts as one more failure.

        With `at_once=False` the first attempt waits like the second.
        """
        step = self._failures if at_once else max(1, self._failures)
        self._failures = step + 1
        return 0.0 if step == 0 else self._chance() * _ceiling_s(step)

    def held(self, connected_s: float) -> None:
        """Say how long the connection held that was just lost: after a good one the delays start anew."""
        if connected_s >= GOOD_CONNECTION_S:
            self._failures = 0


def _ceiling_s(step: int) -> float:
    """The longest delay before attempt number `step` (1 is the first that waits)."""
    doublings = min(step - 1, 30)  # past the last ceiling anyway; keeps the number small after a night offline
    return min(LAST_CEILING_S, FIRST_CEILING_S * 2.0**doublings)
