"""Names of push services become addresses here, and only addresses that may be connected to come out.

Tornado's client connects to exactly what its resolver returns, with the name still in ``Host`` and in TLS. So what is
checked is what is connected to, and a name that points elsewhere the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tornado.netutil import Resolver

from server.push.addresses import is_public
from server.push.endpoints import TrustedEndpoints

THREADS = 8
"""``getaddrinfo`` blocks, some ten seconds for a name server that is silent; in threads of its own it stops nothing
but other look-ups of push services."""

LookUp = Callable[[str, int], list[tuple[int, Any]]]


class RefusedAddress(OSError):
    """The name has an address that is not public; which one is not said."""


def look_up(host: str, port: int) -> list[tuple[int, Any]]:
    """(family, socket address) of every address of ``host``, as the system knows them; raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # of a label over 63 characters (bpo-32958)
        raise OSError("not a name") from error
    return [(int(family), address) for family, _, _, _, address in found]


class VettingResolver(Resolver):
    """Looks names up, and refuses those of which any address is not public, but for the ``trusted`` places."""

    def initialize(self, trusted: TrustedEndpoints, look_up: LookUp = look_up) -> None:
        """See the class."""
        self._trusted = trusted
        self._look_up = look_up
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="push-dns")

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        """The addresses of ``host``; raises :class:`RefusedAddress`, and OSError for a name that there is not."""
        found = await asyncio.get_running_loop().run_in_executor(self._threads, self._look_up, host, port)
        is_trusted = (host.lower().rstrip("."), port) in self._trusted.places
        if not found or not (is_trusted or all(is_public(str(address[0])) for _, address in found)):
            raise RefusedAddress("not a public address")
        return found

    def close(self) -> None:
        """Gives the threads up; a look-up under way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
