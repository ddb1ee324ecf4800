"""A client's end of one socket, as thin as it can be: frames as they come, and how it ended."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

Frame = dict[str, Any]

PATIENCE_S = 10.0
"""Far longer than anything takes here: a frame that has not come by then will not come."""


class Closing(NamedTuple):
    """How a socket ended: the ``bye`` before it, if there was one, and the close frame (1006: there was none)."""

    bye: Frame | None
    code: int
    reason: str


class Peer:
    """One socket. ``frames`` are all that came, in order; ``connected`` is the frame of that name."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Frame] = []
        self.texts: list[str] = []  # the same, as they came over the wire
        self._unread: list[Frame] = []
        self._requests = 0

    @classmethod
    async def connect(cls, url: str, *, headers: dict[str, str] | None = None, origin: str | None = None) -> Peer:
        """Upgrades; raises what ``websockets`` raises where the answer is not a 101."""
        socket = await connect(
            url,
            additional_headers=headers,
            origin=None if origin is None else Origin(origin),
            compression=None,
            proxy=None,
            ping_interval=None,
            max_queue=None,  # frames that nobody has asked for do not hold up the close
            max_size=None,
            open_timeout=PATIENCE_S,
        )
        return cls(socket)

    @property
    def connected(self) -> Frame:
        """What the socket was greeted with."""
        return next(frame for frame in self.frames if frame["type"] == "connected")

    @property
    def connection_id(self) -> str:
        """The session that this socket carries."""
        return str(self.connected["connection_id"])

    @property
    def last_seq(self) -> int:
        """The number of the last frame that has one."""
        return max((frame["seq"] for frame in self.frames if "seq" in frame), default=0)

    @property
    def leg_id(self) -> str:
        """In a room: the own leg."""
        return str(self.connected["snapshot"]["leg_id"])

    # ── frames ──

    async def next(self, kind: str, **fields: Any) -> Frame:
        """The first unread frame of that type, with those fields; what came before it stays unread."""
        seen = 0
        while True:
            for frame in self._unread[seen:]:
                if frame["type"] == kind and all(frame.get(name) == value for name, value in fields.items()):
                    self._unread.remove(frame)
                    return frame
            seen = len(self._unread)
            await self._receive(f"{kind} {fields or ''}")

    async def next_of(self, *kinds: str) -> Frame:
        """The first unread frame of one of these types."""
        while True:
            for frame in self._unread:
                if frame["type"] in kinds:
                    self._unread.remove(frame)
                    return frame
            await self._receive(" or ".join(kinds))

    async def settled(self) -> list[str]:
        """The types of all unread frames, once everything that was sent before now has come."""
        await self.request("ping")
        return self.unread

    @property
    def unread(self) -> list[str]:
        """The types of the frames that nobody has asked for, but ``pong``."""
        return [frame["type"] for frame in self._unread if frame["type"] != "pong"]

    def forget(self) -> None:
        """What has come until now does not matter."""
        self._unread.clear()

    async def send(self, kind: str, **fields: Any) -> None:
        """Sends one frame."""
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def send_text(self, text: str) -> None:
        """Sends ``text`` as it is."""
        await self.socket.send(text)

    async def request(self, kind: str, id: str | None = None, **fields: Any) -> Frame:
        """Sends a frame with an ``id`` and returns its ``ack`` or ``error``."""
        self._requests += 1
        id = id or f"{kind}-{self._requests}"
        await self.send(kind, id=id, **fields)
        return await self.answer_to(id)

    async def answer_to(self, id: str) -> Frame:
        """The ``ack`` or ``error`` for the frame ``id``."""
        while True:
            for frame in self._unread:
                if frame["type"] in ("ack", "error") and frame.get("id") == id:
                    self._unread.remove(frame)
                    return frame
            await self._receive(f"the answer to {id}")

    async def _receive(self, wanted: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                text = await self.socket.recv()
        except (TimeoutError, ConnectionClosed) as error:
            came = [frame["type"] for frame in self.frames]
            raise AssertionError(f"{wanted} did not come ({error!r}); what came: {came}") from None
        assert isinstance(text, str)
        self.texts.append(text)
        self.frames.append(json.loads(text))
        self._unread.append(self.frames[-1])

    # ── the end ──

    async def closed(self) -> Closing:
        """Waits until the server has closed the socket."""
        while True:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    text = await self.socket.recv()
            except ConnectionClosed:
                break
            except TimeoutError:
                raise AssertionError(f"still open; what came: {[frame['type'] for frame in self.frames]}") from None
            assert isinstance(text, str)
            self.texts.append(text)
            self.frames.append(json.loads(text))
            self._unread.append(self.frames[-1])
        bye = self.frames[-1] if self.frames and self.frames[-1]["type"] == "bye" else None
        return Closing(bye, self.socket.close_code or 1006, self.socket.close_reason or "")

    async def close(self, code: int = 1000) -> None:
        """Closes the socket as a client that is done."""
        await self.socket.close(code)

    def cut(self) -> None:
        """Cuts the TCP connection, without a close frame."""
        self.socket.transport.abort()
