"""Leases: what this process tells all others of the people whom it sees."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from server.calls.presence import PresenceBoard
from server.calls.signs import NO_SIGN, Signs
from server.clock import Clock
from server.realtime.bus import PRESENCE, Bus, Message, PresenceNews
from server.store.presence import PresenceStore


class Leases:
    """Writes of the people of this process (``epoch``, on ``node``) what has changed since the last round, and renews
    all of it every ``renewal_s`` seconds for ``lease_s`` more."""

    def __init__(
        self,
        store: PresenceStore,
        board: PresenceBoard,
        bus: Bus,
        clock: Clock,
        *,
        epoch: str,
        node: str,
        renewal_s: float,
        lease_s: float,
    ) -> None:
        self._store = store
        self._board = board
        self._clock = clock
        self._epoch = epoch
        self._node = node
        self._renewal_s = renewal_s
        self._lease = timedelta(seconds=lease_s)
        self._written: dict[str, Signs] = {}  # by user id
        self._changed: set[str] = set()
        self._is_sure = False  # whether what is written is what we think is
        self._is_over = False
        self._renewed_at_s = clock.monotonic()
        self._turn = asyncio.Lock()  # the end waits for a round under way, which would write after it
        bus.subscribe(PRESENCE, self._on_bus)

    async def round(self) -> None:
        """Brings what is written up to date; raises :class:`~server.errors.Unavailable`, and catches up next time."""
        async with self._turn:
            if self._is_over:
                return
            if not self._is_sure:
                await self._write_all()
            await self._write_changes()
            if self._clock.monotonic() - self._renewed_at_s >= self._renewal_s:
                await self._renew()

    async def end(self) -> None:
        """Writes of nobody any more: to all other processes these people are gone at once."""
        async with self._turn:
            self._is_over = True
            await self._store.keep_only(self._epoch, [])

    def _on_bus(self, message: Message) -> None:
        if isinstance(message, PresenceNews):
            self._changed.add(message.user_id)

    async def _write_all(self) -> None:
        """Writes of everybody, whatever is written: at the start, and after a write that may have been done or not."""
        await self._store.remove_earlier(self._epoch, self._node)
        people = self._board.everybody_here()
        self._changed.clear()
        await self._store.add(self._epoch, self._node, people, self._until())
        await self._store.change(self._epoch, people)
        await self._store.keep_only(self._epoch, people)
        self._written = people
        self._is_sure = True

    async def _write_changes(self) -> None:
        changed, self._changed = self._changed, set()
        now = {user_id: self._board.signs_here(user_id) for user_id in changed}
        gone = [user_id for user_id, signs in now.items() if signs == NO_SIGN and user_id in self._written]
        come = {user_id: signs for user_id, signs in now.items() if signs != NO_SIGN and user_id not in self._written}
        others = {
            user_id: signs
            for user_id, signs in now.items()
            if signs != NO_SIGN and self._written.get(user_id, signs) != signs
        }
        self._is_sure = False
        await self._store.remove(self._epoch, gone)
        await self._store.add(self._epoch, self._node, come, self._until())
        await self._store.change(self._epoch, others)
        self._is_sure = True
        self._written |= come | others
        for user_id in gone:
            del self._written[user_id]

    async def _renew(self) -> None:
        now_s = self._clock.monotonic()
        renewed = await self._store.renew(self._epoch, self._clock.now() + self._lease)
        self._renewed_at_s = now_s
        if renewed < len(self._written):  # we were away for so long that our leases were thrown away
            await self._write_all()

    def _until(self) -> datetime:
        return self._clock.now() + self._lease
