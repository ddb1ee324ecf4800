"""Work that nobody waits for: held so that it is neither lost nor silent, and finished before the server stops."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from server.errors import RingbackError, Unavailable
from server.log import get_logger

log = get_logger("background")

Work = Callable[[], Coroutine[Any, Any, Any]]

MAX_OWED = 10_000
"""Work that waits for the database, a few MB at the most; beyond that the oldest is given up, and logged."""


class Background:
    """A set of tasks. A refusal (the call ended meanwhile) is an ordinary end, anything else is logged.

    What failed because the database was away is owed: :meth:`catch_up` does it, in order. It must not matter if it is
    done twice.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._owed: deque[tuple[Work, str]] = deque()

    def start(self, work: Work, what: str) -> None:
        """Runs ``work``; ``what`` names it in the log."""
        task = asyncio.get_running_loop().create_task(self._run(work, what))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def catch_up(self) -> int:
        """Does what is owed and returns how much that was; raises ``Unavailable`` if the database is still away."""
        done = 0
        while self._owed:
            work, what = self._owed.popleft()
            try:
                await self._attempt(work, what)
            except Unavailable:
                self._owed.appendleft((work, what))
                raise
            done += 1
        return done

    async def finish(self, timeout_s: float) -> None:
        """Waits for what is under way, at most ``timeout_s``, and cancels the rest."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
        if self._owed:
            log.warning("background_lost", count=len(self._owed), why="the database is away")

    def __len__(self) -> int:
        return len(self._tasks)

    async def _run(self, work: Work, what: str) -> None:
        try:
            await self._attempt(work, what)
        except Unavailable:
            self._owed.append((work, what))
            if len(self._owed) > MAX_OWED:
                _, lost = self._owed.popleft()
                log.warning("background_lost", count=1, what=lost, why="too much waits for the database")

    async def _attempt(self, work: Work, what: str) -> None:
        try:
            await work()
        except Unavailable:
            raise
        except RingbackError as error:
            log.debug("background_refused", what=what, code=error.code)
        except Exception:
            log.exception("background_failed", what=what)
