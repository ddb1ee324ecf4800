"""The time, as something that is passed in: a test moves it instead of sleeping."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the rest of Ringback may ask about the time."""

    def now(self) -> datetime:
        """The wall clock: aware, UTC, cut to milliseconds (what MongoDB stores and the wire shows)."""

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps: for durations and deadlines within this process."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """The wall clock: aware, UTC, cut to milliseconds."""
        return cut_to_ms(datetime.now(UTC))

    # Asked several times a frame, so without a call of our own around it.
    monotonic = staticmethod(time.monotonic)


def cut_to_ms(moment: datetime) -> datetime:
    """``moment`` without its microseconds, so that a time read back from MongoDB equals the one that was stored."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
