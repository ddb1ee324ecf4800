"""Processes that do work aside: none outlives whoever waits for it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from server.tasks.processes import Processes

MEMORY_MIB = 512
START_IN_S = 20.0


def workers() -> set[int]:
    """The processes that were begun by this one to work aside, and have not ended."""
    found = set()
    for listed in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for pid in map(int, listed.read_text().split()):
            command = Path(f"/proc/{pid}/cmdline")
            if command.exists() and b"anyio.to_process" in command.read_bytes():
                found.add(pid)
    return found


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(START_IN_S):
        while not done():
            await asyncio.sleep(0)


def test_one_whose_work_is_cancelled_while_it_starts_keeps_no_loop_from_closing() -> None:
    before = workers()

    async def begin() -> None:
        work = asyncio.ensure_future(Processes(1, MEMORY_MIB).run(sum, [1, 2]))
        await until(lambda: bool(workers() - before))
        work.cancel()
        await asyncio.wait([work])

    def live() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(begin())

    life = threading.Thread(target=live, daemon=True)
    life.start()
    life.join(2 * START_IN_S)
    assert not life.is_alive()
    assert workers() <= before


@pytest.mark.gen_test
async def test_the_next_work_is_done_after_one_was_cancelled() -> None:
    processes = Processes(1, MEMORY_MIB)
    before = workers()
    waiting = asyncio.ensure_future(processes.run(sum, [1, 2]))
    await until(lambda: bool(workers() - before))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await processes.run(sum, [1, 2, 3]) == 6
