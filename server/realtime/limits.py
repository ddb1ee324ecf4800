"""Counting what a client sends: a bucket of tokens, and a window of offences. Pure functions of time in seconds."""

from __future__ import annotations

from collections import deque


class TokenBucket:
    """Allows ``burst`` at once and ``rate_per_s`` in the long run."""

    __slots__ = ("_at_s", "_burst", "_rate_per_s", "_tokens")

    def __init__(self, rate_per_s: float, burst: int, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """Takes one token if there is one at ``now_s`` (monotonic seconds)."""
        tokens = self._tokens + (now_s - self._at_s) * self._rate_per_s
        self._at_s = now_s
        if tokens > self._burst:
            tokens = self._burst
        if tokens < 1.0:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1.0
        return True

    def is_full(self, now_s: float) -> bool:
        """Whether nothing needs to be remembered: a new bucket would be the same."""
        return self._tokens + (now_s - self._at_s) * self._rate_per_s >= self._burst

    def wait_s(self) -> float:
        """How long until the next token, in seconds."""
        return max(0.0, (1.0 - self._tokens) / self._rate_per_s)


class OffenceWindow:
    """Says when ``limit`` offences fell into the last ``window_s`` seconds."""

    __slots__ = ("_limit", "_times_s", "_window_s")

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._times_s: deque[float] = deque(maxlen=limit)

    def add(self, now_s: float) -> bool:
        """Counts one offence at ``now_s``; true when the limit is reached."""
        self._times_s.append(now_s)
        return len(self._times_s) == self._limit and now_s - self._times_s[0] <= self._window_s
