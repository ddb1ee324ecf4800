"""A network that misbehaves: a TCP proxy before a server, with the faults that a test asks for.

Each connection through it is a :class:`Link` of two :class:`Way`s. What is set on them holds for the bytes that come
from then on; `Proxy.prepare` sees each new link before its first byte.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from enum import Enum, auto
from typing import Any

CHUNK_BYTES = 65_536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: ``close`` sends a RST (socket(7))."""

Stop = Callable[[bytes], "int | None"]
"""Asked about all that passes: None lets it through; a number lets so many bytes of it through and ends the link."""


class End(Enum):
    """How a link ends."""

    CUT = auto()  # both sides see the end of the stream
    RESET = auto()  # both sides see a RST
    HALF_OPEN = auto()  # the client sees the end; the server sees nothing, and what it says is lost


class Way:
    """One direction of a link."""

    def __init__(self) -> None:
        self.latency_s = 0.0  # how long each chunk is held back
        self.slice_bytes = CHUNK_BYTES  # into how large pieces it is cut
        self.black_hole = False  # everything is swallowed, the end of the stream too
        self.stop: Stop | None = None
        self.carried = bytearray()  # what has arrived on the other side


class Link:
    """One connection of a client's through the proxy to the server."""

    def __init__(self, client: socket.socket, server: socket.socket, end: End) -> None:
        self.up, self.down = Way(), Way()
        self.end_as = end  # what a ``stop`` does
        self._client, self._server = client, server
        self._ending: asyncio.Future[End] = asyncio.get_running_loop().create_future()

    def end(self, how: End) -> None:
        """Ends the link; nothing passes any more."""
        self.up.black_hole = self.down.black_hole = True
        if not self._ending.done():
            self._ending.set_result(how)

    async def run(self) -> None:
        """Carries until both sides have ended, or the link is ended."""
        up = asyncio.create_task(self._carry(self._client, self._server, self.up))
        down = asyncio.create_task(self._carry(self._server, self._client, self.down))
        both = asyncio.create_task(_all_done(up, down))
        over: list[asyncio.Future[Any]] = [both, self._ending]
        try:
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
            await _cancelled(up)
            if self._how() is End.HALF_OPEN:
                self._client.close()
                await asyncio.wait([down])  # the server hangs up in its own time
        finally:
            await _cancelled(up, down, both)
            self.close()

    def close(self) -> None:
        """Closes both sockets."""
        for end in (self._client, self._server):
            if self._how() is End.RESET and end.fileno() >= 0:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            end.close()

    def _how(self) -> End | None:
        return self._ending.result() if self._ending.done() else None

    async def _carry(self, source: socket.socket, sink: socket.socket, way: Way) -> None:
        loop = asyncio.get_running_loop()
        try:
            while data := await loop.sock_recv(source, CHUNK_BYTES):
                if way.latency_s:
                    await asyncio.sleep(way.latency_s)
                if not way.black_hole:
                    await self._pass_on(data, sink, way)
            if not way.black_hole:
                sink.shutdown(socket.SHUT_WR)
        except OSError:  # one side is gone, and not in peace: the other one learns of it in the same way
            if not way.black_hole:
                self.end(End.RESET)

    async def _pass_on(self, data: bytes, sink: socket.socket, way: Way) -> None:
        room = way.stop(data) if way.stop else None
        passing = data[:room]
        for at in range(0, len(passing), way.slice_bytes):
            await asyncio.get_running_loop().sock_sendall(sink, passing[at : at + way.slice_bytes])
            if way.slice_bytes < CHUNK_BYTES:
                await asyncio.sleep(0)  # the other side may read this piece alone
        way.carried += passing
        if room is not None:
            self.end(self.end_as)


class Proxy:
    """Listens on ``port`` and carries everything to the server's; ``links`` are all there have been, oldest first."""

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self.links: list[Link] = []
        self.prepare: Callable[[Link], None] = lambda link: None
        self.end_as = End.CUT  # for links to come
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begins to listen."""
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._begin(self._accept())

    async def stop(self) -> None:
        """Ends everything."""
        await _cancelled(*self._tasks)
        for link in self.links:
            link.close()  # one that has not begun to run, too
        self._listener.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(self._listener)
            server = socket.socket()
            server.setblocking(False)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(client, server, self.end_as)
            self.links.append(link)
            try:
                await loop.sock_connect(server, ("127.0.0.1", self._server_port))
            except ConnectionRefusedError:
                link.close()
            else:
                self.prepare(link)
                self._begin(link.run())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _all_done(*tasks: asyncio.Task[None]) -> None:
    await asyncio.wait(tasks)


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
