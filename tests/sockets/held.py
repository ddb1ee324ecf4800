"""Moments inside the server at which a test can stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pytest

from server.store.tasks import TaskStore

Moment = Literal["before", "after"]


class Held:
    """The first call of a method of the store of tasks, held up before it asks the database or after that has
    answered; all others go through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, when: Moment) -> None:
        self.reached, self._may_go_on = asyncio.Event(), asyncio.Event()
        self._real: Callable[..., Awaitable[Any]] = getattr(TaskStore, name)
        self._when = when
        monkeypatch.setattr(TaskStore, name, lambda *arguments: self._call(*arguments))

    def go_on(self) -> None:
        """Lets it go on."""
        self._may_go_on.set()

    async def _call(self, *arguments: Any) -> Any:
        if self.reached.is_set():
            return await self._real(*arguments)
        if self._when == "before":
            await self._stop()
            return await self._real(*arguments)
        result = await self._real(*arguments)
        await self._stop()
        return result

    async def _stop(self) -> None:
        self.reached.set()
        await self._may_go_on.wait()
