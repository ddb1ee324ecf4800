"""From a command, which is a plain function, to the coroutines of the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import uvloop

from server.app import Server, open_server
from server.settings import Settings

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs ``work`` to its end on this thread, whose life the mongod of ours shares."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def run_with_server(settings: Settings, work: Callable[[Server], Awaitable[T]]) -> T:
    """Runs ``work`` with the parts of a server that does not listen: on the database of the one that does, if any."""

    async def prepared() -> T:
        async with open_server(settings, attach=True) as server:
            return await work(server)

    return run(prepared())
