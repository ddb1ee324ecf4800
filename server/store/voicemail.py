"""The collection ``voicemail``, and the files ``voicemail_audio``: messages, and how they sound.

A message that was deleted, or was never kept, leaves a trace: which call it was left for, and when. There is one
document for each call, so that there is one message for each call. The audio has the message's id; it is stored before
the document and removed after it, so that there is never a message without its sound.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec

from server.realtime.frames import UserRef
from server.store.driver import ASCENDING, DESCENDING, Collection, Database, Document, Files, IndexModel

INDEXES = [
    IndexModel([("to", ASCENDING), ("_id", DESCENDING)], name="of_user"),
    IndexModel([("to", ASCENDING), ("heard_at", ASCENDING)], name="unheard"),
    IndexModel([("call_id", ASCENDING)], name="one_message_for_a_call", unique=True),
    IndexModel([("created_at", ASCENDING)], name="age"),
]


class Voicemail(msgspec.Struct, frozen=True):
    """A message: ``to`` is the id of whoever it is for, ``sender`` whoever left it, as they were called then.

    ``waveform`` is how loud it is, at most 128 values from 0 to 100 over its whole length.
    """

    voicemail_id: str
    call_id: str
    to: str
    sender: UserRef
    duration_ms: int
    size_bytes: int
    content_type: str
    waveform: tuple[int, ...]
    created_at: datetime
    heard_at: datetime | None = None


KEPT_IN_A_TRACE = ("voicemail_id", "call_id", "created_at")
NOT_IN_A_TRACE = [name for name in Voicemail.__struct_fields__ if name not in KEPT_IN_A_TRACE]


class VoicemailStore:
    """Messages in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._messages: Collection = database.collection("voicemail")
        self._audio: Files = database.files("voicemail_audio")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._messages.ensure_indexes(INDEXES)
        await self._audio.ensure_indexes()

    # ── messages ──

    async def insert(self, message: Voicemail) -> None:
        """Stores a new message; raises :class:`~server.store.driver.Duplicate` if one was left for that call."""
        document: dict[str, Any] = msgspec.to_builtins(message, builtin_types=(datetime,))
        document["_id"] = document.pop("voicemail_id")
        await self._messages.insert(document)

    async def insert_trace(self, message: Voicemail) -> None:
        """Stores only that a message was left for that call; raises as :meth:`insert`."""
        await self._messages.insert(
            {"_id": message.voicemail_id, "call_id": message.call_id, "created_at": message.created_at}
        )

    async def was_left_for(self, call_id: str) -> bool:
        """Whether a message was left for that call, kept or not."""
        return await self._messages.find_one({"call_id": call_id}, ["_id"]) is not None

    async def get(self, voicemail_id: str, user_id: str) -> Voicemail | None:
        """The message with that id, if it is for that person."""
        return _message(await self._messages.find_one({"_id": voicemail_id, "to": user_id}))

    async def of(self, user_id: str, *, limit: int, before: str | None = None) -> list[Voicemail]:
        """The messages for that person, newest first; ``before`` is the id of the last one that was seen."""
        query: Document = {"to": user_id}
        if before is not None:
            query["_id"] = {"$lt": before}  # UUIDv7: the order of ids is the order of time
        return _all(await self._messages.find(query, sort=[("_id", DESCENDING)], limit=limit))

    async def left_by(self, user_id: str, call_ids: list[str]) -> list[Voicemail]:
        """The messages that person has left for these calls, and that are kept."""
        query: Document = {"call_id": {"$in": call_ids}, "sender.id": user_id}
        return _all(await self._messages.find(query, sort=[("_id", DESCENDING)]))

    async def count(self, user_id: str) -> int:
        """How many messages there are for that person."""
        return await self._messages.count({"to": user_id})

    async def unheard(self, user_id: str) -> int:
        """How many of them were not heard yet."""
        return await self._messages.count({"to": user_id, "heard_at": None})

    async def set_heard(self, voicemail_id: str, user_id: str, now: datetime) -> bool:
        """Says that the message was heard; false if there is none for that person, or it was heard before."""
        return await self._messages.update(
            {"_id": voicemail_id, "to": user_id, "heard_at": None}, {"$set": {"heard_at": now}}
        )

    async def forget(self, voicemail_id: str, user_id: str) -> bool:
        """Leaves only the trace of a message; false if there is none for that person."""
        return await self._messages.update(
            {"_id": voicemail_id, "to": user_id}, {"$unset": dict.fromkeys(NOT_IN_A_TRACE, "")}
        )

    async def remove_of(self, user_id: str) -> list[str]:
        """Removes every message for that person; returns their ids."""
        ids = _ids(await self._messages.find({"to": user_id}, fields=["_id"]))
        await self._messages.delete({"_id": {"$in": ids}})
        return ids

    async def remove_before(self, moment: datetime, limit: int) -> list[str]:
        """Removes messages and traces older than ``moment``, at most ``limit``; returns their ids."""
        ids = _ids(await self._messages.find({"created_at": {"$lt": moment}}, limit=limit, fields=["_id"]))
        await self._messages.delete({"_id": {"$in": ids}})
        return ids

    async def kept_among(self, ids: list[str]) -> set[str]:
        """Which of these are ids of messages that are kept."""
        found = await self._messages.find({"_id": {"$in": ids}, "to": {"$exists": True}}, fields=["_id"])
        return set(_ids(found))

    # ── audio ──

    async def upload(self, voicemail_id: str, content: bytes) -> None:
        """Stores how a message sounds."""
        await self._audio.upload(voicemail_id, content)

    def read(self, voicemail_id: str, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from ``begin`` up to and without ``end``; raises :class:`~server.store.driver.NoSuchFile`."""
        return self._audio.read(voicemail_id, begin, end)

    async def remove_audio(self, voicemail_id: str) -> None:
        """Removes how a message sounds; that there is nothing is no error."""
        await self._audio.delete(voicemail_id)

    async def audio_ids(self, *, after: str, before: str, limit: int) -> list[str]:
        """The ids for which there is audio, or a part of it, in order; see :meth:`Files.ids`."""
        return await self._audio.ids(after=after, before=before, limit=limit)


def _ids(documents: list[Document]) -> list[str]:
    return [str(document["_id"]) for document in documents]


def _message(document: Document | None) -> Voicemail | None:
    if document is None:
        return None
    document["voicemail_id"] = document.pop("_id")
    return msgspec.convert(document, Voicemail)


def _all(documents: list[Document]) -> list[Voicemail]:
    return [message for message in map(_message, documents) if message is not None]
