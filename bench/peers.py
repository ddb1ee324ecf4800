"""The load generator's sockets: as little as a client can be, so that the server is what is measured."""

from __future__ import annotations

import asyncio
import os
import struct
import time
from collections.abc import Callable
from typing import cast

MASK = b"\x00\x00\x00\x00"
"""A mask of zeros is a legal mask (RFC 6455 §5.3) that costs the generator nothing."""


def frame(payload: bytes) -> bytes:
    """``payload`` as a masked text frame."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x81, 0x80 | size) + MASK + payload
    return struct.pack("!BBH", 0x81, 0xFE, size) + MASK + payload


class Peer(asyncio.Protocol):
    """One client: upgrades, waits for the first frame (``connected``), then hands each text frame to ``on_frame``."""

    def __init__(self, request: bytes, on_frame: Callable[[Peer, bytes], None]) -> None:
        self._request = request
        self._buffer = b""
        self.on_frame = on_frame
        self.connected: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._upgraded = False
        self.lost = False
        self.number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if not self.connected.done():
            self.connected.set_exception(error or ConnectionError("closed before connected"))

    def send(self, payload: bytes) -> None:
        """Sends one text frame."""
        self.transport.write(frame(payload))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        start = 0
        if not self._upgraded:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = buffer
                return
            if not buffer.startswith(b"HTTP/1.1 101"):
                self.connected.set_exception(ConnectionError(buffer[:80].decode(errors="replace")))
                return
            self._upgraded, start = True, end + 4
        size = len(buffer)
        while size - start >= 2:
            opcode, length, head = buffer[start] & 15, buffer[start + 1], 2
            if length == 126:
                if size - start < 4:
                    break
                length, head = int.from_bytes(buffer[start + 2 : start + 4], "big"), 4
            elif length == 127:
                if size - start < 10:
                    break
                length, head = int.from_bytes(buffer[start + 2 : start + 10], "big"), 10
            if size - start < head + length:
                break
            payload = buffer[start + head : start + head + length]
            start += head + length
            self._take(opcode, payload)
        self._buffer = buffer[start:]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 9:
            self.transport.write(struct.pack("!BB", 0x8A, 0x80 | len(payload)) + MASK + payload)
        elif opcode == 1:
            if self.connected.done():
                self.on_frame(self, payload)
            else:
                self.connected.set_result(payload)


async def connect(
    port: int, path: str, on_frame: Callable[[Peer, bytes], None], bearer: str = ""
) -> tuple[Peer, float]:
    """Opens one socket; returns it with the seconds from the TCP connection's start to its first frame."""
    authorization = f"Authorization: Bearer {bearer}\r\n" if bearer else ""
    key = "AAAAAAAAAAAAAAAAAAAAAA=="
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{authorization}\r\n"
    ).encode()
    began = time.perf_counter()
    _, peer = await asyncio.get_running_loop().create_connection(lambda: Peer(request, on_frame), "127.0.0.1", port)
    await peer.connected
    return peer, time.perf_counter() - began


class Process:
    """What the kernel says of the server under test."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def cpu_s(self) -> float:
        """Seconds of processor time of all its threads."""
        total = 0
        for thread in os.listdir(f"/proc/{self._pid}/task"):
            with open(f"/proc/{self._pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def resident_kib(self) -> float:
        """Resident memory in KiB."""
        with open(f"/proc/{self._pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` (0–1) of ``values`` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
