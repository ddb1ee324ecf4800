"""Names of push services become addresses here, and only addresses that may be connected to come out.

Tornado's client connects to exactly what its resolver returns, with the name still in ``Host`` and in TLS. So what is
checked is what is connected to, and a name that points elsewhere the second time (DNS rebinding) gains nothing.

Answers are kept for a while, so that a name server that is silent holds up only those whose names it should know.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from tornado.netutil import Resolver

from server.push.addresses import is_public
from server.push.endpoints import TrustedEndpoints

THREADS = 8
"""``getaddrinfo`` blocks, some ten seconds for a name server that is silent; in threads of its own it stops nothing
but other look-ups of push services."""

CHECKING_THREADS = 4
KEPT_S = 300.0
"""An answer that was good: push services have the same addresses for hours, and one that moves is away for this long at
the most. What is kept was checked, and is what is connected to."""
FAILURE_KEPT_S = 30.0
"""A ring of 45 s asks a name server that is silent twice at the most."""
MAX_KEPT = 10_000
"""Names remembered, about 0.5 KiB each; there are a handful, unless somebody makes them up."""

Place = tuple[str, int]
"""Host, in small letters, and port."""
LookUp = Callable[[str, int], list[tuple[int, Any]]]


class RefusedAddress(OSError):
    """The name has an address that is not public; which one is not said."""


class _Kept(NamedTuple):
    """What came of a look-up; ``failure`` says what to raise, until the second ``until_s`` of the clock."""

    found: list[tuple[int, Any]]
    failure: type[OSError] | None
    until_s: float


def look_up(host: str, port: int) -> list[tuple[int, Any]]:
    """(family, socket address) of every address of ``host``, as the system knows them; raises OSError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # of a label over 63 characters (bpo-32958)
        raise OSError("not a name") from error
    return [(int(family), address) for family, _, _, _, address in found]


class VettingResolver(Resolver):
    """Looks names up, and refuses those of which any address is not public, but for the ``trusted`` places."""

    def initialize(
        self, trusted: TrustedEndpoints, look_up: LookUp = look_up, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """See the class."""
        self._trusted = trusted
        self._look_up = look_up
        self._now_s = now_s
        self._for_sending = ThreadPoolExecutor(THREADS, thread_name_prefix="push-dns")
        self._for_checking = ThreadPoolExecutor(CHECKING_THREADS, thread_name_prefix="push-dns-check")
        self._kept: dict[Place, _Kept] = {}
        self._looking: dict[tuple[Place, ThreadPoolExecutor], asyncio.Task[_Kept]] = {}

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        """The addresses of ``host``; raises :class:`RefusedAddress`, and OSError for a name that there is not."""
        return await self._addresses(host, port, self._for_sending)

    async def check(self, host: str, port: int) -> None:
        """Raises as :meth:`resolve` does, for a name that nothing was sent to yet: whoever gives names of silent name
        servers holds up others who do."""
        await self._addresses(host, port, self._for_checking)

    async def _addresses(self, host: str, port: int, threads: ThreadPoolExecutor) -> list[tuple[int, Any]]:
        place = (host.lower().rstrip("."), port)
        kept = self._kept.get(place)
        if kept is None or kept.until_s <= self._now_s():
            looking = self._looking.get((place, threads))
            if looking is None:
                looking = asyncio.get_running_loop().create_task(self._look(host, place, threads))
                self._looking[place, threads] = looking
                looking.add_done_callback(lambda _: self._looking.pop((place, threads), None))
            kept = await asyncio.shield(looking)  # whoever waits no longer takes it from nobody else
        if kept.failure is not None:
            raise kept.failure("no address that may be connected to")
        return kept.found

    async def _look(self, host: str, place: Place, threads: ThreadPoolExecutor) -> _Kept:
        found: list[tuple[int, Any]] = []
        failure: type[OSError] | None = None
        try:
            found = await asyncio.get_running_loop().run_in_executor(threads, self._look_up, host, place[1])
        except OSError:
            failure = OSError
        else:
            is_trusted = place in self._trusted.places
            if not found or not (is_trusted or all(is_public(str(address[0])) for _, address in found)):
                failure = RefusedAddress
        kept = _Kept(found, failure, self._now_s() + (KEPT_S if failure is None else FAILURE_KEPT_S))
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[place] = kept
        return kept

    def close(self) -> None:
        """Gives the threads up; a look-up under way is not waited for."""
        for looking in self._looking.values():
            looking.cancel()
        for threads in (self._for_sending, self._for_checking):
            threads.shutdown(wait=False, cancel_futures=True)
