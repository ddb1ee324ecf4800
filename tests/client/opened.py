"""A socket that is in, and the server's side of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ringback_client.backoff import Backoff
from ringback_client.handshake import Connected
from ringback_client.websocket import RingbackSocket
from tests.client.scripted_server import ScriptedServer, Visit
from tests.client.still_clock import StillClock


class Tokens:
    """A token provider: token-1, token-2 …"""

    def __init__(self) -> None:
        self.given = 0

    async def __call__(self) -> str:
        """The next token."""
        self.given += 1
        return f"token-{self.given}"


def socket_to(server: ScriptedServer, clock: StillClock, **options: Any) -> RingbackSocket:
    """A socket that is not open yet and waits as long as it ever would."""
    defaults: dict[str, Any] = {"url": server.url, "token": Tokens(), "backoff": Backoff(chance=lambda: 1.0)}
    return RingbackSocket(clock=clock, **defaults | options)


@asynccontextmanager
async def opening(
    server: ScriptedServer, clock: StillClock, **options: Any
) -> AsyncIterator[tuple[RingbackSocket, asyncio.Task[Connected]]]:
    """A socket on its way in."""
    socket = socket_to(server, clock, **options)
    task = asyncio.create_task(socket.open())
    try:
        yield socket, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await socket.close()


@asynccontextmanager
async def opened(
    server: ScriptedServer, clock: StillClock, **options: Any
) -> AsyncIterator[tuple[RingbackSocket, Visit]]:
    """A socket that the server has let in, and that visit."""
    async with opening(server, clock, **options) as (socket, task):
        visit = await server.visit()
        if options.get("credentials", "first_frame") == "first_frame":
            await visit.receive()
        await visit.say_connected()
        await task
        yield socket, visit
