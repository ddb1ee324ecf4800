"""A real server in the loop of a test, and what the people in that test do with it.

start      starts servers: `await start({"sockets.auth_timeout_s": 0.1})`
running    one that has started, with nothing special about it
stalling   a MongoDB of its own for servers that shall see it stall
database   as in :mod:`tests.conftest`, but quicker: emptied before each test, and not dropped after it
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop

from handlers.base import API
from server.app import Server
from server.clock import SystemClock
from server.services import Services
from server.settings import MongoSettings, Settings
from server.store.driver import connect
from server.store.embedded import EmbeddedMongo
from server.store.users import User
from tests.peer import PATIENCE_S, Peer

PASSWORD = "correct horse battery"

QUIET: dict[str, object] = {
    # A test that moves the clock past some other deadline does not want its sockets to be dead by then …
    "sockets.heartbeat_interval_s": 300,
    "sockets.call_heartbeat_interval_s": 300,
    "sockets.heartbeat_timeout_s": 300,
    # … and calls the jobs itself.
    "jobs.sweep_interval_s": 3600,
    "dialogues.round_s": 300,
    "dialogues.lease_s": 600,
    "people.presence_round_s": 60,
    "people.presence_lease_s": 120,
    "jobs.revocation_interval_s": 60,
    "jobs.record_flush_interval_s": 60,
    "tasks.poll_interval_s": 60,
}

# Databases that keep their indexes from test to test: to ask for all of them again is a third of a short test.
_PREPARED: set[tuple[str, str]] = set()

Start = Callable[..., Awaitable["Running"]]
Expect = Callable[[str], None]


class MovableClock(SystemClock):
    """The clock of this machine, which a test moves forward.

    It does not stand still, because MongoDB, which removes what has run out, goes by its own.
    """

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> datetime:
        """See :meth:`server.clock.Clock.now`."""
        return super().now() + timedelta(milliseconds=round(1000 * self._ahead_s))

    def monotonic(self) -> float:
        """See :meth:`server.clock.Clock.monotonic`."""
        return super().monotonic() + self._ahead_s

    def move(self, seconds: float) -> None:
        """Lets ``seconds`` pass at once."""
        self._ahead_s += seconds


class Answer(NamedTuple):
    """What came over HTTP."""

    status: int
    headers: HTTPHeaders
    body: bytes

    @property
    def document(self) -> Any:
        """The body, as JSON."""
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str:
        """The ``code`` of a problem."""
        return str(self.document["code"])


class Person:
    """Somebody who is signed in on one device."""

    def __init__(self, running: Running, user: User, sign_in_id: str) -> None:
        self.running = running
        self.user = user
        self.sign_in_id = sign_in_id
        self.access_token = self._issue("access")

    @property
    def id(self) -> str:
        """The user id."""
        return self.user.user_id

    def ws_token(self) -> str:
        """A token that opens one socket, once."""
        return self._issue("ws")

    def page_cookie(self) -> str:
        """What a browser that is signed in holds in ``ringback_session``."""
        return self._issue("page")

    def refresh_token(self, number: int = 1) -> str:
        """The refresh token of that number."""
        return self.running.services.sign_ins.tokens.issue("refresh", self.id, self.sign_in_id, number)

    def _issue(self, kind: Any) -> str:
        return self.running.services.sign_ins.tokens.issue(kind, self.id, self.sign_in_id)

    @property
    def bearer(self) -> dict[str, str]:
        """The header that signs a request in."""
        return {"Authorization": f"Bearer {self.access_token}"}

    # ── HTTP ──

    async def api(self, method: str, path: str, document: Any = None, **headers: str) -> Answer:
        """A request under the prefix, signed in."""
        return await self.running.api(method, path, document, **self.bearer, **headers)

    async def place(self, *usernames: str, media: str = "video", **fields: Any) -> dict[str, Any]:
        """Calls people and returns the call."""
        answer = await self.api("POST", "/calls", {"callees": usernames, "media": media, **fields})
        assert answer.status in (200, 201), answer
        call: dict[str, Any] = answer.document
        return call

    async def do(self, action: str, call: dict[str, Any]) -> Answer:
        """Answers, declines, cancels or hangs up over HTTP."""
        return await self.api("POST", f"/calls/{call['call_id']}/{action}")

    async def history(self) -> list[dict[str, Any]]:
        """The own calls, newest first."""
        items: list[dict[str, Any]] = (await self.api("GET", "/calls")).document["items"]
        return items

    # ── sockets ──

    async def open(self, path: str, **query: str) -> Peer:
        """A socket under the prefix, by bearer token; nothing has been received yet."""
        return await self.running.open(path, headers=self.bearer, **query)

    async def inbox(self, **query: str) -> Peer:
        """The device's own socket, once it is connected."""
        return await _connected(await self.open("/ws/user", **query))

    async def room(self, call: dict[str, Any], **query: str) -> Peer:
        """The socket of a call, once it is connected."""
        return await _connected(await self.open(f"/ws/call/{call['call_id']}", **query))

    async def again(self, peer: Peer) -> Peer:
        """Resumes what ``peer`` carried, from the last frame that it got."""
        path = peer.socket.request.path.partition("?")[0].removeprefix(API)  # type: ignore[union-attr]
        return await _connected(await self.open(path, resume=peer.connection_id, last_seq=str(peer.last_seq)))


