"""How many calls one person may start in a minute: to everybody, and to each person."""

from __future__ import annotations

from collections.abc import Iterable

from server.clock import Clock
from server.errors import TooManyCalls
from server.realtime.limits import TokenBucket
from server.settings import CallSettings


class CallLimits:
    """Buckets of calls, one for each caller and one for each caller and callee; the full ones are forgotten."""

    def __init__(self, clock: Clock, settings: CallSettings) -> None:
        self._clock = clock
        self._per_caller = settings.calls_per_minute
        self._per_pair = settings.calls_per_pair_per_minute
        self._buckets: dict[tuple[str, str], TokenBucket] = {}  # by caller and callee; the callee "" is everybody

    def require(self, caller_id: str, callee_ids: Iterable[str]) -> None:
        """Counts one call; raises :class:`TooManyCalls`, which says when the next may be."""
        for callee_id in callee_ids:
            self._take((caller_id, callee_id), self._per_pair)
        self._take((caller_id, ""), self._per_caller)

    def _take(self, key: tuple[str, str], per_minute: int) -> None:
        now_s = self._clock.monotonic()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(per_minute / 60.0, per_minute, now_s)
        if not bucket.take(now_s):
            raise TooManyCalls(retry_after_s=bucket.wait_s())

    def sweep(self) -> None:
        """Forgets whoever has not called for a while."""
        now_s = self._clock.monotonic()
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now_s)}

    def __len__(self) -> int:
        return len(self._buckets)
