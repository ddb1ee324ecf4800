"""Fixtures for all tests.

io_loop                                 the loop of an asynchronous test: uvloop, as in production
mongo_uri, database, mongo_overrides    a real MongoDB, one for the whole run; an empty database a test
settings                                makes Settings, cheap hashing and all
chromium_path                           the browser of the journeys
relay                                   a real coturn that relays to loopback, where everybody in a test is
expect_error                            lets a test log an error; any other logged error fails it
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pymongo
import pytest
import uvloop
from tornado.ioloop import IOLoop

from server.config import load_settings
from server.settings import Settings
from server.store.embedded import EmbeddedMongo
from tests.sharing_out import SharingOut, in_order, sendable
from tests.turn.coturn import REACHES_LOOPBACK, Coturn, coturn
from tools.browser import find_browser

SettingsFactory = Callable[..., Settings]

# Far below what protects a password, so that a test with ten sign-ins does not take a second for them.
CHEAP_HASHING = {"auth.argon2_memory_kib": 8, "auth.argon2_time_cost": 1}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """See :mod:`tests.sharing_out`."""
    items[:] = in_order(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharingOut:
    """See :mod:`tests.sharing_out`."""
    return SharingOut(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable(report: Any) -> Iterator[None]:
    """See :func:`tests.sharing_out.sendable`."""
    return sendable((yield))


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    """The loop of one test, in place of pytest-tornado's; what still runs on it in the end is cancelled."""
    asyncio_loop = uvloop.new_event_loop()
    asyncio.set_event_loop(asyncio_loop)  # pytest-tornado makes the test's task before it starts the loop
    loop = IOLoop(asyncio_loop=asyncio_loop, make_current=False)
    yield loop
    loop.run_sync(_cancel_all_tasks)
    loop.close(all_fds=True)
    asyncio.set_event_loop(None)


async def _cancel_all_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
    await asyncio.get_running_loop().shutdown_default_executor()


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a real mongod, started for this run and stopped after it."""
    mongo = EmbeddedMongo(tmp_path_factory.mktemp("mongo"))
    # With a factory it leaves alone which loop is the current one, in whatever test this fixture comes first.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        yield runner.run(mongo.start())
        runner.run(mongo.stop())


@pytest.fixture(scope="session")
def _mongo_client(mongo_uri: str) -> Iterator[pymongo.MongoClient[dict[str, Any]]]:
    client: pymongo.MongoClient[dict[str, Any]]
    with pymongo.MongoClient(mongo_uri) as client:
        yield client


@pytest.fixture
def database(_mongo_client: pymongo.MongoClient[dict[str, Any]]) -> Iterator[str]:
    """The name of a database that is empty, and gone after the test."""
    name = f"test_{secrets.token_hex(8)}"
    yield name
    _mongo_client.drop_database(name)


@pytest.fixture
def mongo_overrides(mongo_uri: str, database: str) -> dict[str, object]:
    """What ``settings`` takes for a test with a database."""
    return {"mongo.uri": mongo_uri, "mongo.database": database}


@pytest.fixture
def settings(tmp_path: Path) -> SettingsFactory:
    """Makes the settings of a test: ``settings({"sockets.auth_timeout_s": 0.1})``.

    Any free port, a data directory of its own, a key of its own, cheap hashing; no database unless it is given.
    """

    def make(overrides: Mapping[str, object] | None = None) -> Settings:
        base: dict[str, object] = {
            "server.port": 0,
            "server.data_dir": str(tmp_path / "data"),
            "auth.secret": secrets.token_urlsafe(32),
        }
        return load_settings(None, {}, base | CHEAP_HASHING | dict(overrides or {}))

    return make


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium that ``make test`` found or installed; without one the journeys fail and are not skipped."""
    path = find_browser()
    assert path is not None, "there is no Chromium: run make test, which brings it, or apt-get install chromium"
    return path


@pytest.fixture(scope="session")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    """A coturn with the configuration that we ship, which may relay to loopback, too."""
    with coturn(tmp_path_factory.mktemp("relay"), *REACHES_LOOPBACK) as running:
        yield running


@pytest.fixture(autouse=True)
def expect_error(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[str], None]]:
    """``expect_error(pattern)``: this test logs an error like that. One that is missing, or another one, fails it."""
    patterns: list[str] = []
    yield patterns.append
    errors = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert [error for error in errors if not any(re.search(pattern, error) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(re.search(pattern, error) for error in errors)] == []
