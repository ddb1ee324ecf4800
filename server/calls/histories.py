"""Everybody's history of calls: looking into it, and what they do to their own."""

from __future__ import annotations

from typing import NamedTuple

from server.calls.history import Filter
from server.calls.unread import UnreadCounts
from server.errors import BadState, NotFound
from server.ids import is_id
from server.languages.sentences import N_
from server.realtime.background import Background
from server.store.calls import MAX_PEOPLE, CallStore, Entry
from server.store.users import UserStore


class HistoryPage(NamedTuple):
    """Some entries, newest first, and the ``before`` of the next page: ``None`` on the last."""

    entries: list[Entry]
    next: str | None


class Histories:
    """The one history record of a call stands in as many histories as it has people; each disposes of their own."""

    def __init__(self, calls: CallStore, users: UserStore, unread: UnreadCounts, background: Background) -> None:
        self._calls = calls
        self._users = users
        self._unread = unread
        self._background = background

    async def page(
        self,
        user_id: str,
        *,
        limit: int,
        kind: Filter = "all",
        text: str = "",
        state: str | None = None,
        before: str | None = None,
    ) -> HistoryPage:
        """At most ``limit`` calls of that ``kind``, after the one with the id ``before``.

        With ``text`` only those with people who are found by it, of which the first :data:`MAX_PEOPLE` count; with
        ``state`` only those in that state (then of every kind and with everybody).
        """
        people = None
        if text:
            people = [user.user_id for user in await self._users.search(text, limit=MAX_PEOPLE)]
            if not people:
                return HistoryPage([], None)
        found = await self._calls.history(
            user_id, limit=limit + 1, kind=kind, people=people, state=state, before=before
        )
        entries = found[:limit]
        return HistoryPage(entries, entries[-1].call.call_id if len(found) > limit else None)

    async def unread(self, user_id: str) -> int:
        """How many calls the person has missed and not yet seen."""
        return await self._calls.count_unread(user_id)

    async def mark_seen(self, user_id: str, until: str | None = None) -> int:
        """The person has seen what they missed, up to the call with the id ``until``; returns how many are unread
        still."""
        if await self._calls.mark_seen(user_id, until):
            self._unread.changed([user_id])
        return await self._calls.count_unread(user_id)

    async def forget(self, user_id: str, call_id: str) -> None:
        """Takes a call out of the person's own history; when nobody has it any more, it is deleted in the background.

        Raises :class:`~server.errors.BadState` while it goes on, :class:`~server.errors.NotFound` if it is not there.
        """
        if not is_id(call_id):
            raise NotFound(N_("There is no such call"))
        if not await self._calls.forget(user_id, call_id):
            call = await self._calls.get(call_id)
            if call is None or call.is_over or call.leg_of(user_id) is None:
                raise NotFound(N_("There is no such call in your history"))
            raise BadState(N_("The call goes on; it can be removed when it has ended"))
        self._changed(user_id)

    async def forget_all(self, user_id: str, until: str | None = None) -> None:
        """Takes all calls that are over out of the person's own history, up to the one with the id ``until``."""
        if await self._calls.forget_all(user_id, until):
            self._changed(user_id)

    def _changed(self, user_id: str) -> None:
        self._unread.changed([user_id])
        self._background.start(self._calls.remove_forgotten, "forgotten")
