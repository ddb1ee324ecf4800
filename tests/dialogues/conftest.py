"""The fixtures of a running server, see :mod:`tests.running`, and of whoever answers there.

provider    an OpenAI-compatible provider, on a real HTTP server: `provider.will(Says("Yes."))`
asking      a server that asks it, and a dialogue of Alice's
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from tests.dialogues.provider import Provider
from tests.dialogues.talking import Talking, begin
from tests.running import Running, Start, _one_database, database, http_client, running, stalling, start

__all__ = ["_one_database", "database", "http_client", "running", "stalling", "start"]


@pytest.fixture
def provider(io_loop: IOLoop) -> Iterator[Provider]:
    """See the module's docstring."""
    made = Provider()
    io_loop.run_sync(made.start)
    yield made
    io_loop.run_sync(made.stop)


@pytest.fixture
def asking(io_loop: IOLoop, start: Start, provider: Provider) -> Talking:
    """See the module's docstring."""

    async def make() -> Talking:
        return await begin(await start(provider.overrides()))

    talking: Talking = io_loop.run_sync(make)
    return talking


@pytest.fixture
def offline(io_loop: IOLoop, running: Running) -> Talking:
    """A server that answers from the book alone, and a dialogue of Alice's."""

    async def make() -> Talking:
        return await begin(running)

    talking: Talking = io_loop.run_sync(make)
    return talking
