"""The collections ``dialogues`` and ``dialogue_turns``: who talks about which book, and every question with its reply.

One reply at a time is the database's promise: an index takes no second turn of a dialogue that is ``streaming``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from server.dialogues.model import OPEN, Dialogue, ReplyError, ReplyState, Source, Turn
from server.store.driver import ASCENDING, DESCENDING, Collection, Database, Document, Duplicate, IndexModel

PREVIEW_CHARACTERS = 200
"""As much of the last message as a list shows."""

DIALOGUE_INDEXES = [
    IndexModel([("user_id", ASCENDING), ("updated_at", DESCENDING), ("_id", DESCENDING)], name="of_user"),
    IndexModel([("is_clearing", ASCENDING)], name="clearing", sparse=True),
]
TURN_INDEXES = [
    IndexModel([("session_id", ASCENDING), ("number", DESCENDING)], name="of_dialogue", unique=True),
    IndexModel(
        [("session_id", ASCENDING)],
        name="one_reply_at_a_time",
        unique=True,
        partialFilterExpression={"state": "streaming"},
    ),
    IndexModel(
        [("session_id", ASCENDING), ("client_id", ASCENDING)],
        name="one_message_for_a_client_id",
        unique=True,
        partialFilterExpression={"client_id": {"$type": "string"}},
    ),
    IndexModel([("state", ASCENDING), ("lease_until", ASCENDING)], name="under_way"),
]


class Listed(NamedTuple):
    """A dialogue in a list, and its last turn, with the beginning of its texts; ``None`` before the first."""

    dialogue: Dialogue
    last: Turn | None


class DialogueStore:
    """Dialogues in MongoDB. Ids are strings, everywhere."""

    def __init__(self, database: Database) -> None:
        self._dialogues: Collection = database.collection("dialogues")
        self._turns: Collection = database.collection("dialogue_turns")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._dialogues.ensure_indexes(DIALOGUE_INDEXES)
        await self._turns.ensure_indexes(TURN_INDEXES)

    # ── dialogues ──

    async def insert(self, dialogue: Dialogue) -> None:
        """Stores a new dialogue."""
        document: dict[str, Any] = msgspec.to_builtins(dialogue, builtin_types=(datetime,))
        document["_id"] = document.pop("session_id")
        await self._dialogues.insert(document)

    async def get(self, session_id: str, user_id: str) -> Dialogue | None:
        """That dialogue of that person, also one that was deleted."""
        found = await self._dialogues.find_one({"_id": session_id, "user_id": user_id})
        return None if found is None else _dialogue(found)

    async def by_id(self, session_id: str) -> Dialogue | None:
        """That dialogue, whoever's it is."""
        found = await self._dialogues.find_one({"_id": session_id})
        return None if found is None else _dialogue(found)

    async def with_turns(self, session_id: str, user_id: str, limit: int) -> tuple[Dialogue, list[Turn]] | None:
        """As :meth:`get`, with its newest turns, oldest first: one read."""
        newest: list[Document] = [{"$sort": {"number": -1}}, {"$limit": limit}]
        found = await self._dialogues.aggregate(
            [{"$match": {"_id": session_id, "user_id": user_id}}, _lookup(newest, "newest")]
        )
        if not found:
            return None
        turns = [_turn(each) for each in reversed(found[0].pop("newest"))]
        return _dialogue(found[0]), turns

    async def list_of(self, user_id: str, *, limit: int, before: tuple[datetime, str] | None = None) -> list[Listed]:
        """A person's dialogues, the one that was last written in first; ``before`` is the time and id of the last one
        that was seen."""
        query: Document = {"user_id": user_id, "deleted_at": None}
        if before is not None:
            moment, session_id = before
            query["$or"] = [
                {"updated_at": {"$lt": moment}},
                {"updated_at": moment, "_id": {"$lt": session_id}},
            ]
        preview = {name: {"$substrCP": [f"${name}", 0, PREVIEW_CHARACTERS]} for name in ("text", "question")}
        last: list[Document] = [{"$sort": {"number": -1}}, {"$limit": 1}, {"$set": preview | {"sources": []}}]
        found = await self._dialogues.aggregate(
            [
                {"$match": query},
                {"$sort": {"updated_at": -1, "_id": -1}},
                {"$limit": limit},
                _lookup(last, "last"),
            ]
        )
        return [_listed(each) for each in found]

    async def begin_turn(self, session_id: str, user_id: str, now: datetime) -> Dialogue | None:
        """Counts one more turn; ``None`` if there is no such dialogue of that person any more."""
        is_theirs: Document = {"_id": session_id, "user_id": user_id, "deleted_at": None}
        found = await self._dialogues.update_and_get(is_theirs, {"$inc": {"turns": 1}, "$set": {"updated_at": now}})
        return None if found is None else _dialogue(found)

    async def set_title(self, session_id: str, title: str) -> None:
        """Calls a dialogue by that title."""
        await self._dialogues.update({"_id": session_id, "deleted_at": None}, {"$set": {"title": title}})

    async def set_deleted(self, session_id: str, user_id: str, now: datetime) -> bool:
        """Leaves only the trace of a dialogue; false if there is none of that person. :meth:`clear` comes next."""
        kept = ("_id", "user_id")
        gone = {name: "" for name in Dialogue.__struct_fields__ if name not in (*kept, "session_id", "deleted_at")}
        return await self._dialogues.update(
            {"_id": session_id, "user_id": user_id, "deleted_at": None},
            {"$set": {"deleted_at": now, "is_clearing": True}, "$unset": gone},
        )

    async def clear(self, session_id: str) -> None:
        """Removes everything that was said in a dialogue that was deleted."""
        await self._turns.delete({"session_id": session_id})
        await self._dialogues.update({"_id": session_id}, {"$unset": {"is_clearing": ""}})

    async def uncleared(self) -> list[str]:
        """The ids of dialogues that were deleted, and whose turns may be there yet."""
        return [str(each["_id"]) for each in await self._dialogues.find({"is_clearing": True}, fields=["_id"])]

    async def remove_of(self, user_id: str) -> None:
        """Removes every dialogue of a person, without a trace."""
        ids = [str(each["_id"]) for each in await self._dialogues.find({"user_id": user_id}, fields=["_id"])]
        await self._turns.delete({"session_id": {"$in": ids}})
        await self._dialogues.delete({"user_id": user_id})

    # ── turns ──

    async def insert_turn(self, turn: Turn) -> None:
        """Stores a new turn; raises :class:`Duplicate` for a ``client_id`` that was used in this dialogue before."""
        document: dict[str, Any] = msgspec.to_builtins(turn, builtin_types=(datetime,))
        document["_id"] = document.pop("turn_id")
        await self._turns.insert(document)

    async def by_client_id(self, session_id: str, client_id: str) -> Turn | None:
        """The turn that was begun under that name."""
        key = {"$eq": client_id, "$type": "string"}
        return _optional(await self._turns.find_one({"session_id": session_id, "client_id": key}))

    async def turn(self, session_id: str, message_id: str) -> Turn | None:
        """The newest turn of which that message is the question or the reply."""
        query = {"session_id": session_id, "$or": [{"_id": message_id}, {"question_id": message_id}]}
        return _first(await self._turns.find(query, sort=[("number", DESCENDING)], limit=1))

    async def turns(self, session_id: str, *, limit: int, below: int | None = None) -> list[Turn]:
        """The newest turns whose number is below ``below``, oldest first."""
        query: Document = {"session_id": session_id}
        if below is not None:
            query["number"] = {"$lt": below}
        found = await self._turns.find(query, sort=[("number", DESCENDING)], limit=limit)
        return [_turn(each) for each in reversed(found)]

    async def first_open(self, session_id: str) -> Turn | None:
        """The turn that is being replied to, or else the one whose turn it is next."""
        query = {"session_id": session_id, "state": {"$in": list(OPEN)}}
        return _first(await self._turns.find(query, sort=[("number", ASCENDING)], limit=1))

    async def count_waiting(self, session_id: str) -> int:
        """How many questions of a dialogue wait for their turn."""
        return await self._turns.count({"session_id": session_id, "state": "waiting"})

    # ── a reply, from its claim to its end ──

    async def claim(self, turn_id: str, by: str, until: datetime) -> Turn | None:
        """Takes a waiting turn for the process ``by``; ``None`` if somebody else was faster, or replies to another
        turn of the same dialogue."""
        change = {"$set": {"state": "streaming", "lease_by": by, "lease_until": until}}
        try:
            return _optional(await self._turns.update_and_get({"_id": turn_id, "state": "waiting"}, change))
        except Duplicate:
            return None

    async def grow(self, turn_id: str, by: str, parts: int, text: str) -> bool:
        """Stores ``text``, which has grown by one more part to ``parts``; false if the reply is no longer ours. Done
        twice it changes nothing twice."""
        mine = {"_id": turn_id, "state": "streaming", "lease_by": by, "parts": {"$in": [parts - 1, parts]}}
        return await self._turns.update(mine, {"$set": {"text": text, "parts": parts}})

    async def finish(
        self,
        turn_id: str,
        state: ReplyState,
        now: datetime,
        *,
        was: ReplyState = "streaming",
        silent_since: datetime | None = None,
        sources: tuple[Source, ...] = (),
        error: ReplyError | None = None,
    ) -> Turn | None:
        """Ends a reply that ``was`` under way; ``None`` if it is not any more, or if whoever gives it has said since
        ``silent_since`` that they live."""
        ending: Document = {
            "state": state,
            "completed_at": now,
            "sources": msgspec.to_builtins(sources),
            "error": msgspec.to_builtins(error),
        }
        change = {"$set": ending, "$unset": {"lease_by": "", "lease_until": ""}}
        query: Document = {"_id": turn_id, "state": was}
        if silent_since is not None:
            query["lease_until"] = {"$lt": silent_since}
        return _optional(await self._turns.update_and_get(query, change))

    async def renew(self, turn_ids: list[str], by: str, until: datetime) -> None:
        """Says that the process ``by`` lives, and replies to these turns."""
        mine = {"_id": {"$in": turn_ids}, "state": "streaming", "lease_by": by}
        await self._turns.update_all(mine, {"$set": {"lease_until": until}})

    async def abandoned(self, now: datetime, limit: int) -> list[Turn]:
        """The turns that a process was replying to which has not said for too long that it lives."""
        found = await self._turns.find({"state": "streaming", "lease_until": {"$lt": now}}, limit=limit)
        return [_turn(each) for each in found]

    async def waiting_dialogues(self, limit: int, besides: Sequence[str] = ()) -> set[str]:
        """The ids of dialogues, others than ``besides``, in which a question waits; at most ``limit`` questions are
        looked at."""
        query = {"state": "waiting", "session_id": {"$nin": list(besides)}}
        found = await self._turns.find(query, limit=limit, fields=["session_id"])
        return {str(each["session_id"]) for each in found}


def _lookup(stages: list[Document], name: str) -> Document:
    return {
        "$lookup": {
            "from": "dialogue_turns",
            "localField": "_id",
            "foreignField": "session_id",
            "pipeline": stages,
            "as": name,
        }
    }


def _dialogue(document: Document) -> Dialogue:
    document["session_id"] = document.pop("_id")
    return msgspec.convert(document, Dialogue)


def _turn(document: Document) -> Turn:
    document["turn_id"] = document.pop("_id")
    return msgspec.convert(document, Turn)


def _optional(document: Document | None) -> Turn | None:
    return None if document is None else _turn(document)


def _first(documents: list[Document]) -> Turn | None:
    return _turn(documents[0]) if documents else None


def _listed(document: Document) -> Listed:
    last = _first(document.pop("last"))
    return Listed(_dialogue(document), last)