async def _connected(peer: Peer) -> Peer:
    await peer.next("connected")
    return peer


class Running:
    """A server that listens on ``port``, and the way to it."""

    def __init__(self, server: Server, clock: MovableClock, http: AsyncHTTPClient) -> None:
        self.server = server
        self.clock = clock
        self.port = 0
        self._http = http

    @property
    def services(self) -> Services:
        """The parts of the server."""
        return self.server.services

    @property
    def origin(self) -> str:
        """The origin of its own pages."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self, *, is_first: bool) -> None:
        """Makes the indexes and listens. The first server of a test finds nothing but indexes."""
        if not is_first:
            await self.server.prepare()
        self.port = await self.server.start()

    async def stop(self) -> None:
        """Stops the server; whatever is still open is closed by it."""
        await self.server.stop(within_s=2.0)
        self.services.database.close()

    # ── people ──

    async def person(self, username: str, **account: Any) -> Person:
        """Somebody new, signed in."""
        user = await self.services.accounts.add(username, PASSWORD, **account)
        return await self.device(user)

    async def people(self, *usernames: str) -> list[Person]:
        """Several new people, each signed in."""
        return [await self.person(username) for username in usernames]

    async def device(self, user: User, label: str = "a device") -> Person:
        """One more device of somebody."""
        sign_in = await self.services.sign_ins.begin(user, label)
        return Person(self, user, sign_in.sign_in_id)

    # ── HTTP ──

    async def fetch(
        self, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Any request, as it is; redirects are not followed."""
        request = HTTPRequest(
            f"{self.origin}{path}",
            method,
            headers=HTTPHeaders(dict(headers or {})),
            body=body,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            decompress_response=False,
        )
        response: HTTPResponse = await self._http.fetch(request, raise_error=False)
        return Answer(response.code, response.headers, response.body or b"")

    async def api(self, method: str, path: str, document: Any = None, **headers: str) -> Answer:
        """A request under the prefix; ``document`` is sent as JSON."""
        body = None
        if document is not None:
            body = msgspec.json.encode(document)
            headers.setdefault("Content-Type", "application/json")
        return await self.fetch(method, API + path, body, headers)

    # ── sockets ──

    def ws_url(self, path: str, **query: str) -> str:
        """The address of a socket under the prefix."""
        return f"ws://127.0.0.1:{self.port}{API}{path}" + (f"?{urlencode(query)}" if query else "")

    async def open(
        self, path: str, *, headers: dict[str, str] | None = None, origin: str | None = None, **query: str
    ) -> Peer:
        """A socket under the prefix; nothing has been received yet."""
        return await Peer.connect(self.ws_url(path, **query), headers=headers, origin=origin)

    # ── waiting ──

    async def until(self, is_so: Callable[[], bool], wanted: str = "") -> None:
        """Waits until something that nobody is told of has happened within the server; ``wanted`` says what."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not is_so():
                    await asyncio.sleep(0.001)
        except TimeoutError:
            raise AssertionError(f"it did not come to that: {wanted}") from None

    async def until_away(self, *peers: Peer) -> None:
        """Waits until the server has noticed that these sockets, which were cut, are gone."""
        sessions = [self.services.hub.get(peer.connection_id) for peer in peers]
        await self.until(lambda: all(session is None or session.connection is None for session in sessions))

    # ── calls ──

    async def answered(self, caller: Person, callee: Person, **fields: Any) -> dict[str, Any]:
        """A call that was placed and answered; nobody is in the room yet."""
        call = await caller.place(callee.user.username, **fields)
        answer = await callee.do("answer", call)
        assert answer.status == 200, answer
        answered: dict[str, Any] = answer.document
        return answered

    async def both_in(self, caller: Person, callee: Person) -> tuple[dict[str, Any], Peer, Peer]:
        """A call that was answered, and its two rooms' ends, which know each other."""
        call = await self.answered(caller, callee)
        mine = await caller.room(call)
        theirs = await callee.room(call)
        await mine.next("join")
        return call, mine, theirs


