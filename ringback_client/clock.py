"""Time, so that a test can move it instead of sleeping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """What this package asks of time. All of it is in seconds."""

    def now(self) -> float:
        """A monotonic time; only differences mean something."""

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` have passed."""


class SystemClock:
    """The real time."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def within(clock: Clock, seconds: float, awaitable: Awaitable[T], what: str) -> T:
    """Wait for `awaitable`, at most `seconds`; then cancel it and raise TimeoutError, saying `what` did not come."""
    work = asyncio.ensure_future(awaitable)
    alarm = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({work, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise TimeoutError(f"{what} did not come within {seconds:g} s")
        return work.result()
    finally:
        alarm.cancel()
        work.cancel()
