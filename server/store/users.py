"""The collection ``users``: people, and the service accounts of other programs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec

from server.calls.model import CallWaiting
from server.calls.quiet_hours import QuietHours, is_quiet
from server.realtime.frames import UserRef
from server.search_keys import folded, search_keys
from server.store.driver import ASCENDING, Collection, Database, Document, IndexModel

Callers = Literal["everybody", "contacts"]
"""Whose calls ring for a person."""

LAST_CHARACTER = "\U0010ffff"
"""MongoDB compares strings by their UTF-8, so that every text that begins so comes before the beginning and this."""

INDEXES = [
    IndexModel([("username_key", ASCENDING)], name="one_username", unique=True),
    IndexModel([("search_keys", ASCENDING)], name="search"),
    IndexModel([("changed_at", ASCENDING)], name="changes"),
]

MIGRATION_BATCH = 500
"""People whose search keys are made at once: some hundred kilobytes of them."""


class User(msgspec.Struct, frozen=True):
    """A person as stored. Beside this a document holds ``username_key``, the name as it is compared (without regard to
    case), ``search_keys`` (see :mod:`server.search_keys`), and ``changed_at``."""

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
        document["search_keys"] = search_keys(user.username, user.display_name)
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
        """People (no services, no disabled ones) who are found under ``text``, by user name, those ``after`` a name.

        Everybody where ``text`` is empty.
        """
        query: Document = {"service": False, "disabled": False}
        begin = folded(text)
        if begin:
            # One and the same key has to lie between the two; without $elemMatch it could be one key each.
            query["search_keys"] = {"$elemMatch": {"$gte": begin, "$lt": begin + LAST_CHARACTER}}
        if after is not None:
            query["username_key"] = {"$gt": after.casefold()}
        return _all(await self._users.find(query, sort=[("username_key", ASCENDING)], limit=limit))

    async def all(self) -> list[User]:
        """Everybody, by name."""
        return _all(await self._users.find({}, sort=[("username_key", ASCENDING)]))

    async def change(self, user_id: str, **fields: Any) -> User | None:
        """Sets ``fields`` and returns the person as they are then; ``None`` if there is nobody."""
        plain = msgspec.to_builtins(fields, builtin_types=(datetime,))
        if "display_name" in fields:
            user = await self.get(user_id)  # for the user name, which never changes
            if user is None:
                return None
            plain["search_keys"] = search_keys(user.username, fields["display_name"])
        change = {"$set": plain, "$currentDate": {"changed_at": True}}
        return _user(await self._users.update_and_get({"_id": user_id}, change))

    async def changed_since(self, moment: datetime) -> list[User]:
        """Those who were changed at or after ``moment``, by MongoDB's clock."""
        return _all(await self._users.find({"changed_at": {"$gte": moment}}))

    async def add_missing_search_keys(self) -> int:
        """Gives search keys to people who were stored before there were any; returns how many."""
        added = 0
        while found := _all(await self._users.find({"search_keys": None}, limit=MIGRATION_BATCH)):
            for user in found:
                keys = search_keys(user.username, user.display_name)
                # Whoever has got a new name meanwhile, from another process, has got keys with it.
                added += await self._users.update(
                    {"_id": user.user_id, "search_keys": None}, {"$set": {"search_keys": keys}}
                )
        return added

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
