"""``ringback sweep``: calls past their deadline end, once, whoever looks."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partialmethod
from typing import Any

import pytest

from server.calls.model import Call
from server.settings import MongoSettings
from server.store.calls import CallStore
from server.store.driver import connect
from tests.cli.shell import Shell
from tests.helpers import person, placed

HOUR_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
IN_AN_HOUR = HOUR_AGO + timedelta(hours=2)
Calls = Callable[[Callable[[CallStore], Coroutine[Any, Any, Any]]], Any]


@pytest.fixture
def calls(mongo_uri: str, database: str) -> Calls:
    """Does something with the stored calls: ``calls(lambda store: store.get(call_id))``."""

    def do(work: Callable[[CallStore], Coroutine[Any, Any, Any]]) -> Any:
        async def connected() -> Any:
            connection = connect(MongoSettings(database=database), mongo_uri)
            try:
                return await work(CallStore(connection))
            finally:
                connection.close()

        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(connected())

    return do


def ringing(calls: Calls, count: int = 1, since: datetime = HOUR_AGO) -> list[str]:
    """The ids of stored calls that have rung ``since`` then; each is between two people of its own."""
    made = [placed(person(f"callee-{n}"), caller=person(f"caller-{n}"), now=since) for n in range(count)]

    async def insert(store: CallStore) -> None:
        for call in made:
            await store.insert(call)

    calls(insert)
    return [call.call_id for call in made]


def stored(calls: Calls, call_id: str) -> Call:
    """A call as it is stored now."""
    call = calls(lambda store: store.get(call_id))
    assert isinstance(call, Call)
    return call


def test_ends_the_calls_past_their_deadline(shell: Shell, calls: Calls) -> None:
    call_ids = ringing(calls, 2)
    assert shell("sweep").stdout == "2 calls past the deadline ended\n"
    assert [stored(calls, call_id).end_reason for call_id in call_ids] == ["no_answer", "no_answer"]


def test_says_it_in_the_singular(shell: Shell, calls: Calls) -> None:
    ringing(calls)
    assert shell("sweep").stdout == "1 call past the deadline ended\n"


def test_leaves_a_call_alone_that_has_time(shell: Shell, calls: Calls) -> None:
    (call_id,) = ringing(calls, since=IN_AN_HOUR)
    assert shell("sweep").stdout == "0 calls past the deadline ended\n"
    assert stored(calls, call_id).state == "inviting"


def test_changes_nothing_the_second_time(shell: Shell, calls: Calls) -> None:
    (call_id,) = ringing(calls)
    shell("sweep")
    after = stored(calls, call_id)
    assert shell.json("sweep") == {"dry_run": False, "overdue": [], "ended": 0}
    assert stored(calls, call_id) == after


def test_only_shows_them_in_a_dry_run(shell: Shell, calls: Calls) -> None:
    (call_id,) = ringing(calls)
    assert shell("sweep", "--dry-run").stdout.splitlines()[-1].split()[:2] == [call_id, "inviting"]
    assert shell.json("sweep", "--dry-run") == {"dry_run": True, "overdue": [call_id], "ended": 0}
    assert stored(calls, call_id).state == "inviting"


def test_says_in_a_dry_run_that_there_are_none(shell: Shell) -> None:
    assert shell("sweep", "--dry-run").stdout == "No call is past its deadline\n"


def test_prints_json(shell: Shell, calls: Calls) -> None:
    (call_id,) = ringing(calls)
    assert shell.json("sweep") == {"dry_run": False, "overdue": [call_id], "ended": 1}


def test_ends_more_calls_than_one_look_finds(shell: Shell, calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CallStore, "due", partialmethod(CallStore.due, limit=2))
    ringing(calls, 5)
    assert shell.json("sweep")["ended"] == 5


def test_ends_each_call_once_while_the_server_does_the_same(shell: Shell, calls: Calls) -> None:
    with shell.serving(settings={"jobs.sweep_interval_s": 0.05}) as server:
        server.send(signal.SIGSTOP)
        call_ids = ringing(calls, 200)
        server.send(signal.SIGCONT)
        ended_here = shell.json("sweep")["ended"]

        def ended_there(log: list[dict[str, Any]]) -> list[str]:
            return [line["call_id"] for line in log if line["event"] == "call_changed"]

        server.wait_for(lambda log: len(ended_there(log)) >= len(call_ids) - ended_here)
        server.stop()
        assert len(set(ended_there(server.log))) == len(ended_there(server.log)) == len(call_ids) - ended_here
    assert {stored(calls, call_id).rev for call_id in call_ids} == {2}
