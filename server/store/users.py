"""The collection ``users``: people, and the service accounts of other programs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec

from server.calls.quiet_hours import QuietHours, is_quiet
from server.realtime.frames import UserRef
from server.store.driver import ASCENDING, Collection, Database, Document, IndexModel

CallWaiting = Literal["ring", "busy"]
"""Whether a second call rings (softly) while the person is in one, or finds them busy."""
Callers = Literal["everybody", "contacts"]
"""Whose calls ring for a person."""

LAST_CHARACTER = "\U0010ffff"
"""MongoDB compares strings by their UTF-8, so that every text that begins so comes before the beginning and this."""

INDEXES = [IndexModel([("username_key", ASCENDING)], name="one_username", unique=True)]


class User(msgspec.Struct, frozen=True):
    """A person as stored. ``username_key`` is the name as it is compared: without regard to case."""

    user_id: str
    username: str
    display_name: str
    password_hash: str
    created_at: datetime
    admin: bool = False
    service: bool = False
    disabled: bool = False
    locale: str | None = None
    do_not_disturb: bool = False
    quiet_hours: QuietHours | None = None
    call_waiting: CallWaiting = "ring"
    callers: Callers = "everybody"

    @property
    def ref(self) -> UserRef:
        """The person as everybody may see them."""
        return UserRef(self.user_id, self.username, self.display_name)

    def wants_quiet(self, now: datetime) -> bool:
        """Whether no call shall ring for this person now: by their own choice, or because of the hour."""
        return self.do_not_disturb or is_quiet(self.quiet_hours, now)


class UserStore:
    """People in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._users: Collection = database.collection("users")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._users.ensure_indexes(INDEXES)

    async def insert(self, user: User) -> None:
        """Stores somebody new; raises :class:`~server.store.driver.Duplicate` for a name that is taken."""
        document: dict[str, Any] = msgspec.to_builtins(user, builtin_types=(datetime,))
        document["_id"] = document.pop("user_id")
        document["username_key"] = user.username.casefold()
        await self._users.insert(document)

    async def get(self, user_id: str) -> User | None:
        """The person with that id."""
        return _user(await self._users.find_one({"_id": user_id}))

    async def by_name(self, username: str) -> User | None:
        """The person of that name, however it is capitalised."""
        return _user(await self._users.find_one({"username_key": username.casefold()}))

    async def by_names(self, usernames: Iterable[str]) -> list[User]:
        """The people of those names, in no particular order."""
        keys = [name.casefold() for name in usernames]
        return _all(await self._users.find({"username_key": {"$in": keys}}))

    async def by_ids(self, user_ids: Iterable[str]) -> list[User]:
        """The people with those ids, in no particular order."""
        return _all(await self._users.find({"_id": {"$in": list(user_ids)}}))

    async def search(self, text: str, *, limit: int, after: str | None = None) -> list[User]:
        """People (no services, no disabled ones) whose name begins with ``text``, by name, those ``after`` a name."""
        begin = text.casefold()
        key: Document = {"$gte": begin, "$lt": begin + LAST_CHARACTER} if text else {}
        if after is not None:
            key["$gt"] = after.casefold()
        query: Document = {"service": False, "disabled": False}
        if key:
            query["username_key"] = key
        return _all(await self._users.find(query, sort=[("username_key", ASCENDING)], limit=limit))

    async def all(self) -> list[User]:
        """Everybody, by name."""
        return _all(await self._users.find({}, sort=[("username_key", ASCENDING)]))

    async def change(self, user_id: str, **fields: Any) -> User | None:
        """Sets ``fields`` and returns the person as they are then; ``None`` if there is nobody."""
        plain = msgspec.to_builtins(fields, builtin_types=(datetime,))
        return _user(await self._users.update_and_get({"_id": user_id}, {"$set": plain}))

    async def remove(self, user_id: str) -> bool:
        """Removes the person; false if there was nobody."""
        return bool(await self._users.delete({"_id": user_id}))


def _user(document: Document | None) -> User | None:
    if document is None:
        return None
    document["user_id"] = document.pop("_id")
    return msgspec.convert(document, User)


def _all(documents: list[Document]) -> list[User]:
    return [user for user in map(_user, documents) if user is not None]
