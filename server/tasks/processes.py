"""Work that burns CPU: done in processes of its own, a few at a time, so that no call waits for it.

The processes are anyio's: each does one thing at a time, and is killed when whoever waits for it is cancelled.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, TypeVar, TypeVarTuple

from anyio import BrokenWorkerProcess, CancelScope, CapacityLimiter, open_process, to_process
from anyio.abc import Process

from server.tasks.endings import Retry, TaskFailed

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

NICENESS = 10
"""Calls come first: the kernel gives the processor to the server itself before it gives it to these."""
PR_SET_PDEATHSIG = 1  # prctl(2)

_begun: ContextVar[list[Process]] = ContextVar("begun")
"""The processes that were begun for what is being run."""


async def _begin(*args: Any, **kwargs: Any) -> Process:
    beginning = asyncio.ensure_future(open_process(*args, **kwargs))
    try:
        process = await asyncio.shield(beginning)
    except asyncio.CancelledError:
        with suppress(OSError):  # there is none
            await _end(await beginning)
        raise
    _begun.get([]).append(process)
    return process


# anyio 4.16 forgets a process whose start is cancelled: it lives on, and uvloop waits for it when the loop is closed.
to_process.open_process = _begin  # type: ignore[attr-defined]


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
        begun: list[Process] = []
        _begun.set(begun)
        if self._limiter is None:  # it belongs to the event loop that is running, which the constructor has not
            self._limiter = CapacityLimiter(self._count)
        try:
            return await to_process.run_sync(
                _aside, os.getpid(), self._memory_bytes, function, args, cancellable=True, limiter=self._limiter
            )
        except asyncio.CancelledError:
            for process in begun:
                await _end(process)
            raise
        except MemoryError:
            raise TaskFailed("out_of_memory", "The work needs more memory than it may have") from None
        except BrokenWorkerProcess:
            raise Retry("worker_killed", "The process that did the work was killed") from None


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    with CancelScope(shield=True):
        await process.aclose()


def _aside(parent_pid: int, memory_bytes: int, function: Callable[..., T], args: tuple[object, ...]) -> T:
    """In the other process: ``function``, behind everything else, and never without the server."""
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it went before the line above
        sys.exit("the server has ended")
    return function(*args)
