"""Work that burns CPU: done in processes of its own, a few at a time, so that no call waits for it.

The processes are anyio's: each does one thing at a time, and is killed when whoever waits for it is cancelled.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from anyio import BrokenWorkerProcess, CapacityLimiter, to_process

from server.tasks.endings import Retry, TaskFailed

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

NICENESS = 10
"""Calls come first: the kernel gives the processor to the server itself before it gives it to these."""
PR_SET_PDEATHSIG = 1  # prctl(2)


class Processes:
    """At most ``count`` processes at once, each with at most ``memory_mib`` of memory."""

    def __init__(self, count: int, memory_mib: int) -> None:
        self._count = count
        self._memory_bytes = memory_mib * 1024 * 1024
        self._limiter: CapacityLimiter | None = None

    async def run(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        """What ``function`` (one at the top of a module) returns or raises. Cancelled, it is killed.

        Raises :class:`TaskFailed` if it needs more memory than it may have, :class:`Retry` if its process was killed.
        """
        if self._limiter is None:  # it belongs to the event loop that is running, which the constructor has not
            self._limiter = CapacityLimiter(self._count)
        try:
            return await to_process.run_sync(
                _aside, os.getpid(), self._memory_bytes, function, args, cancellable=True, limiter=self._limiter
            )
        except MemoryError:
            raise TaskFailed("out_of_memory", "The work needs more memory than it may have") from None
        except BrokenWorkerProcess:
            raise Retry("worker_killed", "The process that did the work was killed") from None


def _aside(parent_pid: int, memory_bytes: int, function: Callable[..., T], args: tuple[object, ...]) -> T:
    """In the other process: ``function``, behind everything else, and never without the server."""
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it went before the line above
        sys.exit("the server has ended")
    return function(*args)
