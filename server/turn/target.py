"""The server that a check-up is about: connections to it, and what it means when one fails or stays silent."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from aioice.stun import TransactionFailed, TransactionTimeout

from server.turn.address import ServerAddress
from server.turn.client import Endpoint, TurnClient
from server.turn.credentials import Credentials
from server.turn.faults import Trouble

T = TypeVar("T")


class Target:
    """One server. No connection and no answer takes longer than ``timeout_s``; ``tls`` judges certificates."""

    def __init__(self, address: ServerAddress, *, timeout_s: float, tls: ssl.SSLContext | None = None) -> None:
        self.address = address
        self.host = ""
        self.timeout_s = timeout_s
        self._tls = tls

    async def find(self) -> list[str]:
        """The IP addresses that the name of the server stands for; from here on the first of them is its ``host``."""
        try:
            async with asyncio.timeout(self.timeout_s):
                found = await asyncio.get_running_loop().getaddrinfo(
                    self.address.host, self.address.port, type=socket.SOCK_STREAM
                )
        except (OSError, UnicodeError, TimeoutError) as error:
            raise Trouble("unknown_host", words(error)) from None
        hosts = list(dict.fromkeys(str(where[4][0]) for where in found))
        self.host = hosts[0]
        return hosts

    @asynccontextmanager
    async def line(self, credentials: Credentials | None = None) -> AsyncIterator[TurnClient]:
        """A connection for the time of the block."""
        server = (self.host, self.address.port)
        try:
            async with asyncio.timeout(self.timeout_s):
                line = await TurnClient.open(
                    server, self.address.transport, credentials, tls_name=self.address.host, tls=self._tls
                )
        except TimeoutError:
            if self.address.transport == "tls" and await self._takes_tcp():
                raise Trouble("no_tls", "it takes the connection, and does not answer to TLS") from None
            raise Trouble("no_answer", f"no connection within {self.timeout_s:g} s") from None
        except OSError as error:
            raise Trouble(self._connection_fault(error), words(error)) from None
        try:
            yield line
        finally:
            line.close()

    async def _takes_tcp(self) -> bool:
        try:
            async with asyncio.timeout(self.timeout_s):
                line = await TurnClient.open((self.host, self.address.port), "tcp")
        except (OSError, TimeoutError):
            return False
        line.close()
        return True

    async def answer(self, line: TurnClient, asked: Awaitable[T]) -> T:
        """What the server answers on ``line``; a refusal is aioice's TransactionFailed, no answer is Trouble."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await asked
        except (TimeoutError, TransactionTimeout):
            raise self._silence(line) from None
        except (ConnectionError, KeyError) as error:  # an answer that lacks what was asked for
            raise Trouble("protocol_error", words(error)) from None

    def _connection_fault(self, error: OSError) -> str:
        match error:
            case ssl.SSLCertVerificationError():
                return "bad_certificate"
            case ConnectionRefusedError():
                return "refused"
            case ssl.SSLError():
                return "no_tls"
            case ConnectionError():
                return "no_tls" if self.address.transport == "tls" else "cut_off"
            case _:
                return "unreachable"

    def _silence(self, line: TurnClient) -> Trouble:
        if line.was_refused:
            return Trouble("refused", "the machine answers: port unreachable")
        if line.is_cut_off:
            return Trouble("cut_off", "the connection is gone")
        code = "no_answer" if self.address.transport == "udp" else "not_turn"
        return Trouble(code, f"no answer within {self.timeout_s:g} s")


def words(error: Exception) -> str:
    """What a library says of its error, on one line."""
    match error:
        case TransactionFailed():
            code, reason = error.response.attributes.get("ERROR-CODE", (0, "an error without a code"))
            return f"{code} {reason}"
        case TimeoutError():
            return "no answer in time"
        case ssl.SSLCertVerificationError():
            return error.verify_message
        case OSError(strerror=str(said)):
            return said
        case _:
            return str(error) or type(error).__name__


def shown(endpoint: Endpoint) -> str:
    """``host:port``, with an IPv6 host in brackets."""
    host, port = endpoint
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
