"""Passwords: argon2id, off the event loop, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.errors import BadRequest, Unavailable
from server.languages.sentences import N_
from server.settings import AuthSettings

MAX_PASSWORD_BYTES = 1024
"""Far above any pass phrase; hashing cost grows with length, so a bound keeps it from being a weapon."""

T = TypeVar("T")


class Passwords:
    """Hashes and checks passwords with the cost that ``settings`` ask for (OWASP Password Storage: argon2id)."""

    def __init__(self, settings: AuthSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_time_cost, memory_cost=settings.argon2_memory_kib, parallelism=1
        )
        self._min_length = settings.password_min_length
        self._pool = ThreadPoolExecutor(settings.hashing_threads, thread_name_prefix="argon2")
        self._room = settings.hashing_threads + settings.hashing_queue
        # Checked for names that do not exist, so that those take the same time.
        self._nobody = self._hasher.hash("nobody has this password")

    def require_good(self, password: str, field: str = "password") -> None:
        """Raises :class:`BadRequest` for a new password (it came in ``field``) that is too short or too long."""
        if len(password) < self._min_length:
            raise BadRequest.of(field, N_("At least %(count)s characters", count=self._min_length))
        if len(password.encode()) > MAX_PASSWORD_BYTES:
            raise BadRequest.of(field, N_("At most %(count)s bytes", count=MAX_PASSWORD_BYTES))

    async def hash(self, password: str) -> str:
        """The argon2id hash of ``password`` in its PHC string form."""
        return await self._off_loop(lambda: self._hasher.hash(password))

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether ``password`` belongs to ``password_hash``; ``None`` (nobody there) takes as long and is false."""
        if len(password.encode()) > MAX_PASSWORD_BYTES:
            password = ""
        return await self._off_loop(lambda: self._verify(password_hash, password))

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made with another cost than the one in force."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Ends the threads; hashes under way are finished."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password_hash: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash or self._nobody, password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False

    async def _off_loop(self, work: Callable[[], T]) -> T:
        if self._room <= 0:
            raise Unavailable("Too many people are signing in at once; try again", retry_after_s=2.0)
        self._room -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._room += 1
