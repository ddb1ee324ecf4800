"""The collection ``chat``: what was written in calls, one document for each message.

It belongs to the call: when nobody has the call in their history any more, it is removed with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from server.calls.chat import ChatMessage
from server.store.driver import ASCENDING, DESCENDING, Collection, Database, Document, IndexModel

INDEXES = [
    IndexModel([("call_id", ASCENDING), ("_id", DESCENDING)], name="of_call"),
    IndexModel(
        [("call_id", ASCENDING), ("user.id", ASCENDING), ("client_id", ASCENDING)],
        name="one_message_for_a_client_id",
        unique=True,
        partialFilterExpression={"client_id": {"$type": "string"}},
    ),
]


class ChatStore:
    """Messages in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._messages: Collection = database.collection("chat")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._messages.ensure_indexes(INDEXES)

    async def insert(self, message: ChatMessage) -> None:
        """Stores a new message; raises :class:`~server.store.driver.Duplicate` for a ``client_id`` that its writer has
        used in this call before."""
        document: dict[str, Any] = msgspec.to_builtins(message, builtin_types=(datetime,))
        document["_id"] = document.pop("message_id")
        await self._messages.insert(document)

    async def by_client_id(self, call_id: str, user_id: str, client_id: str) -> ChatMessage | None:
        """What the person has written in that call under that name of theirs."""
        key = {"$eq": client_id, "$type": "string"}
        found = await self._messages.find_one({"call_id": call_id, "user.id": user_id, "client_id": key})
        return None if found is None else _message(found)

    async def newest(
        self, call_id: str, *, limit: int, before: str | None = None, until: datetime | None = None
    ) -> list[ChatMessage]:
        """The newest messages of a call, newest first; ``before`` is the id of the last one that was seen, ``until``
        the moment up to which they count."""
        query: Document = {"call_id": call_id}
        if before is not None:
            query["_id"] = {"$lt": before}  # UUIDv7: the order of ids is the order of time
        if until is not None:
            query["sent_at"] = {"$lte": until}
        found = await self._messages.find(query, sort=[("_id", DESCENDING)], limit=limit)
        return [_message(document) for document in found]

    async def count(self, call_id: str) -> int:
        """How many messages there are of a call."""
        return await self._messages.count({"call_id": call_id})

    async def remove_of(self, call_ids: list[str]) -> int:
        """Removes what was written in these calls; returns how many messages that were."""
        return await self._messages.delete({"call_id": {"$in": call_ids}})


def _message(document: Document) -> ChatMessage:
    document["message_id"] = document.pop("_id")
    return msgspec.convert(document, ChatMessage)
