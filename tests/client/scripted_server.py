"""A real WebSocket server that says what a test says: each connection of a client is a `Visit`."""

from __future__ import annotations

import asyncio
import http
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from tests.client.still_clock import PATIENCE_S

ALICE = {"id": "u-alice", "username": "alice", "display_name": "Alice"}
BOB = {"id": "u-bob", "username": "bob", "display_name": "Bob"}
TIMESTAMP = "2026-11-20T05:12:07.345Z"


class Visit:
    """One connection as the server sees it.

    Attributes:
        connection: the connection of the `websockets` library.
        path: the path of the request, without its query.
        query: the query, each field once.
    """

    def __init__(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.connection = connection
        self.headers = connection.request.headers
        address = urlsplit(connection.request.path)
        self.path = address.path
        self.query = {name: values[0] for name, values in parse_qs(address.query).items()}

    async def receive(self) -> dict[str, Any]:
        """The client's next frame."""
        async with asyncio.timeout(PATIENCE_S):
            return msgspec.json.decode(await self.connection.recv(), type=dict[str, Any])

    async def say(self, frame_type: str, **fields: Any) -> None:
        """Send a frame; `from_` stands for `from`."""
        fields = {name.rstrip("_"): value for name, value in fields.items()}
        frame = {"type": frame_type, "timestamp": TIMESTAMP, **fields}
        await self.connection.send(msgspec.json.encode(frame).decode())

    async def let_in(self, connection_id: str = "c-1", epoch: str = "e-1", **fields: Any) -> dict[str, Any]:
        """Take the `auth` frame, answer `connected`, and return the `auth`."""
        auth = await self.receive()
        await self.say_connected(connection_id, epoch, **fields)
        return auth

    async def say_connected(self, connection_id: str = "c-1", epoch: str = "e-1", **fields: Any) -> None:
        """Say `connected`: a heartbeat of 25 s with a time-out of 10 s, frames of 1,000 bytes at most."""
        defaults: dict[str, Any] = {
            "user": ALICE,
            "heartbeat": {"interval_s": 25, "timeout_s": 10},
            "resume": {"window_s": 120},
            "limits": {"max_frame_bytes": 1_000},
            "snapshot": {},
        }
        await self.say("connected", connection_id=connection_id, epoch=epoch, **defaults | fields)

    async def ack(self, frame: dict[str, Any], **result: Any) -> None:
        """Answer a frame."""
        await self.say("ack", id=frame["id"], **result)

    async def bye(self, code: int, reason: str = "", **fields: Any) -> None:
        """Announce a close and close."""
        await self.say("bye", code=code, **fields)
        await self.close(code, reason)

    async def close(self, code: int, reason: str = "") -> None:
        """Close without announcing it."""
        await self.connection.close(code, reason)

    def cut(self) -> None:
        """Be gone, without a close frame."""
        self.connection.transport.abort()

    async def left(self) -> int | None:
        """Wait until the client has gone; the close code it sent, None without one."""
        async with asyncio.timeout(PATIENCE_S):
            await self.connection.wait_closed()
        received = self.connection.protocol.close_rcvd
        return received.code if received else None


class ScriptedServer:
    """Listens on a free port; `visit()` is the next connection of a client.

    Attributes:
        refuse_with: answer upgrades with this status and these headers instead of 101, one entry each.
        visits: how many connections there were.
    """

    def __init__(self) -> None:
        self.refuse_with: list[tuple[int, dict[str, str]]] = []
        self.visits = 0
        self._arrived: asyncio.Queue[Visit] = asyncio.Queue()
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._handle, "127.0.0.1", 0, process_request=self._answer_upgrade, ping_interval=None, close_timeout=1
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where a socket can be opened."""
        assert self._server is not None
        host, port = next(iter(self._server.sockets)).getsockname()
        return f"ws://{host}:{port}/api/v1/ws/user"

    async def visit(self) -> Visit:
        """The next connection."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._arrived.get()

    async def _handle(self, connection: ServerConnection) -> None:
        self.visits += 1
        self._arrived.put_nowait(Visit(connection))
        await connection.wait_closed()

    def _answer_upgrade(self, connection: ServerConnection, request: Request) -> Response | None:
        if not self.refuse_with:
            return None
        status, headers = self.refuse_with.pop(0)
        response = connection.respond(http.HTTPStatus(status), "")
        response.headers.update(headers)
        return response
