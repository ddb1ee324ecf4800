"""The collection ``transcripts``: what was said in calls, one document for each line.

It belongs to the call: when nobody has the call in their history any more, it is removed with it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.calls.transcript import TranscriptLine
from server.store.driver import ASCENDING, DESCENDING, Collection, Database, Document, IndexModel

INDEXES = [IndexModel([("call_id", ASCENDING), ("line_id", DESCENDING)], name="of_call")]


class TranscriptStore:
    """Lines in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._lines: Collection = database.collection("transcripts")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._lines.ensure_indexes(INDEXES)

    async def add(self, line: TranscriptLine) -> None:
        """Stores a line; the same segment of the same leg a second time changes nothing."""
        document: Document = msgspec.to_builtins(line, builtin_types=(datetime,))
        same = {"_id": f"{line.call_id}:{line.leg_id}:{document.pop('segment')}"}
        await self._lines.update(same, {"$setOnInsert": document}, upsert=True)

    async def count(self, call_id: str) -> int:
        """How many lines there are of that call."""
        return await self._lines.count({"call_id": call_id})

    async def page(
        self, call_id: str, before: str | None, limit: int, until: datetime | None = None
    ) -> list[TranscriptLine]:
        """The newest ``limit`` lines of a call that are older than the line ``before`` and were said up to ``until``,
        in the order of the talk."""
        query: Document = {"call_id": call_id}
        if before:
            query["line_id"] = {"$lt": before}
        if until is not None:
            query["said_at"] = {"$lte": until}
        found = await self._lines.find(query, sort=[("line_id", DESCENDING)], limit=limit)
        return [_line(document) for document in reversed(found)]

    async def remove_of(self, call_ids: list[str]) -> int:
        """Removes what belongs to these calls; returns how many documents that were."""
        return await self._lines.delete({"call_id": {"$in": call_ids}})


def _line(document: Document) -> TranscriptLine:
    document["segment"] = document.pop("_id").split(":", 2)[2]
    return msgspec.convert(document, TranscriptLine)
