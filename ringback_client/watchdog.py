"""Notices that the other side is dead: it has been silent for longer than a living one ever is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .clock import Clock


class Watchdog:
    """Watches one connection.

    Attributes:
        bitten_after_s: the silence after which the connection was given up; None while it lives.
    """

    def __init__(self, clock: Clock, give_up: Callable[[], None]) -> None:
        """`give_up` ends the connection; it is called at most once."""
        self.bitten_after_s: float | None = None
        self._clock = clock
        self._give_up = give_up
        self._heard_at = clock.now()
        self._task: asyncio.Task[None] | None = None

    def heard(self) -> None:
        """There was a sign of life."""
        self._heard_at = self._clock.now()

    def watch(self, limit_s: float) -> None:
        """From now on the connection is dead after `limit_s` of silence, instead of any limit set before."""
        self.stop()
        self._task = asyncio.create_task(self._watch(limit_s))

    def stop(self) -> None:
        """Watch no longer."""
        if self._task is not None:
            self._task.cancel()

    def bite(self, silence_s: float) -> None:
        """Give the connection up now."""
        if self.bitten_after_s is None:
            self.bitten_after_s = silence_s
            self._give_up()

    async def _watch(self, limit_s: float) -> None:
        while (silence_s := self._clock.now() - self._heard_at) < limit_s:
            await self._clock.sleep(limit_s - silence_s)
        self.bite(silence_s)
