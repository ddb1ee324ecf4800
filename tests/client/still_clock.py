"""Time for the client's tests: it stands still until a test moves it."""

from __future__ import annotations

import asyncio

# How long a test waits for something that should happen at once, in real seconds.
PATIENCE_S = 5.0


class StillClock:
    """A `ringback_client.Clock`.

    Attributes:
        asleep: (until when, for how long, what wakes it), for each that sleeps now.
    """

    def __init__(self) -> None:
        self.asleep: list[tuple[float, float, asyncio.Future[None]]] = []
        self._now = 1_000.0
        self._new_sleeper = asyncio.Event()

    def now(self) -> float:
        """The time of the test."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return when the test has moved the time that far."""
        if seconds <= 0:
            return await asyncio.sleep(0)
        sleeper = (self._now + seconds, seconds, asyncio.get_running_loop().create_future())
        self.asleep.append(sleeper)
        self._new_sleeper.set()
        try:
            await sleeper[2]
        finally:
            self.asleep.remove(sleeper)

    async def sleeper(self, seconds: float) -> None:
        """Wait until somebody sleeps for so long."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(abs(length - seconds) < 1e-6 for _, length, _ in self.asleep):
                self._new_sleeper.clear()
                await self._new_sleeper.wait()

    def move(self, seconds: float) -> None:
        """Let time pass: who has slept long enough wakes."""
        self._now += seconds
        for until, _, wake in self.asleep:
            if until <= self._now + 1e-6 and not wake.done():
                wake.set_result(None)
