"""The collection ``exports``, and the files ``export_files``: what people have asked for of what is held about them.

The file is stored before the document and removed after it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec

from server.exports.model import Export
from server.store.driver import ASCENDING, DESCENDING, Collection, Database, Document, Files, IndexModel, NewFile

INDEXES = [
    IndexModel([("user_id", ASCENDING), ("_id", DESCENDING)], name="of_user"),
    IndexModel([("task_id", ASCENDING)], name="one_export_for_a_task", unique=True),
    IndexModel([("expires_at", ASCENDING)], name="ends"),
    IndexModel([("file_id", ASCENDING)], name="file"),
]


class ExportStore:
    """Exports in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._exports: Collection = database.collection("exports")
        self._files: Files = database.files("export_files")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._exports.ensure_indexes(INDEXES)
        await self._files.ensure_indexes()

    async def insert(self, export: Export) -> None:
        """Says that an export is kept, once its file is there; raises :class:`~server.store.driver.Duplicate` for a
        second one of the same task."""
        document: dict[str, Any] = msgspec.to_builtins(export, builtin_types=(datetime,))
        document["_id"] = document.pop("export_id")
        await self._exports.insert(document)

    async def get(self, export_id: str, user_id: str) -> Export | None:
        """The export with that id, if it is that person's."""
        return _export(await self._exports.find_one({"_id": export_id, "user_id": user_id}))

    async def of_task(self, task_id: str) -> Export | None:
        """What that task has made."""
        return _export(await self._exports.find_one({"task_id": task_id}))

    async def of(self, user_id: str) -> list[Export]:
        """The exports of that person, newest first."""
        found = await self._exports.find({"user_id": user_id}, sort=[("_id", DESCENDING)])
        return [export for export in map(_export, found) if export is not None]

    async def owners(self, *, after: str, limit: int) -> list[tuple[str, str]]:
        """The ids of exports after ``after`` in order, each with the id of whose it is."""
        found = await self._exports.find(
            {"_id": {"$gt": after}}, fields=["user_id"], sort=[("_id", ASCENDING)], limit=limit
        )
        return [(str(document["_id"]), str(document["user_id"])) for document in found]

    async def remove_others(self, user_id: str, export_id: str) -> int:
        """Removes all exports of that person but this one; returns how many there were."""
        return await self._remove({"user_id": user_id, "_id": {"$ne": export_id}})

    async def remove_one(self, user_id: str, export_id: str) -> bool:
        """Removes one; false if there is none of that person."""
        return await self._remove({"_id": export_id, "user_id": user_id}) > 0

    async def remove_of(self, user_id: str) -> int:
        """Removes every export of that person; returns how many there were."""
        return await self._remove({"user_id": user_id})

    async def remove_ended(self, now: datetime) -> int:
        """Removes exports whose time is over; returns how many there were."""
        return await self._remove({"expires_at": {"$lte": now}})

    async def _remove(self, query: Document) -> int:
        found = await self._exports.find(query, fields=["_id", "file_id"])
        for document in found:
            await self._exports.delete({"_id": document["_id"]})
            await self._files.delete(document["file_id"])
        return len(found)

    # ── the files ──

    def new_file(self, file_id: str) -> NewFile:
        """A file to be written piece by piece."""
        return self._files.new(file_id)

    def read(self, file_id: str, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from ``begin`` up to and without ``end``; raises :class:`~server.store.driver.NoSuchFile`."""
        return self._files.read(file_id, begin, end)

    async def remove_file(self, file_id: str) -> None:
        """Removes a file; that there is none is no error."""
        await self._files.delete(file_id)

    async def file_ids(self, *, after: str, before: str, limit: int) -> list[str]:
        """The ids for which there is a file, or a part of it, in order; see :meth:`Files.ids`."""
        return await self._files.ids(after=after, before=before, limit=limit)

    async def kept_among(self, file_ids: list[str]) -> set[str]:
        """Which of these are ids of the files of exports that are kept."""
        found = await self._exports.find({"file_id": {"$in": file_ids}}, fields=["file_id"])
        return {str(document["file_id"]) for document in found}


def _export(document: Document | None) -> Export | None:
    if document is None:
        return None
    document["export_id"] = document.pop("_id")
    return msgspec.convert(document, Export)
