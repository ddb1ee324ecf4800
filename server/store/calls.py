"""The collection ``calls``: every call from its invitation to its place in the history, one document each.

Beside the call itself a document holds what its indexes need: ``due_at``, when it next changes by itself;
``live_user_ids`` while the call goes on; and ``ringing_pair`` while a call of two people rings – unique, so that two
who dial each other get one call.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from server.calls.model import Call
from server.store.driver import ASCENDING, DESCENDING, Collection, Database, Document, IndexModel

# MongoDB takes a partial index only for a query that repeats its filter: those below with a ``$type`` say it again.
INDEXES = [
    IndexModel([("legs.user.id", ASCENDING), ("_id", DESCENDING)], name="history"),
    IndexModel(
        [("live_user_ids", ASCENDING)],
        name="live",
        partialFilterExpression={"live_user_ids": {"$exists": True}},
    ),
    IndexModel([("due_at", ASCENDING)], name="due", partialFilterExpression={"due_at": {"$type": "date"}}),
    IndexModel([("lease_until", ASCENDING)], name="leases", partialFilterExpression={"lease_until": {"$type": "date"}}),
    IndexModel(
        [("ringing_pair", ASCENDING)],
        name="one_ringing_call_for_a_pair",
        unique=True,
        partialFilterExpression={"ringing_pair": {"$exists": True}},
    ),
    IndexModel(
        [("created_by.id", ASCENDING), ("client_key", ASCENDING)],
        name="one_call_for_a_client_key",
        unique=True,
        partialFilterExpression={"client_key": {"$type": "string"}},
    ),
]


def pair_of(user_ids: Iterable[str]) -> str:
    """The same text for two people whoever of them comes first."""
    return ":".join(sorted(user_ids))


class CallStore:
    """Calls in MongoDB. Every change is one write on condition of ``rev``."""

    def __init__(self, database: Database) -> None:
        self._calls: Collection = database.collection("calls")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._calls.ensure_indexes(INDEXES)

    async def insert(self, call: Call) -> None:
        """Stores a new call; raises :class:`~server.store.driver.Duplicate` if the pair's phone rings already, or for
        a ``client_key`` that was used before."""
        await self._calls.insert(_document(call))

    async def replace(self, call: Call, *, rev: int) -> bool:
        """Stores ``call`` if the stored one still has ``rev``; false if somebody was faster."""
        return await self._calls.replace({"_id": call.call_id, "rev": rev}, _document(call))

    async def get(self, call_id: str) -> Call | None:
        """The call with that id."""
        return _call(await self._calls.find_one({"_id": call_id}))

    async def by_client_key(self, user_id: str, client_key: str) -> Call | None:
        """The call that the person placed with that key."""
        key = {"$eq": client_key, "$type": "string"}
        return _call(await self._calls.find_one({"created_by.id": user_id, "client_key": key}))

    async def ringing_between(self, user_ids: Iterable[str]) -> Call | None:
        """The one call that rings between two people."""
        return _call(await self._calls.find_one({"ringing_pair": pair_of(user_ids)}))

    async def live_of(self, user_id: str) -> list[Call]:
        """The calls that ring for or hold that person now, oldest first."""
        return _all(await self._calls.find({"live_user_ids": user_id}, sort=[("_id", ASCENDING)]))

    async def due(self, now: datetime, limit: int = 500) -> list[Call]:
        """Calls whose deadline or lease has passed."""
        past = {"$lte": now, "$type": "date"}
        query = {"$or": [{"due_at": past}, {"lease_until": past}]}
        return _all(await self._calls.find(query, limit=limit))

    async def renew_leases(self, call_ids: list[str], until: datetime) -> int:
        """Says for calls that go on that somebody holds their sockets; returns how many there were."""
        return await self._calls.update_all(
            {"_id": {"$in": call_ids}, "lease_until": {"$type": "date"}}, {"$set": {"lease_until": until}}
        )

    async def history(
        self, user_id: str, *, limit: int, before: str | None = None, state: str | None = None
    ) -> list[Call]:
        """The person's calls, newest first; ``before`` is the id of the last one that was seen."""
        query = _history_query(user_id, before, state)
        return _all(await self._calls.find(query, sort=[("_id", DESCENDING)], limit=limit))

    async def remove_history(self, user_id: str) -> int:
        """Removes the calls of that person that are over, for everybody; returns how many."""
        return await self._calls.delete({"legs.user.id": user_id, "state": "ended"})


def _history_query(user_id: str, before: str | None, state: str | None) -> Document:
    query: Document = {"legs.user.id": user_id}
    if before is not None:
        query["_id"] = {"$lt": before}  # UUIDv7: the order of ids is the order of time
    if state is not None:
        query["state"] = state
    return query


def _document(call: Call) -> Document:
    document: dict[str, Any] = msgspec.to_builtins(call, builtin_types=(datetime,))
    document["_id"] = document.pop("call_id")
    document["due_at"] = call.due_at
    if not call.is_over:
        document["live_user_ids"] = [leg.user.id for leg in call.legs if leg.is_in_call or leg.is_ringable]
    if call.state in ("inviting", "ringing") and len(call.legs) == 2:
        document["ringing_pair"] = pair_of(call.user_ids())
    return document


def _call(document: Document | None) -> Call | None:
    if document is None:
        return None
    document["call_id"] = document.pop("_id")
    return msgspec.convert(document, Call)


def _all(documents: list[Document]) -> list[Call]:
    return [call for call in map(_call, documents) if call is not None]
