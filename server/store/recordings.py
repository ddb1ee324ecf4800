"""The collection ``recordings``, and the files ``recording_media``: recordings that are kept with their calls.

Who agreed to a recording stands in the call itself. The file is stored before the document and removed after it, so
that there is never a recording without its sound. It has an id of its own, by which one sees when it was sent: a
recording may be sent long after it was asked for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec

from server.store.driver import ASCENDING, Collection, Database, Document, Files, IndexModel, NewFile

INDEXES = [
    IndexModel([("call_id", ASCENDING)], name="of_call"),
    IndexModel([("by", ASCENDING)], name="of_user"),
    IndexModel([("created_at", ASCENDING)], name="age"),
    IndexModel([("file_id", ASCENDING)], name="file"),
]


class KeptRecording(msgspec.Struct, frozen=True):
    """What is kept of a recording; ``by`` is the id of whoever made it."""

    recording_id: str
    call_id: str
    file_id: str
    by: str
    size_bytes: int
    content_type: str
    duration_ms: int
    created_at: datetime


class RecordingStore:
    """Recordings in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._recordings: Collection = database.collection("recordings")
        self._media: Files = database.files("recording_media")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._recordings.ensure_indexes(INDEXES)
        await self._media.ensure_indexes()

    async def insert(self, recording: KeptRecording) -> None:
        """Says that a recording is kept, once its file is there; raises :class:`~server.store.driver.Duplicate`."""
        document: dict[str, Any] = msgspec.to_builtins(recording, builtin_types=(datetime,))
        document["_id"] = document.pop("recording_id")
        await self._recordings.insert(document)

    async def get(self, recording_id: str, call_id: str) -> KeptRecording | None:
        """The recording with that id, if it is one of that call."""
        return _recording(await self._recordings.find_one({"_id": recording_id, "call_id": call_id}))

    async def of_call(self, call_id: str) -> dict[str, KeptRecording]:
        """What is kept of that call, by recording id."""
        found = [_recording(document) for document in await self._recordings.find({"call_id": call_id})]
        return {each.recording_id: each for each in found if each is not None}

    async def made_by(self, user_id: str) -> list[KeptRecording]:
        """The recordings of that person that are kept."""
        found = map(_recording, await self._recordings.find({"by": user_id}))
        return [each for each in found if each is not None]

    async def count_of(self, user_id: str) -> int:
        """How many recordings of that person are kept."""
        return await self._recordings.count({"by": user_id})

    async def total_bytes(self) -> int:
        """How much room the recordings of everybody take."""
        return await self._recordings.total("size_bytes")

    async def remove(self, recording: KeptRecording) -> None:
        """Says that a recording is not kept any more, and leaves its file; that there is none is no error."""
        await self._recordings.delete({"_id": recording.recording_id, "file_id": recording.file_id})

    async def remove_of_calls(self, call_ids: list[str]) -> int:
        """Removes what is kept of these calls; returns how many recordings that were."""
        return await self._remove({"call_id": {"$in": call_ids}})

    async def remove_of(self, user_id: str) -> int:
        """Removes every recording of that person; returns how many there were."""
        return await self._remove({"by": user_id})

    async def remove_before(self, moment: datetime, limit: int) -> int:
        """Removes recordings older than ``moment``, at most ``limit``; returns how many that were."""
        return await self._remove({"created_at": {"$lt": moment}}, limit)

    async def _remove(self, query: Document, limit: int = 0) -> int:
        found = await self._recordings.find(query, limit=limit, fields=["_id", "file_id"])
        for document in found:
            await self._recordings.delete({"_id": document["_id"]})
            await self._media.delete(document["file_id"])
        return len(found)

    async def kept_among(self, file_ids: list[str]) -> set[str]:
        """Which of these are ids of the files of recordings that are kept."""
        found = await self._recordings.find({"file_id": {"$in": file_ids}}, fields=["file_id"])
        return {str(document["file_id"]) for document in found}

    async def call_ids(self, *, after: str, limit: int) -> list[str]:
        """The next ``limit`` calls of which recordings are kept, in order; one may stand there several times."""
        found = await self._recordings.find(
            {"call_id": {"$gt": after}}, sort=[("call_id", ASCENDING)], limit=limit, fields=["call_id"]
        )
        return [str(document["call_id"]) for document in found]

    # ── the files ──

    def new_file(self, file_id: str) -> NewFile:
        """A file to be written piece by piece."""
        return self._media.new(file_id)

    def read(self, file_id: str, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from ``begin`` up to and without ``end``; raises :class:`~server.store.driver.NoSuchFile`."""
        return self._media.read(file_id, begin, end)

    async def remove_file(self, file_id: str) -> None:
        """Removes a file; that there is none is no error."""
        await self._media.delete(file_id)

    async def file_ids(self, *, after: str, before: str, limit: int) -> list[str]:
        """The ids for which there is a file, or a part of it, in order; see :meth:`Files.ids`."""
        return await self._media.ids(after=after, before=before, limit=limit)


def _recording(document: Document | None) -> KeptRecording | None:
    if document is None:
        return None
    document["recording_id"] = document.pop("_id")
    return msgspec.convert(document, KeptRecording)
