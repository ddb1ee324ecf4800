"""Fixtures of the client's tests.

clock     time that moves only when a test moves it
server    a real WebSocket server that says what the test says
http      a real HTTP server with answers the test has laid out
running   Ringback itself, see tests.running
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.client.scripted_http import ScriptedHttp
from tests.client.scripted_server import ScriptedServer
from tests.client.still_clock import StillClock
from tests.running import _one_database, database, http_client, running, start

__all__ = ["_one_database", "database", "http_client", "running", "start"]


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests of this folder run on asyncio (anyio comes with httpx2, and its pytest plugin with it)."""
    return "asyncio"


@pytest.fixture
def clock() -> StillClock:
    """Time that moves only when the test moves it."""
    return StillClock()


@pytest.fixture
async def server(anyio_backend: str) -> AsyncIterator[ScriptedServer]:
    """A real WebSocket server that says what the test says."""
    async with ScriptedServer() as server:
        yield server


@pytest.fixture
async def http(anyio_backend: str) -> AsyncIterator[ScriptedHttp]:
    """A real HTTP server with answers the test has laid out."""
    async with ScriptedHttp() as http:
        yield http
