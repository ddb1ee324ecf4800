"""Elsewhere: what this process learns of people from all others, by three reads in one round."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from server.calls.presence import PresenceBoard
from server.clock import Clock
from server.store.contacts import ContactStore
from server.store.presence import PresenceStore
from server.store.users import UserStore

OVERLAP = timedelta(seconds=5)
"""MongoDB's clock stamps changes, and ours differs: a change is looked for this much longer; to hear of it twice
changes nothing."""


class Elsewhere:
    """Reads whom other processes see, who wants (not) to be disturbed now, and who has blocked whom.

    ``forget_user`` is told of each person who has changed: what was remembered of them is no longer so.
    """

    def __init__(
        self,
        leases: PresenceStore,
        users: UserStore,
        contacts: ContactStore,
        board: PresenceBoard,
        clock: Clock,
        *,
        epoch: str,
        forget_user: Callable[[str], None],
    ) -> None:
        self._leases = leases
        self._users = users
        self._contacts = contacts
        self._board = board
        self._clock = clock
        self._epoch = epoch
        self._forget_user = forget_user
        self._read_at = clock.now()

    async def round(self) -> None:
        """One round; raises :class:`~server.errors.Unavailable`, and what was known before stays."""
        now = self._clock.now()
        self._board.see_elsewhere(await self._leases.others(self._epoch, now))
        await self._read_changes(self._read_at - OVERLAP)
        self._read_at = now  # only now: without a database nothing was read

    async def _read_changes(self, since: datetime) -> None:
        for user in await self._users.changed_since(since):
            self._forget_user(user.user_id)
            self._board.learn(user.user_id, user.do_not_disturb, user.quiet_hours)
        for relation in await self._contacts.blocks_changed_since(since):
            for user_id in relation.users:
                hides = user_id in relation.blocked_by
                (self._board.hide if hides else self._board.show)(user_id, relation.other(user_id))
