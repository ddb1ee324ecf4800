"""Fixtures of the tests of what is stored.

db          an empty database, in the loop of the test
plans       what MongoDB did for everything that was asked since: its profiler
profile     the same, with every figure
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pymongo
import pymongo.database
import pytest
from tornado.ioloop import IOLoop

from server.store.driver import Database, connect
from tests.conftest import SettingsFactory

Plans = Callable[[], list[str]]
Profile = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def db(io_loop: IOLoop, settings: SettingsFactory, mongo_overrides: dict[str, object]) -> Iterator[Database]:
    """See the module's docstring."""
    made = settings(mongo_overrides).mongo
    database = connect(made, made.uri)
    yield database
    database.close()


@pytest.fixture
def plans(mongo_uri: str, database: str) -> Iterator[Plans]:
    """`plans()`: a summary of the plan of each operation so far, such as `find calls: IXSCAN { due_at: 1 }`;
    `, SORT` follows where it sorted by itself what no index had in order."""
    client: pymongo.MongoClient[dict[str, Any]]
    with pymongo.MongoClient(mongo_uri) as client:
        profiled: pymongo.database.Database[dict[str, Any]] = client[database]
        profiled.command("profile", 2)

        def summaries() -> list[str]:
            profiled.command("profile", 0)
            found = profiled["system.profile"].find({"planSummary": {"$exists": True}, "appName": "ringback"})
            return [
                f"{each['op']} {each['ns'].partition('.')[2]}: {each['planSummary']}"
                + (", SORT" if each.get("hasSortStage") else "")
                for each in found
            ]

        yield summaries
        profiled.command("profile", 0)


@pytest.fixture
def profile(mongo_uri: str, database: str) -> Iterator[Profile]:
    """`profile()`: what the profiler has noted of each operation so far, and of none before the last time."""
    client: pymongo.MongoClient[dict[str, Any]]
    with pymongo.MongoClient(mongo_uri) as client:
        profiled: pymongo.database.Database[dict[str, Any]] = client[database]

        def notes() -> list[dict[str, Any]]:
            profiled.command("profile", 0)
            found = list(profiled["system.profile"].find({"planSummary": {"$exists": True}, "appName": "ringback"}))
            profiled["system.profile"].drop()
            profiled.command("profile", 2)
            return found

        notes()
        yield notes
        profiled.command("profile", 0)
