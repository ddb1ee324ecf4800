"""The collection ``connections``: the records of closed connections, kept for some days."""

from __future__ import annotations

from datetime import timedelta

from server.ids import new_id
from server.store.driver import ASCENDING, DESCENDING, Collection, Database, Document, IndexModel


class ConnectionStore:
    """Records of closed connections in MongoDB; ``days`` is how long they are kept."""

    def __init__(self, database: Database, days: int) -> None:
        self._connections: Collection = database.collection("connections")
        self._indexes = [
            IndexModel([("user_id", ASCENDING), ("_id", DESCENDING)], name="of_user"),
            IndexModel(
                [("closed_at", ASCENDING)],
                name="expiry",
                expireAfterSeconds=int(timedelta(days=days).total_seconds()),
            ),
        ]

    async def ensure_indexes(self) -> None:
        """Makes the indexes; a changed number of days is taken over."""
        await self._connections.ensure_indexes(self._indexes)

    async def of(self, user_id: str, *, limit: int, before: str | None = None) -> list[tuple[str, Document]]:
        """The id and the record of each connection of a person, newest first; ``before`` is the id of the last one."""
        query: Document = {"user_id": user_id}
        if before is not None:
            query["_id"] = {"$lt": before}  # UUIDv7: the order of ids is the order of time
        found = await self._connections.find(query, sort=[("_id", DESCENDING)], limit=limit)
        return [(str(record.pop("_id")), record) for record in found]

    async def insert_all(self, records: list[Document]) -> None:
        """Stores records. Each gets its ``_id`` once, so that writing a batch again stores nothing twice."""
        for record in records:
            record.setdefault("_id", new_id())
        await self._connections.insert_all(records)
