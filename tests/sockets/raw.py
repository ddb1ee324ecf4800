"""A WebSocket client that can do everything wrong: it sends the bytes it is given and reports the frames that come."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from types import TracebackType
from typing import NamedTuple

from tornado.util import _websocket_mask as apply_mask

from server.realtime.framing import CLOSE, FIN, MASK_BIT, OPCODE_BITS, RESERVED_BITS

MASK = b"\x37\xfa\x21\x3d"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Frame(NamedTuple):
    """A frame from the server; it is always whole, see :meth:`RawClient.read_frame`."""

    opcode: int
    payload: bytes


def masked(
    opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0, mask: bytes | None = MASK, form: int = 0
) -> bytes:
    """A client's frame. ``mask`` None leaves it unmasked; ``form`` 126 or 127 forces that form of the length."""
    length = len(payload)
    form = form or (length if length < 126 else 126 if length < 65536 else 127)
    extended = {126: ">H", 127: ">Q"}.get(form)
    head = bytes(((FIN if fin else 0) | reserved | opcode, (MASK_BIT if mask is not None else 0) | form))
    head += struct.pack(extended, length) if extended else b""
    return head + (payload if mask is None else mask + apply_mask(mask, payload))


def upgrade_request(path: str = "/", headers: dict[str, str | None] | None = None, version: str = "HTTP/1.1") -> bytes:
    """An upgrade request; ``headers`` adds some, replaces some, and takes away those that are None."""
    fields: dict[str, str | None] = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
    }
    fields.update(headers or {})
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"GET {path} {version}", *lines, "", ""]).encode()


class RawClient:
    """One connection. ``answer`` is the head of the server's answer to the upgrade."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.answer = ""

    @classmethod
    async def dial(cls, port: int, *, receive_buffer_bytes: int | None = None) -> RawClient:
        """Connects without saying anything; a small receive buffer makes it a slow reader."""
        sock = socket.socket()
        if receive_buffer_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return cls(*await asyncio.open_connection(sock=sock, limit=1 << 16))

    @classmethod
    async def connect(
        cls, port: int, path: str = "/", *, early: bytes = b"", receive_buffer_bytes: int | None = None
    ) -> RawClient:
        """Connects and upgrades; ``early`` is sent in one packet with the request."""
        client = await cls.dial(port, receive_buffer_bytes=receive_buffer_bytes)
        await client.request(upgrade_request(path) + early)
        assert client.status == 101, client.answer
        return client

    async def request(self, data: bytes) -> None:
        await self.send(data)
        self.answer = (await self._reader.readuntil(b"\r\n\r\n")).decode()

    @property
    def status(self) -> int:
        return int(self.answer.split(" ", 2)[1])

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def send_slowly(self, data: bytes, chunk_bytes: int = 1) -> None:
        """Sends ``data`` in pieces that arrive one by one."""
        for at in range(0, len(data), chunk_bytes):
            await self.send(data[at : at + chunk_bytes])
            await asyncio.sleep(0)

    async def read_frame(self) -> Frame:
        """The next frame. Fails for one that a server must not send: masked, fragmented, with reserved bits."""
        first, length = await self._reader.readexactly(2)
        assert first & FIN and not first & RESERVED_BITS and not length & MASK_BIT, (first, length)
        if length >= 126:
            length = int.from_bytes(await self._reader.readexactly(2 if length == 126 else 8), "big")
        return Frame(first & OPCODE_BITS, await self._reader.readexactly(length))

    async def read_close(self) -> tuple[int | None, str]:
        """Code and reason of the close frame that must come next."""
        opcode, payload = await self.read_frame()
        assert opcode == CLOSE, (opcode, payload[:80])
        return int.from_bytes(payload[:2], "big") if payload else None, payload[2:].decode()

    async def read_end(self) -> None:
        """Waits for the server to hang up. Fails for anything that comes before it; a RST raises ConnectionError."""
        assert await self._reader.read() == b""

    def stop_reading(self) -> None:
        """Reads nothing more, not even what it would otherwise read ahead."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]  # typed as a WriteTransport

    def read_on(self) -> None:
        """Reads again."""
        self._writer.transport.resume_reading()  # type: ignore[attr-defined]  # typed as a WriteTransport

    def shut_down_writing(self) -> None:
        self._writer.write_eof()

    def reset(self) -> None:
        """Cuts the connection with a RST."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def hang_up(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):  # the server was faster
            await self._writer.wait_closed()

    async def __aenter__(self) -> RawClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.hang_up()
