"""Contacts: requests, favourites and blocks, told to every open page of whom they concern.

Whoever is blocked does not learn of it: their requests are taken and shown to nobody, and the one who blocked them
looks as if they were never there.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from server.calls.presence import PresenceBoard
from server.clock import Clock
from server.errors import (
    BadRequest,
    BadState,
    CannotAddSelf,
    NotFound,
    TooManyContactRequests,
    UserNotFound,
)
from server.ids import is_id
from server.languages.sentences import N_
from server.realtime.bus import Bus, ToDevices, user_topic
from server.realtime.frames import Contact, PresenceState, UserRef, encode
from server.store.contacts import LISTINGS, ContactList, ContactStore, Cursor, Relation
from server.store.users import User, UserStore
from server.wire import optional_rfc3339, rfc3339

DAY = timedelta(days=1)
"""The window of the limit on requests."""
MAX_MS_DIGITS = 14
"""Milliseconds since 1970 up to the year 5138; beyond that Python knows no date."""


class Page(NamedTuple):
    """One page of a list: its items, and the cursor of the next one."""

    items: list[dict[str, Any]]
    next: str | None


class Requested(NamedTuple):
    """What came of a request: the item, and whether a request was made by it."""

    item: dict[str, Any]
    created: bool


class _Pair(NamedTuple):
    """Whoever does something, and the one whom it concerns."""

    me: User
    other: User


class Contacts:
    """What people do with their contacts; ``requests_per_day`` is how many requests one person may make in 24 h."""

    def __init__(
        self,
        store: ContactStore,
        users: UserStore,
        presence: PresenceBoard,
        bus: Bus,
        clock: Clock,
        requests_per_day: int,
    ) -> None:
        self._store = store
        self._users = users
        self._presence = presence
        self._bus = bus
        self._clock = clock
        self._requests_per_day = requests_per_day

    # ── asking ──

    async def page(self, user_id: str, which: ContactList, limit: int, before: str | None = None) -> Page:
        """One list of a person, newest first. A page may hold less than ``limit``: disabled accounts are left out.

        Raises :class:`BadRequest` for a ``before`` that was never a ``next``.
        """
        timed = LISTINGS[which].time is not None
        cursor = None if before is None else read_cursor(before, timed=timed)
        found = await self._store.page(user_id, which, limit=limit + 1, before=cursor)
        relations = found[:limit]
        people = {user.user_id: user for user in await self._users.by_ids(each.other(user_id) for each in relations)}
        pairs = [(relation, people.get(relation.other(user_id))) for relation in relations]
        items = [self._item(relation, user_id, user) for relation, user in pairs if user and not user.disabled]
        last = relations[-1] if len(found) > limit else None
        return Page(items, write_cursor(last, user_id, timed=timed) if last else None)

    async def seen(self, user_id: str, people: list[User]) -> list[dict[str, Any]]:
        """``people`` as that person sees them in a list: who they are, presence, contact, favourite, blocked."""
        relations = await self._store.relations(user_id, [user.user_id for user in people])
        return [self._person(relations.get(user.user_id), user_id, user) for user in people]

    # ── doing ──

    async def request(self, me: UserRef, username: str) -> Requested:
        """Asks the person of that name to be a contact; where they have asked already, both are contacts then.

        Raises :class:`CannotAddSelf`, :class:`UserNotFound`, :class:`TooManyContactRequests`, and :class:`BadState`
        for one whom ``me`` has blocked.
        """
        pair = await self._named(me, username)
        my_id, other_id = me.id, pair.other.user_id
        if (await self._store.get(my_id, other_id)).state_for(my_id) == "none":
            await self._require_within_limit(my_id)
        asked = await self._store.request(my_id, other_id, self._clock.now())
        if asked is None:
            raise BadState(N_("You have blocked this person; unblock them first"))
        if asked.changed:
            self._tell_both(asked.relation, pair)
        created = asked.changed and asked.relation.state == "requested"
        return Requested(self._item(asked.relation, my_id, pair.other), created)

    async def accept(self, my_id: str, other_id: str) -> dict[str, Any]:
        """Takes up a request; raises :class:`BadState` if there is none."""
        pair = await self._pair(my_id, other_id)
        return self._done(pair, await self._store.accept(my_id, other_id, self._clock.now()))

    async def decline(self, my_id: str, other_id: str) -> dict[str, Any]:
        """Turns a request down; raises :class:`BadState` if there is none."""
        pair = await self._pair(my_id, other_id)
        return self._done(pair, await self._store.decline(my_id, other_id))

    async def remove(self, my_id: str, other_id: str) -> None:
        """Withdraws the own request, or ends the contact; raises :class:`NotFound` if there is neither."""
        pair = await self._pair(my_id, other_id)
        relation = await self._store.remove(my_id, other_id)
        if relation is None:
            raise NotFound(N_("This person is not a contact, and you have not asked them to be one"))
        self._tell_both(relation, pair)

    async def set_favourite(self, my_id: str, other_id: str, favourite: bool) -> dict[str, Any]:
        """Marks somebody, or no longer; nobody else is told. Raises :class:`BadState` for one who is blocked."""
        pair = await self._pair(my_id, other_id)
        relation = await self._store.set_favourite(my_id, other_id, favourite)
        if relation is None:
            raise BadState(N_("You have blocked this person; unblock them first"))
        self._tell(relation, my_id, pair.other)
        return self._item(relation, my_id, pair.other)

    async def block(self, my_id: str, other_id: str) -> dict[str, Any]:
        """Blocks somebody: contact, requests and the own favourite end, and to them ``my_id`` is offline from now."""
        pair = await self._pair(my_id, other_id)
        before = await self._store.get(my_id, other_id)
        relation = await self._store.block(my_id, other_id)
        self._presence.hide(my_id, other_id)
        return self._changed(pair, before, relation)

    async def unblock(self, my_id: str, other_id: str) -> dict[str, Any]:
        """Ends a block; nothing that it ended comes back."""
        pair = await self._pair(my_id, other_id)
        before = await self._store.get(my_id, other_id)
        relation = await self._store.unblock(my_id, other_id)
        self._presence.show(my_id, other_id)
        return self._changed(pair, before, relation)

    # ── who ──

    async def _named(self, me: UserRef, username: str) -> _Pair:
        found = await self._users.by_names([me.username, username])
        other = next((user for user in found if user.username.casefold() == username.casefold()), None)
        if other is None:
            raise UserNotFound(
                N_("There is nobody called %(name)s", name=repr(username)),
                fields={"username": N_("nobody of that name")},
            )
        return _checked(found, me.id, other.user_id)

    async def _pair(self, my_id: str, other_id: str) -> _Pair:
        return _checked(await self._users.by_ids([my_id, other_id]), my_id, other_id)

    async def _require_within_limit(self, user_id: str) -> None:
        now = self._clock.now()
        asked = await self._store.requests_since(user_id, now - DAY, limit=self._requests_per_day)
        if len(asked) >= self._requests_per_day:
            free_at = asked[-self._requests_per_day] + DAY
            raise TooManyContactRequests(retry_after_s=(free_at - now).total_seconds())

    # ── telling ──

    def _done(self, pair: _Pair, relation: Relation | None) -> dict[str, Any]:
        if relation is None:
            raise BadState(N_("This person has not asked to be your contact"))
        self._tell_both(relation, pair)
        return self._item(relation, pair.me.user_id, pair.other)

    def _changed(self, pair: _Pair, before: Relation, after: Relation) -> dict[str, Any]:
        """A block began or ended: the other is told only of what they can see."""
        other_id = pair.other.user_id
        if before.state_for(other_id) != after.state_for(other_id):
            self._tell_both(after, pair)
        else:
            self._tell(after, pair.me.user_id, pair.other)
        return self._item(after, pair.me.user_id, pair.other)

    def _tell_both(self, relation: Relation, pair: _Pair) -> None:
        self._tell(relation, pair.me.user_id, pair.other)
        if pair.other.user_id not in relation.blocked_by:  # else they hear of nothing that I do
            self._tell(relation, pair.other.user_id, pair.me)

    def _tell(self, relation: Relation, viewer_id: str, user: User) -> None:
        frame = Contact(
            timestamp=rfc3339(self._clock.now()),
            user_id=user.user_id,
            contact=self._item(relation, viewer_id, user),
        )
        self._bus.publish(user_topic(viewer_id), ToDevices(viewer_id, encode(frame)))

    # ── as it is seen ──

    def _item(self, relation: Relation, viewer_id: str, user: User) -> dict[str, Any]:
        return {
            "user": user.ref,
            "state": relation.state_for(viewer_id),
            "favourite": viewer_id in relation.favourite_of,
            "blocked": viewer_id in relation.blocked_by,
            "presence": self._presence_of(user, relation),
            "since": optional_rfc3339(relation.since_for(viewer_id)),
        }

    def _person(self, relation: Relation | None, viewer_id: str, user: User) -> dict[str, Any]:
        return {
            "id": user.user_id,
            "username": user.username,
            "display_name": user.display_name,
            "presence": self._presence_of(user, relation),
            "contact": relation.state_for(viewer_id) if relation else "none",
            "favourite": relation is not None and viewer_id in relation.favourite_of,
            "blocked": relation is not None and viewer_id in relation.blocked_by,
        }

    def _presence_of(self, user: User, relation: Relation | None) -> PresenceState:
        if relation is not None and user.user_id in relation.blocked_by:
            return "offline"
        return self._presence.state(user.user_id, user.wants_quiet(self._clock.now()))


def _checked(found: list[User], my_id: str, other_id: str) -> _Pair:
    if other_id == my_id:
        raise CannotAddSelf()
    by_id = {user.user_id: user for user in found}
    me, other = by_id.get(my_id), by_id.get(other_id)
    if me is None or other is None or other.disabled or other.service:
        raise UserNotFound()
    return _Pair(me, other)


def write_cursor(last: Relation, user_id: str, *, timed: bool) -> str:
    """Where a page of that person's list ends, as clients carry it: ``<id of the last person>[.<milliseconds>]``, in a
    list with times (``timed``) or one without."""
    since = last.since_for(user_id) if timed else None
    other_id = last.other(user_id)
    return other_id if since is None else f"{other_id}.{round(since.timestamp() * 1000)}"


def read_cursor(text: str, *, timed: bool) -> Cursor:
    """The cursor that :func:`write_cursor` wrote, for a list with times or one without; raises :class:`BadRequest` for
    any other text."""
    user_id, _, ms = text.partition(".")
    is_time = ms.isascii() and ms.isdecimal() and len(ms) <= MAX_MS_DIGITS
    if not is_id(user_id) or not (is_time if timed else ms == ""):
        raise BadRequest.of("before", N_("the next of an earlier page"))
    return Cursor(datetime.fromtimestamp(int(ms) / 1000, UTC) if ms else None, user_id)
