"""The collection ``roadmaps``: what became of a call, as a document that those who were in it edit together.

One document for each call. It belongs to the call: when nobody has the call in their history any more, it is removed
with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from server.roadmaps.model import Roadmap
from server.store.driver import ASCENDING, DESCENDING, Collection, Database, Document, IndexModel

INDEXES = [
    IndexModel([("call_id", ASCENDING)], name="one_roadmap_for_a_call", unique=True),
    IndexModel([("readers", ASCENDING), ("_id", DESCENDING)], name="of_reader"),
]

CHANGING = ("title", "document", "changed_by", "changed_at", "rev")
"""Fields that an edit sets."""


class RoadmapStore:
    """Roadmaps in MongoDB. Every change is one write on condition of ``rev``."""

    def __init__(self, database: Database) -> None:
        self._roadmaps: Collection = database.collection("roadmaps")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._roadmaps.ensure_indexes(INDEXES)

    async def insert(self, roadmap: Roadmap) -> None:
        """Stores a new one; raises :class:`~server.store.driver.Duplicate` if the call has one."""
        document: dict[str, Any] = msgspec.to_builtins(roadmap, builtin_types=(datetime,))
        document["_id"] = document.pop("roadmap_id")
        await self._roadmaps.insert(document)

    async def get(self, roadmap_id: str, reader_id: str) -> Roadmap | None:
        """The roadmap with that id, if that person may read it."""
        return _roadmap(await self._roadmaps.find_one({"_id": roadmap_id, "readers": reader_id}))

    async def of_call(self, call_id: str) -> Roadmap | None:
        """The roadmap of that call."""
        return _roadmap(await self._roadmaps.find_one({"call_id": call_id}))

    async def of(self, reader_id: str, *, limit: int, before: str | None = None) -> list[Roadmap]:
        """The roadmaps that person may read, newest first; ``before`` is the id of the last one that was seen."""
        query: Document = {"readers": reader_id}
        if before is not None:
            query["_id"] = {"$lt": before}  # UUIDv7: the order of ids is the order of time
        found = await self._roadmaps.find(query, sort=[("_id", DESCENDING)], limit=limit)
        return [roadmap for roadmap in map(_roadmap, found) if roadmap is not None]

    async def change(self, roadmap: Roadmap, *, rev: int) -> bool:
        """Stores what ``roadmap`` says by now, if the stored one still has ``rev``; false if somebody was faster, or it
        is gone. Who may read it stays as it is stored."""
        document: dict[str, Any] = msgspec.to_builtins(roadmap, builtin_types=(datetime,))
        change = {"$set": {name: document[name] for name in CHANGING}}
        return await self._roadmaps.update({"_id": roadmap.roadmap_id, "rev": rev}, change)

    async def remove(self, roadmap_id: str) -> bool:
        """Removes one; false if there was none."""
        return bool(await self._roadmaps.delete({"_id": roadmap_id}))

    async def remove_of_calls(self, call_ids: list[str]) -> int:
        """Removes what belongs to these calls; returns how many there were."""
        return await self._roadmaps.delete({"call_id": {"$in": call_ids}})

    async def forget_reader(self, user_id: str) -> int:
        """That person reads none of them any more; returns how many they could read."""
        return await self._roadmaps.update_all({"readers": user_id}, {"$pull": {"readers": user_id}})


def _roadmap(document: Document | None) -> Roadmap | None:
    if document is None:
        return None
    document["roadmap_id"] = document.pop("_id")
    return msgspec.convert(document, Roadmap)
