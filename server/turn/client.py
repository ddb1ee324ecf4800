"""A client of one STUN or TURN server, step by step; aioice speaks the protocol (RFC 8489, RFC 8656).

Each method that asks the server something raises :class:`aioice.stun.TransactionFailed` with its error code when it
refuses, and waits for ever when it does not answer: who asks sets the deadline.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, NamedTuple

from aioice import stun
from aioice.turn import (
    DEFAULT_ALLOCATION_LIFETIME,
    DEFAULT_CHANNEL_REFRESH_TIME,
    TurnClientTcpProtocol,
    TurnClientUdpProtocol,
)

from server.turn.address import Transport
from server.turn.credentials import Credentials

Endpoint = tuple[str, int]


class Allocation(NamedTuple):
    """What a TURN server has given: ``relayed`` is where others send to, ``mapped`` where it sees us."""

    relayed: Endpoint
    mapped: Endpoint


class _UdpLine(TurnClientUdpProtocol):
    """Remembers that the other machine said that nobody listens there."""

    refused = False

    def error_received(self, exc: Exception) -> None:
        self.refused = self.refused or isinstance(exc, ConnectionRefusedError)


class _Received(asyncio.DatagramProtocol):
    """Keeps what arrives, with whom it is from, until somebody asks."""

    def __init__(self) -> None:
        self.packets: asyncio.Queue[tuple[bytes, Endpoint]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.packets.put_nowait((data, (addr[0], addr[1])))


class TurnClient:
    """One connection to a STUN or TURN server, with at most one allocation on it. ``open`` makes it."""

    def __init__(self, protocol: _UdpLine | TurnClientTcpProtocol) -> None:
        self._protocol = protocol
        self._received = _Received()
        protocol.receiver = self._received

    @classmethod
    async def open(
        cls,
        server: Endpoint,
        transport: Transport,
        credentials: Credentials | None = None,
        *,
        tls_name: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> TurnClient:
        """Connects, which by UDP tells nobody anything yet; ``tls`` judges a certificate, which is for ``tls_name``.

        Raises OSError (ConnectionRefusedError, ssl.SSLError and so on), NotImplementedError for DTLS.
        """
        options: dict[str, Any] = {
            "username": credentials.username if credentials else None,
            "password": credentials.password if credentials else None,
            "lifetime": DEFAULT_ALLOCATION_LIFETIME,
            "channel_refresh_time": DEFAULT_CHANNEL_REFRESH_TIME,
        }
        loop = asyncio.get_running_loop()
        protocol: _UdpLine | TurnClientTcpProtocol
        match transport:
            case "udp":
                _, protocol = await loop.create_datagram_endpoint(lambda: _UdpLine(server, **options), None, server)
            case "tcp":
                _, protocol = await loop.create_connection(lambda: TurnClientTcpProtocol(server, **options), *server)
            case "tls":
                _, protocol = await loop.create_connection(
                    lambda: TurnClientTcpProtocol(server, **options),
                    *server,
                    ssl=tls or ssl.create_default_context(),
                    server_hostname=tls_name or server[0],
                )
            case "dtls":
                raise NotImplementedError("TURN over DTLS")
        return cls(protocol)

    @property
    def was_refused(self) -> bool:
        """Whether the other machine said, to a UDP packet, that nobody listens there."""
        return isinstance(self._protocol, _UdpLine) and self._protocol.refused

    @property
    def is_cut_off(self) -> bool:
        """Whether the connection is gone."""
        return self._protocol.transport.is_closing()

    async def where_am_i(self) -> Endpoint:
        """The address from which the server sees us (a STUN binding)."""
        answer = await self._ask(stun.Method.BINDING)
        return _endpoint(answer, "XOR-MAPPED-ADDRESS")

    async def allocate(self) -> Allocation:
        """An address on the relay."""
        relayed = await self._protocol.connect()
        assert self._protocol.mapped_address is not None  # aioice refuses an answer without it
        return Allocation(relayed, self._protocol.mapped_address)

    async def permit(self, peer: Endpoint) -> None:
        """Lets packets from the host of ``peer`` through, and opens a channel to it, as browsers do."""
        await self._ask(stun.Method.CREATE_PERMISSION, {"XOR-PEER-ADDRESS": peer})
        # aioice opens the channel with the first packet, and drops what comes from hosts to which it has none.
        await self.send(b"", peer)

    async def send(self, data: bytes, peer: Endpoint) -> None:
        """Has the relay send ``data`` to ``peer``."""
        await self._protocol.send_data(data, peer)

    async def receive(self) -> tuple[bytes, Endpoint]:
        """The next packet that came through the relay, and from whom."""
        return await self._received.packets.get()

    async def refresh(self) -> int:
        """Keeps the allocation; returns for how many seconds."""
        answer = await self._ask(stun.Method.REFRESH, {"LIFETIME": DEFAULT_ALLOCATION_LIFETIME})
        return int(answer.attributes["LIFETIME"])

    async def release(self) -> None:
        """Gives the allocation back."""
        await self._ask(stun.Method.REFRESH, {"LIFETIME": 0})

    def close(self) -> None:
        """Closes the connection; without ``release`` the server keeps the allocation until it runs out."""
        if self._protocol.refresh_task is not None:
            self._protocol.refresh_task.cancel()
        self._protocol.transport.close()

    async def _ask(self, method: stun.Method, attributes: dict[str, Any] | None = None) -> stun.Message:
        request = stun.Message(method, stun.Class.REQUEST, attributes=attributes)
        answer, _ = await self._protocol.request_with_retry(request)
        return answer


def _endpoint(answer: stun.Message, attribute: str) -> Endpoint:
    host, port = answer.attributes[attribute]
    return host, port
