"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 20, 5, 12, 7, 345_000, tzinfo=UTC)


class ManualClock:
    """A ``server.clock.Clock`` whose two times move together, and only by ``move``."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 1_000.0

    def now(self) -> datetime:
        """The wall clock of the test."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that go with it."""
        return self._monotonic

    def move(self, seconds: float) -> None:
        """Lets ``seconds`` pass (whole milliseconds, as on the real clock)."""
        self._now += timedelta(milliseconds=round(seconds * 1000))
        self._monotonic += seconds
