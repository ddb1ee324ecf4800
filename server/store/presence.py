"""The collection ``presence``: whom each process sees, one document for each person, good until its lease runs out.

A process writes of its own people only and renews what it wrote. What it does not renew counts no longer, so that the
people of a process that died go offline by themselves; MongoDB then throws it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from server.calls.signs import NO_SIGN, Signs
from server.store.driver import ASCENDING, Collection, Database, IndexModel

KEPT_S = 60
"""How long a document outlives its lease, which nobody reads any more: longer than clocks of two nodes differ."""

INDEXES = [
    IndexModel([("epoch", ASCENDING), ("lease_until", ASCENDING)], name="leases"),
    IndexModel([("node", ASCENDING)], name="of_node"),
    IndexModel([("lease_until", ASCENDING)], name="expiry", expireAfterSeconds=KEPT_S),
]


class PresenceStore:
    """Leases in MongoDB; an ``epoch`` is the life of one process on a ``node``."""

    def __init__(self, database: Database) -> None:
        self._presence: Collection = database.collection("presence")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._presence.ensure_indexes(INDEXES)

    async def add(self, epoch: str, node: str, people: Mapping[str, Signs], until: datetime) -> None:
        """Writes of people, by user id; those of whom something is written already stay as they are."""
        common = {"epoch": epoch, "node": node, "lease_until": until}
        documents = [
            {"_id": _key(epoch, user_id), "user_id": user_id} | common | signs._asdict()
            for user_id, signs in people.items()
        ]
        if documents:
            await self._presence.insert_all(documents)

    async def change(self, epoch: str, people: Mapping[str, Signs]) -> None:
        """Writes anew of people of whom something is written: one operation for each kind of signs."""
        alike: dict[Signs, list[str]] = {}
        for user_id, signs in people.items():
            alike.setdefault(signs, []).append(_key(epoch, user_id))
        for signs, keys in alike.items():
            await self._presence.update_all({"_id": {"$in": keys}}, {"$set": signs._asdict()})

    async def remove(self, epoch: str, user_ids: Iterable[str]) -> None:
        """Writes no longer of these people."""
        keys = [_key(epoch, user_id) for user_id in user_ids]
        if keys:
            await self._presence.delete({"_id": {"$in": keys}})

    async def keep_only(self, epoch: str, user_ids: Iterable[str]) -> None:
        """Writes no longer of all others."""
        await self._presence.delete({"epoch": epoch, "user_id": {"$nin": list(user_ids)}})

    async def renew(self, epoch: str, until: datetime) -> int:
        """Moves the end of every lease of that process; returns how many there are."""
        return await self._presence.update_all({"epoch": epoch}, {"$set": {"lease_until": until}})

    async def remove_earlier(self, epoch: str, node: str) -> int:
        """Removes what earlier processes of that node have left; returns how many people that were.

        Epochs sort by the time they were made. A later process of that name is alive, and keeps what it wrote.
        """
        return await self._presence.delete({"node": node, "epoch": {"$lt": epoch}})

    async def others(self, epoch: str, now: datetime) -> dict[str, Signs]:
        """Whom all other processes see, by user id; one read."""
        found = await self._presence.find({"epoch": {"$ne": epoch}, "lease_until": {"$gt": now}})
        seen: dict[str, Signs] = {}
        for each in found:
            user_id = each["user_id"]
            seen[user_id] = seen.get(user_id, NO_SIGN) | Signs(*(each[field] for field in Signs._fields))
        return seen


def _key(epoch: str, user_id: str) -> str:
    return f"{epoch}:{user_id}"
