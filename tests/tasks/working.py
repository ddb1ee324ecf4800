"""Kinds of tasks for tests, and what a test asks about a task."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from server.realtime.bus import Message, TaskNews, tasks_topic
from server.realtime.frames import UserRef
from server.tasks.model import Task, TaskEvent
from server.tasks.work import Work
from tests.running import Person, Running

LONG_PATIENCE_S = 25.0
"""A process that comes after all others has to wait for them, on a machine on which many tests run."""


class Scripted:
    """A kind whose work a test writes down."""

    name = "scripted"
    stages = ("first", "second")
    deadline_s = 600.0

    def __init__(self, run: Callable[[Work], Awaitable[dict[str, Any]]]) -> None:
        self._run = run

    def title(self, params: dict[str, Any]) -> str:
        """See :class:`server.tasks.kinds.Kind`, as for the others."""
        return "A script"

    async def check(self, params: dict[str, Any], user: UserRef) -> dict[str, Any]:
        """Takes everything."""
        return params

    async def run(self, work: Work) -> dict[str, Any]:
        """Does what the test says."""
        return await self._run(work)


async def begun(person: Person, run: Callable[[Work], Awaitable[dict[str, Any]]], **params: Any) -> Task:
    """A task of that person with that work."""
    person.running.server.task_area.kinds.register(Scripted(run))
    return await person.running.services.tasks.create(person.id, "scripted", params, user=person.user.ref)


class Heard:
    """What is told of the tasks of one person, from now on."""

    def __init__(self, person: Person, running: Running | None = None) -> None:
        """By the server of that person, or another one."""
        self.news: list[TaskNews] = []
        self._running = running or person.running
        self._running.server.bus.subscribe(tasks_topic(person.id), self._hear)

    def _hear(self, message: Message) -> None:
        assert isinstance(message, TaskNews)
        self.news.append(message)

    @property
    def types(self) -> list[str]:
        """The types of the events, in the order in which they were told."""
        return [each.event.type for each in self.news]

    async def until(self, *types: str) -> TaskEvent:
        """Waits until an event of one of these types was told; returns the last one."""
        async with asyncio.timeout(LONG_PATIENCE_S):
            while not any(each in types for each in self.types):
                await asyncio.sleep(0.001)
        return [each.event for each in self.news if each.event.type in types][-1]


async def types_of(running: Running, task: Task) -> list[str]:
    """The types of all events of a task, as they are stored."""
    return [event.type for event in await running.services.tasks.events(task.task_id)]


async def forever() -> None:
    """Waits for what never comes."""
    await asyncio.get_running_loop().create_future()


# ── in other processes ──


def spin(path: str) -> None:
    """Burns CPU without end; says in a file that it does, and in which process."""
    Path(path).write_text(str(os.getpid()))
    while True:
        pass


def pid() -> int:
    """Which process this is."""
    return os.getpid()


def take(size_bytes: int) -> int:
    """Takes so much memory."""
    return len(bytearray(size_bytes))


def die() -> None:
    """Ends its process, as the kernel does that has no memory left."""
    os.kill(os.getpid(), signal.SIGKILL)


async def until_written(path: Path) -> int:
    """The number in a file, as soon as there is one."""
    async with asyncio.timeout(LONG_PATIENCE_S):
        while not path.exists() or not path.read_text():
            await asyncio.sleep(0.01)
    return int(path.read_text())


async def until_gone(pid: int) -> None:
    """Waits until there is no process of that number."""
    async with asyncio.timeout(LONG_PATIENCE_S):
        while Path(f"/proc/{pid}").exists():
            await asyncio.sleep(0.01)
