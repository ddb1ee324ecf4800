"""The fixtures of a running server, see :mod:`tests.running`, and a push service beside it.

push_service    a push service that keeps what it is sent, decrypted
pushing         a server that trusts it
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from tests.push.service import PushService
from tests.running import Running, Start, _one_database, database, http_client, running, stalling, start

__all__ = ["_one_database", "database", "http_client", "running", "stalling", "start"]


@pytest.fixture
def push_service(io_loop: IOLoop) -> Iterator[PushService]:
    service = PushService()
    io_loop.run_sync(service.start)
    yield service
    io_loop.run_sync(service.stop)


@pytest.fixture
def pushing(io_loop: IOLoop, start: Start, push_service: PushService) -> Running:
    async def begin() -> Running:
        return await start({"push.trusted_endpoints": [push_service.origin], "push.contact": "mailto:ops@example.org"})

    running: Running = io_loop.run_sync(begin)
    return running
