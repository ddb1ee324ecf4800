"""Throttling of sign-in attempts: by account and address together, by address, and by account over all addresses."""

from __future__ import annotations

import ipaddress
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from server.errors import InvalidCredentials, TooManyAttempts
from server.settings import AuthSettings

SPREAD_FACTOR = 10
"""An attack on one account from many addresses gets this many times the attempts of one address: enough to stop
guessing, and far more than a person needs, so that nobody is locked out by a stranger's few tries."""


class LoginThrottle:
    """Counts failed attempts in a moving window; raises :class:`TooManyAttempts` before a password is looked at."""

    def __init__(self, settings: AuthSettings) -> None:
        window_s = settings.login_window_s
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._account_here = RateLimitItemPerSecond(settings.login_attempts_per_account, window_s, "account-here")
        self._address = RateLimitItemPerSecond(settings.login_attempts_per_address, window_s, "address")
        self._account = RateLimitItemPerSecond(settings.login_attempts_per_account * SPREAD_FACTOR, window_s, "account")
        self._window_s = window_s
        self._under_way: Counter[tuple[str, str]] = Counter()  # by account and network

    @asynccontextmanager
    async def attempt(self, username: str, address: str) -> AsyncIterator[None]:
        """One attempt: failed if :class:`InvalidCredentials` comes out of it, without effect if anything else does.

        Attempts under way count as failures, so that guesses that come at once are as few as those that come one by
        one. Raises :class:`TooManyAttempts`.
        """
        key = (username.casefold(), network_of(address))
        self._under_way[key] += 1
        try:
            await self.check(username, address, under_way=self._under_way[key])
            try:
                yield
            except InvalidCredentials:
                await self.failed(username, address)
                raise
            await self.succeeded(username, address)
        finally:
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]

    async def check(self, username: str, address: str, *, under_way: int = 1) -> None:
        """Raises :class:`TooManyAttempts`, with the seconds to wait, if one of the limits is used up.

        ``under_way`` is how many attempts on this account from this address are made at this moment, this one included.
        """
        for item, keys in self._items(username, address):
            cost = under_way if item is self._account_here else 1
            if not await self._limiter.test(item, *keys, cost=cost):
                reset_at_s, _ = await self._limiter.get_window_stats(item, *keys)
                raise TooManyAttempts(retry_after_s=_wait_s(reset_at_s, self._window_s))

    async def failed(self, username: str, address: str) -> None:
        """Counts one failed attempt."""
        for item, keys in self._items(username, address):
            await self._limiter.hit(item, *keys)

    async def succeeded(self, username: str, address: str) -> None:
        """Forgets the failures of this account from this address."""
        await self._limiter.clear(self._account_here, username.casefold(), network_of(address))

    def _items(self, username: str, address: str) -> list[tuple[RateLimitItemPerSecond, tuple[str, ...]]]:
        account, network = username.casefold(), network_of(address)
        return [
            (self._account_here, (account, network)),
            (self._address, (network,)),
            (self._account, (account,)),
        ]


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


def _wait_s(reset_at_s: float, window_s: int) -> float:
    # The limiter counts in wall-clock seconds of its own; a wait is never longer than the window.
    return min(float(window_s), max(1.0, reset_at_s - time.time()))
