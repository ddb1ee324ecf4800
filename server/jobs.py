"""Every periodic job: its name, its period, its body. Bodies are ordinary coroutines that can be called directly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tornado.ioloop import PeriodicCallback

from server.errors import Unavailable
from server.log import get_logger

log = get_logger("jobs")

JITTER = 0.1
"""Each period varies by a tenth, so that the jobs of many nodes do not fall on the same moment."""


class Job(NamedTuple):
    """One job: ``body`` runs every ``period_s`` seconds, never twice at a time."""

    name: str
    period_s: float
    body: Callable[[], Awaitable[object]]


class Jobs:
    """Starts and stops all jobs of a process. One that fails is logged and runs again next time."""

    def __init__(self, jobs: list[Job]) -> None:
        self.jobs = {job.name: job for job in jobs}
        self._callbacks = [PeriodicCallback(self._guarded(job), job.period_s * 1000.0, JITTER) for job in jobs]

    def start(self) -> None:
        """Starts every job."""
        for callback in self._callbacks:
            callback.start()

    def stop(self) -> None:
        """Stops every job; one under way is not interrupted."""
        for callback in self._callbacks:
            callback.stop()

    @staticmethod
    def _guarded(job: Job) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            try:
                await job.body()
            except Unavailable:
                log.warning("job_postponed", job=job.name, why="the database is away")
            except Exception:
                log.exception("job_failed", job=job.name)

        return run
