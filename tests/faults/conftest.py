"""The fixtures of the fault tests.

running, start, stalling    as in :mod:`tests.running`
through                     makes a proxy in front of a server: `await through(running.port)`
shell                       runs ``ringback`` in processes of their own, on the database of `start`
bare                        runs it with nothing set: it brings a mongod of its own
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from tests.cli.shell import Shell
from tests.conftest import CHEAP_HASHING
from tests.faults.proxy import Proxy
from tests.running import _one_database, database, http_client, running, stalling, start

__all__ = ["_one_database", "database", "http_client", "running", "stalling", "start"]

Through = Callable[[int], Awaitable[Proxy]]


@pytest.fixture
def through(io_loop: IOLoop) -> Iterator[Through]:
    """Makes proxies in the loop of the test."""
    proxies: list[Proxy] = []

    async def make(port: int) -> Proxy:
        proxies.append(Proxy(port))
        await proxies[-1].start()
        return proxies[-1]

    yield make
    for proxy in proxies:
        io_loop.run_sync(proxy.stop)


@pytest.fixture
def shell(tmp_path: Path, mongo_overrides: Mapping[str, object]) -> Shell:
    """Runs ``ringback`` in processes of their own, all on one database and one data directory."""
    return Shell(tmp_path / "folder", CHEAP_HASHING | dict(mongo_overrides))


@pytest.fixture
def bare(tmp_path: Path) -> Shell:
    """Runs ``ringback`` in an empty folder with nothing set: it brings a mongod of its own."""
    return Shell(tmp_path / "folder", CHEAP_HASHING)
