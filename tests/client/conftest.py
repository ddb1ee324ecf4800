"""Fixtures of the client's tests.

clock     time that moves only when a test moves it
server    a real WebSocket server that says what the test says
http      a real HTTP server with answers the test has laid out
running   Ringback itself, see tests.running
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from tests.client.looped import looped
from tests.client.scripted_http import ScriptedHttp
from tests.client.scripted_server import ScriptedServer
from tests.client.still_clock import StillClock
from tests.running import _one_database, database, http_client, running, start

__all__ = ["_one_database", "database", "http_client", "running", "start"]


@pytest.fixture
def clock() -> StillClock:
    """Time that moves only when the test moves it."""
    return StillClock()


@pytest.fixture
def server(io_loop: IOLoop) -> Iterator[ScriptedServer]:
    """A real WebSocket server that says what the test says."""
    with looped(io_loop, ScriptedServer()) as server:
        yield server


@pytest.fixture
def http(io_loop: IOLoop) -> Iterator[ScriptedHttp]:
    """A real HTTP server with answers the test has laid out."""
    with looped(io_loop, ScriptedHttp()) as http:
        yield http