@pytest.fixture(scope="session")
def _one_database(mongo_uri: str) -> Iterator[Database[Mapping[str, Any]]]:
    client: MongoClient[Mapping[str, Any]]
    with MongoClient(mongo_uri) as client:
        yield client["test_running"]


@pytest.fixture
def database(_one_database: Database[Mapping[str, Any]]) -> str:
    """The name of a database without documents. Its collections and indexes stay: to make them takes far longer."""
    return _emptied(_one_database)


def _emptied(database: Database[Mapping[str, Any]]) -> str:
    for name in _with_documents(database):
        database[name].delete_many({})
    return database.name


def _with_documents(database: Database[Mapping[str, Any]]) -> list[str]:
    """The collections that are not empty: two questions, where to empty each takes thirty."""
    names = database.list_collection_names(filter={"name": {"$not": {"$regex": "^system"}}})
    if not names:
        return []
    asked = {name: [{"$limit": 1}, {"$project": {"_id": False, "name": {"$literal": name}}}] for name in names}
    first, *others = names
    pipeline = asked[first] + [{"$unionWith": {"coll": name, "pipeline": asked[name]}} for name in others]
    return [str(found["name"]) for found in database[first].aggregate(pipeline)]


async def _prepared(chosen: Settings) -> None:
    """Makes the indexes where that was not done before, with all the time that it takes: tests of a database that hangs
    have servers that wait for nothing."""
    mongo = chosen.mongo
    if (mongo.uri, mongo.database) in _PREPARED:
        return
    patient = connect(MongoSettings(database=mongo.database, timeout_ms=20_000), mongo.uri)
    await Server(chosen, patient, chosen.auth.secret).prepare()
    patient.close()
    _PREPARED.add((mongo.uri, mongo.database))


@pytest.fixture
def http_client(io_loop: IOLoop) -> Iterator[AsyncHTTPClient]:
    """A client of its own for each test, for many requests at once."""

    async def make() -> AsyncHTTPClient:
        return AsyncHTTPClient(force_instance=True, max_clients=300)

    client: AsyncHTTPClient = io_loop.run_sync(make)
    yield client
    client.close()


@pytest.fixture
def start(
    io_loop: IOLoop,
    http_client: AsyncHTTPClient,
    settings: Callable[..., Settings],
    mongo_overrides: Mapping[str, object],
) -> Iterator[Start]:
    """Starts servers on the test's database; whatever they are told goes over `QUIET`."""
    started: list[Running] = []

    async def start_one(overrides: Mapping[str, object] | None = None) -> Running:
        chosen = settings(QUIET | dict(mongo_overrides) | dict(overrides or {}))
        await _prepared(chosen)
        clock = MovableClock()
        database = connect(chosen.mongo, chosen.mongo.uri)
        server = Running(Server(chosen, database, chosen.auth.secret, clock=clock), clock, http_client)
        started.append(server)
        await server.start(is_first=len(started) == 1)
        return server

    yield start_one
    for server in reversed(started):
        io_loop.run_sync(server.stop)


class StallingMongo:
    """A mongod that a test can bring to a halt: connections stay open, and nothing is answered."""

    def __init__(self, mongo: EmbeddedMongo, client: MongoClient[Mapping[str, Any]], uri: str) -> None:
        self._mongo = mongo
        self._client = client
        self._uri = uri

    def overrides(self, **settings: object) -> dict[str, object]:
        """What `start` takes for a server on it, with an empty database; ``settings`` are those of ``mongo``."""
        name = _emptied(self._client["test_stalling"])
        own = {f"mongo.{key}": value for key, value in settings.items()}
        return {"mongo.uri": self._uri, "mongo.database": name} | own

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Halts it for the time of the block."""
        pid = self._mongo.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)  # its threads do not halt at the same moment
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def holding_writes(self) -> Iterator[None]:
        """Lets reads through and holds up writes for the time of the block."""
        self._client.admin.command("fsync", lock=True)
        try:
            yield
        finally:
            self._client.admin.command("fsyncUnlock")


@pytest.fixture(scope="session")
def stalling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StallingMongo]:
    """One for the whole run, beside that of all the other tests."""
    mongo = EmbeddedMongo(tmp_path_factory.mktemp("stalling"))
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        uri = runner.run(mongo.start())
        client: MongoClient[Mapping[str, Any]]
        with MongoClient(uri) as client:
            yield StallingMongo(mongo, client, uri)
        runner.run(mongo.stop())


@pytest.fixture
def running(io_loop: IOLoop, start: Start) -> Running:
    """A server that has started."""
    server: Running = io_loop.run_sync(start)
    return server
