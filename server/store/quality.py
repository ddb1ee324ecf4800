"""The collection ``call_quality``: what the participants of a call have measured, one document for each leg.

It belongs to the call: when nobody has the call in their history any more, it is removed with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from server.calls.quality import QualityRecord
from server.store.driver import ASCENDING, Collection, Database, Document, IndexModel

INDEXES = [IndexModel([("call_id", ASCENDING)], name="of_call")]


class QualityStore:
    """Summaries in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._records: Collection = database.collection("call_quality")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._records.ensure_indexes(INDEXES)

    async def begun(self, record: QualityRecord) -> QualityRecord:
        """What that leg has measured; the first time ``record``, for which there is a place from now on."""
        known = await self.get(record.call_id, record.leg_id)
        if known is None:
            await self._set(record, upsert=True)
        return known or record

    async def write(self, record: QualityRecord) -> None:
        """Stores what one leg has measured, in the place of what was stored of it before. What was removed meanwhile
        with its call does not come back."""
        await self._set(record, upsert=False)

    async def _set(self, record: QualityRecord, *, upsert: bool) -> None:
        document: dict[str, Any] = msgspec.to_builtins(record, builtin_types=(datetime,))
        await self._records.update({"_id": _id(record.call_id, record.leg_id)}, {"$set": document}, upsert=upsert)

    async def get(self, call_id: str, leg_id: str) -> QualityRecord | None:
        """What that leg has measured, if anything is stored."""
        document = await self._records.find_one({"_id": _id(call_id, leg_id)})
        return None if document is None else _record(document)

    async def of(self, call_id: str) -> list[QualityRecord]:
        """What was measured in that call, by the legs that have measured anything."""
        return [_record(document) for document in await self._records.find({"call_id": call_id})]

    async def remove_of(self, call_ids: list[str]) -> int:
        """Removes what belongs to these calls; returns how many documents that were."""
        return await self._records.delete({"call_id": {"$in": call_ids}})


def _id(call_id: str, leg_id: str) -> str:
    return f"{call_id}:{leg_id}"


def _record(document: Document) -> QualityRecord:
    del document["_id"]
    return msgspec.convert(document, QualityRecord)
