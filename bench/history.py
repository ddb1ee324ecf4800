"""``python -m bench.history``: one person with a million calls, and how long each look into their history takes.

A MongoDB of its own is filled, then a whole server on it is asked, one request after the other: the service alone
(MongoDB and the making of calls out of documents), and over HTTP, JSON and all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import secrets
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import uvloop
from rich.console import Console
from rich.table import Table
from tornado.httpclient import AsyncHTTPClient

from bench.peers import percentile
from server.app import Server, open_database
from server.calls import rules
from server.calls.model import Call
from server.config import load_settings
from server.log import configure
from server.realtime.frames import UserRef
from server.store.calls import document_of
from server.store.driver import Database, Document
from tests.conftest import CHEAP_HASHING
from tests.helpers import active, answered, placed
from tests.running import QUIET, MovableClock, Person, Running

CALLS = 1_000_000
PEOPLE = 1_000
PAGE = 50
DEEP_PAGE = 10_000
UNREAD = 1_000
BATCH = 5_000  # documents that are stored at once
AT_ONCE = 3  # batches under way
TIMES = 300  # each look is taken so often
SPAN = timedelta(days=5 * 365)
"""The time in which the calls were made: one every two and a half minutes."""

Look = Callable[[], Awaitable[object]]


class Row(NamedTuple):
    """How long one kind of look took, in milliseconds."""

    name: str
    service_ms: list[float]
    http_ms: list[float]


class Filled(NamedTuple):
    """What is in the database: how many calls, and the id of the last one on the page before the deep one."""

    calls: int
    deep: str
    seconds: float


def call_id_at(moment: datetime, chance: random.Random) -> str:
    """A UUIDv7 (RFC 9562, section 5.7) of that moment."""
    made = f"{int(moment.timestamp() * 1000):012x}"
    rest = f"{chance.getrandbits(74):019x}"
    return f"{made[:8]}-{made[8:]}-7{rest[:3]}-8{rest[3:6]}-{rest[6:18]}"


def patterns(me: UserRef, other: UserRef, now: datetime) -> list[Document]:
    """The documents of calls as they end: talked both ways, missed both ways, declined."""
    calls = [
        rules.hang_up(active(answered(placed(other, caller=me, now=now), by=other, now=now), now), me.id, now),
        rules.hang_up(active(answered(placed(me, caller=other, now=now), by=me, now=now), now), me.id, now),
        rules.cancel(placed(other, caller=me, now=now), me.id, now),
        rules.cancel(placed(me, caller=other, now=now), other.id, now),
        rules.decline(placed(other, caller=me, now=now), other.id, now),
    ]
    return [_seen(call) for call in calls]


def _seen(call: Call) -> Document:
    document = document_of(call)
    document["history"] = [token for token in document["history"] if not token.endswith(":unread")]
    return document


def documents(me: UserRef, others: list[UserRef], number: int) -> Iterator[Document]:
    """So many calls of ``me``, oldest first, with everybody in turn by chance."""
    chance = random.Random(1)
    now = datetime.now(UTC)
    made = [document for other in others for document in patterns(me, other, now)]
    for index in range(number):
        at = now - SPAN + SPAN * (index / number)
        yield chance.choice(made) | {"_id": call_id_at(at, chance), "created_at": at}


async def fill(database: Database, me: UserRef, others: list[UserRef], number: int) -> Filled:
    """Stores the calls, past the server: it would take an hour."""
    collection = database.collection("calls")
    deep_at, deep, began = number - (DEEP_PAGE - 1) * PAGE, "", time.perf_counter()
    batch: list[Document] = []
    storing: deque[asyncio.Task[None]] = deque()
    for index, document in enumerate(documents(me, others, number)):
        if index == max(0, deep_at):
            deep = document["_id"]
        batch.append(document)
        if len(batch) == BATCH or index == number - 1:
            storing.append(asyncio.create_task(collection.insert_all(batch)))
            batch = []
            # While these are stored the next are made.
            await (storing.popleft() if len(storing) > AT_ONCE else asyncio.sleep(0))
    await asyncio.gather(*storing)
    newest = await collection.find(
        {"history": f"{me.id}:missed"}, sort=[("_id", -1)], limit=UNREAD, fields=["_id"], hint="history"
    )
    ids = [document["_id"] for document in newest]
    await collection.update_all({"_id": {"$in": ids}}, {"$push": {"history": f"{me.id}:unread"}})
    return Filled(number, deep, time.perf_counter() - began)


async def timed_ms(look: Look, times: int) -> list[float]:
    """Milliseconds of each of so many looks, one after the other, the first of them not counted."""
    await look()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await look()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


async def measure(running: Running, me: Person, filled: Filled, times: int) -> list[Row]:
    """Every look there is."""
    wanted: dict[str, dict[str, str]] = {
        "first page": {},
        f"page {DEEP_PAGE:,}": {"before": filled.deep},
        "missed": {"filter": "missed"},
        "incoming": {"filter": "incoming"},
        "outgoing": {"filter": "outgoing"},
        "ended": {"state": "ended"},
        "search: 1 person": {"q": "person-0500"},
        "search: 100 people": {"q": "person"},
        "search: 100 people, missed": {"q": "person", "filter": "missed"},
        f"search: 100 people, page {DEEP_PAGE:,}": {"q": "person", "before": filled.deep},
    }
    rows = []
    for name, query in wanted.items():
        rows.append(
            Row(
                name,
                await timed_ms(lambda query=query: page(running, me, query), times),  # type: ignore[misc]
                await timed_ms(lambda query=query: get(me, query), times),  # type: ignore[misc]
            )
        )
    unread = await timed_ms(lambda: running.services.histories.unread(me.id), times)
    return [*rows, Row(f"count of {UNREAD:,} unread", unread, [])]


async def page(running: Running, me: Person, query: dict[str, str]) -> None:
    """One look by the service."""
    found = await running.services.histories.page(
        me.id,
        limit=PAGE,
        kind=query.get("filter", "all"),  # type: ignore[arg-type]
        text=query.get("q", ""),
        state=query.get("state"),
        before=query.get("before"),
    )
    assert found.entries


async def get(me: Person, query: dict[str, str]) -> None:
    """The same over HTTP."""
    answer = await me.api("GET", f"/calls?{urlencode(query)}")
    assert answer.status == 200, answer


async def removing(me: Person, running: Running, times: int) -> list[Row]:
    """What is done to the history, each once a call that is there."""
    entries = (await running.services.histories.page(me.id, limit=100)).entries
    ids = iter([entry.call.call_id for entry in entries])

    async def remove() -> None:
        answer = await me.api("DELETE", f"/calls/{next(ids)}")
        assert answer.status == 204, answer

    removed = await timed_ms(remove, min(times, 90))
    began = time.perf_counter()
    assert (await me.api("POST", "/calls/seen", {})).status == 200
    return [Row("remove one", [], removed), Row("mark all as seen", [], [(time.perf_counter() - began) * 1000])]


def table_of(rows: list[Row], filled: Filled) -> Table:
    """The figures as people read them."""
    table = Table(title=f"{datetime.now(UTC):%Y-%m-%d}, {filled.calls:,} calls of one person, pages of {PAGE}")
    for column in ("look", "service p50 ms", "p99 ms", "HTTP p50 ms", "p99 ms"):
        table.add_column(column, justify="left" if column == "look" else "right")
    for row in rows:
        figures = [
            f"{percentile(values, share):.1f}" if values else "–"
            for values in (row.service_ms, row.http_ms)
            for share in (0.5, 0.99)
        ]
        table.add_row(row.name, *figures)
    return table


async def run(options: argparse.Namespace) -> None:
    """Fills, measures, prints."""
    with tempfile.TemporaryDirectory() as folder:
        own = {
            "server.port": 0,
            "server.data_dir": folder,
            "auth.secret": secrets.token_urlsafe(32),
            "mongo.timeout_ms": 60_000,  # for the filling
        }
        settings = load_settings(None, {}, QUIET | CHEAP_HASHING | own)
        async with open_database(settings, Path(folder)) as database:
            clock = MovableClock()
            server = Server(settings, database, settings.auth.secret, clock=clock)
            running = Running(server, clock, AsyncHTTPClient(force_instance=True))
            await running.start()
            me = await running.person("me")
            others = [await running.services.accounts.add(f"person-{n:04}", "some password") for n in range(PEOPLE)]
            filled = await fill(database, me.user.ref, [user.ref for user in others], options.calls)
            print(f"filled in {filled.seconds:.0f} s", flush=True)
            me = await running.device(me.user)  # the sign-in of before may have run out
            rows = await measure(running, me, filled, options.times) + await removing(me, running, options.times)
            await running.stop()
    Console(width=100).print(table_of(rows, filled))
    if options.json:
        print(json.dumps([as_json(row) for row in rows]))


def as_json(row: Row) -> dict[str, Any]:
    """One row for programs."""
    return {
        "look": row.name,
        "service_ms": {"p50": percentile(row.service_ms, 0.5), "p99": percentile(row.service_ms, 0.99)},
        "http_ms": {"p50": percentile(row.http_ms, 0.5), "p99": percentile(row.http_ms, 0.99)},
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=CALLS, help=f"how many calls (default {CALLS:,})")
    parser.add_argument("--times", type=int, default=TIMES, help=f"how often each look is taken (default {TIMES})")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, too")
    options = parser.parse_args()
    configure("error", "json")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(options))


if __name__ == "__main__":
    main()
