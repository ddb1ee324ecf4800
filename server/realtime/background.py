"""Work that nobody waits for: held so that it is neither lost nor silent, and finished before the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from server.errors import RingbackError
from server.log import get_logger

log = get_logger("background")


class Background:
    """A set of tasks. A refusal (the call ended meanwhile) is an ordinary end, anything else is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, Any], what: str) -> None:
        """Runs ``work``; ``what`` names it in the log."""
        task = asyncio.get_running_loop().create_task(self._run(work, what))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, timeout_s: float) -> None:
        """Waits for what is under way, at most ``timeout_s``, and cancels the rest."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout_s)
            for task in late:
                task.cancel()

    def __len__(self) -> int:
        return len(self._tasks)

    async def _run(self, work: Coroutine[Any, Any, Any], what: str) -> None:
        try:
            await work
        except RingbackError as error:
            log.debug("background_refused", what=what, code=error.code)
        except Exception:
            log.exception("background_failed", what=what)
