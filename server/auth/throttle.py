"""Throttling of sign-in attempts: by account and address together, by address, and by account over all addresses."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from weakref import WeakValueDictionary

from server.clock import Clock
from server.errors import InvalidCredentials, TooManyAttempts
from server.settings import AuthSettings

SPREAD_FACTOR = 10
"""An attack on one account from many addresses gets this many times the attempts of one address: enough to stop
guessing, and far more than a person needs, so that nobody is locked out by a stranger's few tries."""


class _Counted(NamedTuple):
    """What failures are counted by: ``key``, of which ``limit`` are allowed within the window."""

    key: tuple[str, ...]
    limit: int


class LoginThrottle:
    """Counts failed attempts in a moving window; raises :class:`TooManyAttempts` before a password is looked at.

    Our own, because the memory storage of the library ``limits`` walks over every key after every failure, with a
    thread each, and knows no clock but the system's.
    """

    def __init__(self, settings: AuthSettings, clock: Clock) -> None:
        self._clock = clock
        self._window_s = float(settings.login_window_s)
        self._per_account = settings.login_attempts_per_account
        self._per_address = settings.login_attempts_per_address
        # When each of the last failures was, by key; the keys in the order of their last failure.
        self._failures: dict[tuple[str, ...], deque[float]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._failures)

    @asynccontextmanager
    async def attempt(self, username: str, address: str) -> AsyncIterator[None]:
        """One attempt: failed if :class:`InvalidCredentials` comes out of it, without effect if anything else does.

        Attempts on one account take turns, so that guesses that come at once are as few as those that come one by one,
        and nobody who signs in on all their devices at once is taken for a guesser. Raises :class:`TooManyAttempts`.
        """
        account, network = username.casefold(), network_of(address)
        turn = self._turns.setdefault(account, asyncio.Lock())
        async with turn:
            counted = self._counted(account, network)
            self._require_room(counted)
            try:
                yield
            except InvalidCredentials:
                self._add_failure(counted)
                raise
            self._failures.pop(counted[0].key, None)  # of this account from this address; the others stand

    def _counted(self, account: str, network: str) -> tuple[_Counted, ...]:
        return (
            _Counted(("account here", account, network), self._per_account),
            _Counted(("address", network), self._per_address),
            _Counted(("account", account), self._per_account * SPREAD_FACTOR),
        )

    def _require_room(self, counted: tuple[_Counted, ...]) -> None:
        now_s = self._clock.monotonic()
        waits_s = [self._wait_s(each, now_s) for each in counted]
        if max(waits_s) > 0.0:
            raise TooManyAttempts(retry_after_s=max(waits_s))

    def _wait_s(self, counted: _Counted, now_s: float) -> float:
        """Seconds until one more attempt is allowed."""
        failures = self._failures.get(counted.key, ())
        if len(failures) < counted.limit:
            return 0.0
        return max(0.0, failures[-counted.limit] + self._window_s - now_s)

    def _add_failure(self, counted: tuple[_Counted, ...]) -> None:
        now_s = self._clock.monotonic()
        for key, limit in counted:
            failures = self._failures.pop(key, None) or deque(maxlen=limit)
            failures.append(now_s)
            self._failures[key] = failures
        self._forget_old(now_s)

    def _forget_old(self, now_s: float) -> None:
        oldest = next(iter(self._failures))
        while self._failures[oldest][-1] + self._window_s <= now_s:
            del self._failures[oldest]
            oldest = next(iter(self._failures))  # what has just failed is there, and young


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 customer holds (RFC 6177)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
