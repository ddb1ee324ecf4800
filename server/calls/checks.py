"""What the page of checks needs of the server: a relay to try without a call, and bytes to measure a line with."""

from __future__ import annotations

from typing import Any

from server.calls.ice import ice_servers
from server.clock import Clock
from server.errors import RateLimited
from server.realtime.limits import TokenBucket
from server.settings import IceSettings

CHECKS_AT_ONCE = 3
"""Whoever tries cables and switches checks again at once, and then goes to look for the next cable."""
CHECKS_PER_HOUR = 6
"""A relay costs its owner traffic: what is given without a call must be worth nothing but a check."""
CHECK_NAME = "check-%s"
"""The relay counts by this name: what a check holds takes nothing from a call, and a call nothing from a check."""
CREDENTIAL_TTL_S = 120
"""A check takes half a minute; what nobody has in a call need not live longer."""
TRANSFERS_PER_MINUTE = 90
"""Measuring one line takes 32 pieces at most, and a person who checks again does so a moment later."""


class Checks:
    """Counts the checks of each person. Whoever has not checked for a while is forgotten by ``sweep``."""

    def __init__(self, settings: IceSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._buckets: dict[tuple[str, str], TokenBucket] = {}  # by person and what they do

    def __len__(self) -> int:
        return len(self._buckets)

    def ice_servers(self, user_id: str) -> dict[str, Any]:
        """See :func:`server.calls.ice.ice_servers`; raises :class:`RateLimited`, which says when the next may be."""
        self._take(user_id, "credentials", CHECKS_PER_HOUR / 3600.0, CHECKS_AT_ONCE)
        return ice_servers(self._settings, CHECK_NAME % user_id, self._clock, CREDENTIAL_TTL_S)

    def count_transfer(self, user_id: str) -> None:
        """Before each piece that is sent or taken; raises :class:`RateLimited`."""
        self._take(user_id, "transfers", TRANSFERS_PER_MINUTE / 60.0, TRANSFERS_PER_MINUTE)

    def _take(self, user_id: str, what: str, rate_per_s: float, burst: int) -> None:
        now_s = self._clock.monotonic()
        bucket = self._buckets.get((user_id, what))
        if bucket is None:
            bucket = self._buckets[user_id, what] = TokenBucket(rate_per_s, burst, now_s)
        if not bucket.take(now_s):
            raise RateLimited("Too many checks in a short time; wait a while", retry_after_s=bucket.wait_s())

    def sweep(self) -> None:
        """Forgets whoever could begin anew."""
        now_s = self._clock.monotonic()
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now_s)}
