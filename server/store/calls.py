"""The collection ``calls``: every call from its invitation to its place in the history, one document each.

Beside the call itself a document holds what its indexes need: ``due_at``, when it next changes by itself;
``live_user_ids`` while the call goes on; ``ringing_pair`` while a call of two people rings – unique, so that two
who dial each other get one call; and ``history``, the tokens of :mod:`server.calls.history`.

While a call goes on, each change puts a new document in the place of the old one. Once it has ended nothing does, and
only then tokens are taken away, on condition of that state: so neither way of writing undoes the other. With the tokens
of the last one who took part the call becomes ``forgotten``: what was said, written and recorded in it is removed then,
and with the last tokens of all the call as well. That takes its time, and nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from server.calls import history as tokens
from server.calls.model import Call, seen_as_missed
from server.store.driver import ASCENDING, DESCENDING, Collection, Database, Document, IndexModel

HISTORY_INDEX = "history"
"""Lists say that they want this one: for whoever has few calls among many, MongoDB might read everybody's ids."""

# MongoDB takes a partial index only for a query that repeats its filter: those below with a ``$type`` say it again.
INDEXES = [
    IndexModel([("history", ASCENDING), ("_id", DESCENDING)], name=HISTORY_INDEX),
    IndexModel(
        [("live_user_ids", ASCENDING), ("_id", ASCENDING)],
        name="live",
        partialFilterExpression={"live_user_ids": {"$exists": True}},
    ),
    IndexModel([("due_at", ASCENDING)], name="due", partialFilterExpression={"due_at": {"$type": "date"}}),
    IndexModel([("lease_until", ASCENDING)], name="leases", partialFilterExpression={"lease_until": {"$type": "date"}}),
    IndexModel([("forgotten", ASCENDING)], name="forgotten", partialFilterExpression={"forgotten": True}),
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

NEWEST_FIRST = [("_id", DESCENDING)]
FORGOTTEN: Document = {"forgotten": True}
WITHOUT_TOKENS: Document = {"history": {"$exists": False}}
BATCH = 500
"""Calls that are changed at once: some 50 ms of a database, far below the deadline of one operation."""
MAX_PEOPLE = 100
"""Of a search. MongoDB merges 200 ranges of an index in order, and no more (internalQueryMaxScansToExplode); a person
may need two."""


class Entry(NamedTuple):
    """A call in somebody's history, and whether they have missed it and not yet seen that."""

    call: Call
    unread: bool


def pair_of(user_ids: Iterable[str]) -> str:
    """The same text for two people whoever of them comes first."""
    return ":".join(sorted(user_ids))


class CallStore:
    """Calls in MongoDB. Every change is one write on condition of ``rev``."""

    def __init__(self, database: Database) -> None:
        self._calls: Collection = database.collection("calls")
        self.on_delete: list[Callable[[list[str]], Awaitable[object]]] = []
        """Given the ids of calls whose content nobody can read any more: it goes."""

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._calls.ensure_indexes(INDEXES)

    async def insert(self, call: Call) -> None:
        """Stores a new call; raises :class:`~server.store.driver.Duplicate` if the pair's phone rings already, or for
        a ``client_key`` that was used before."""
        await self._calls.insert(document_of(call))

    async def replace(self, call: Call, *, rev: int) -> bool:
        """Stores ``call`` if the stored one still has ``rev``; false if somebody was faster."""
        return await self._calls.replace({"_id": call.call_id, "rev": rev}, document_of(call))

    async def get(self, call_id: str) -> Call | None:
        """The call with that id."""
        return _call(await self._calls.find_one({"_id": call_id}))

    async def there_among(self, call_ids: list[str]) -> set[str]:
        """Which of these are ids of calls."""
        found = await self._calls.find({"_id": {"$in": call_ids}}, fields=["_id"])
        return {str(document["_id"]) for document in found}

    async def by_client_key(self, user_id: str, client_key: str) -> Call | None:
        """The call that the person placed with that key."""
        key = {"$eq": client_key, "$type": "string"}
        return _call(await self._calls.find_one({"created_by.id": user_id, "client_key": key}))

    async def live_of(self, user_id: str) -> list[Call]:
        """The calls that ring for or hold that person now, oldest first."""
        return _all(await self._calls.find({"live_user_ids": user_id}, sort=[("_id", ASCENDING)]))

    async def live_of_any(self, user_ids: list[str]) -> list[Call]:
        """The calls that ring for or hold any of these people now, oldest first."""
        return _all(await self._calls.find({"live_user_ids": {"$in": user_ids}}, sort=[("_id", ASCENDING)]))

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

    # ── history ──

    async def history(
        self,
        user_id: str,
        *,
        limit: int,
        kind: tokens.Filter = "all",
        people: Sequence[str] | None = None,
        state: str | None = None,
        before: str | None = None,
    ) -> list[Entry]:
        """The calls in a person's history, newest first, at most ``limit``.

        ``kind`` chooses among them; ``people`` (user ids, at most :data:`MAX_PEOPLE`) gives those together with one of
        these; ``state`` those in that state, of all kinds; ``before`` is the id of the last one that was seen.
        """
        query = _in_history(tokens.wanted(user_id, kind, people)) if state is None else _in_state(user_id, state)
        if before is not None:
            query["_id"] = {"$lt": before}  # UUIDv7: the order of ids is the order of time
        found = await self._calls.find(query, sort=NEWEST_FIRST, limit=limit, hint=HISTORY_INDEX)
        unread = tokens.unread(user_id)
        # Read first: making a call of a document takes it apart.
        marks = [unread in document.get("history", ()) for document in found]
        return [Entry(call, mark) for call, mark in zip(_all(found), marks, strict=True)]

    async def count_unread(self, user_id: str) -> int:
        """How many calls the person has missed and not yet seen."""
        return await self._calls.count({"history": tokens.unread(user_id)})

    async def mark_seen(self, user_id: str, until: str | None = None) -> int:
        """The person has seen the calls that they missed, up to the one with the id ``until``; returns how many."""
        token = tokens.unread(user_id)
        seen = 0
        bound: Document = {} if until is None else {"_id": {"$lte": until}}
        live: Document = {"history": token, "live_user_ids": {"$exists": True}} | bound
        for call in _all(await self._calls.find(live, hint=HISTORY_INDEX)):
            seen += await self._mark_seen_while_it_goes_on(call, user_id)
        while ids := await self._ended_ids({"history": token}, until):
            seen += await self._calls.update_all({"_id": {"$in": ids}, "state": "ended"}, {"$pull": {"history": token}})
        return seen

    async def _mark_seen_while_it_goes_on(self, call: Call | None, user_id: str) -> bool:
        while call is not None and not call.is_over:
            seen = seen_as_missed(call, user_id)
            if seen is call:
                return False
            if await self.replace(seen, rev=call.rev):
                return True
            call = await self.get(call.call_id)
        return False

    async def forget(self, user_id: str, call_id: str) -> bool:
        """Takes an ended call out of one person's history; false if it is not there, or goes on."""
        return await self._forget(user_id, [call_id]) > 0

    async def forget_all(self, user_id: str, until: str | None = None) -> int:
        """Takes every ended call out of one person's history, up to the one with the id ``until``; returns how many."""
        forgotten = 0
        while ids := await self._ended_ids({"history": user_id}, until):
            forgotten += await self._forget(user_id, ids)
        return forgotten

    async def give_tokens(self) -> int:
        """Gives the calls that an earlier version stored their tokens, what was missed as seen; returns how many.

        What nobody has in a history any more, and an earlier version has left, is found by :meth:`remove_forgotten`
        from then on. Done again, or by two processes at once, it changes nothing.
        """
        await self._calls.update_all({"history": [], "state": "ended"}, {"$set": FORGOTTEN})
        given = 0
        while found := await self._calls.find(WITHOUT_TOKENS, limit=BATCH):
            given += await self._calls.update_each(
                [
                    (
                        {"_id": call.call_id, "rev": call.rev} | WITHOUT_TOKENS,
                        {"$set": {"history": tokens.tokens(call, seen=True)}},
                    )
                    for call in _all(found)
                ]
            )
        return given

    async def _ended_ids(self, query: Document, until: str | None) -> list[str]:
        """The newest ended calls of a list, as many as are changed at once."""
        bound: Document = {} if until is None else {"_id": {"$lte": until}}
        found = await self._calls.find(
            query | bound | {"state": "ended"}, sort=NEWEST_FIRST, limit=BATCH, fields=["_id"], hint=HISTORY_INDEX
        )
        return [document["_id"] for document in found]

    async def _forget(self, user_id: str, call_ids: list[str]) -> int:
        query: Document = {"_id": {"$in": call_ids}, "state": "ended", "history": user_id}
        return await self._calls.update_all(query, _without_tokens_of(user_id))

    async def remove_forgotten(self) -> int:
        """Removes the content of calls that nobody who took part has in their history any more, and the calls that
        nobody has; returns how many calls that were.

        Content goes first, one call's at a time: a crash leaves a call that is found again, and nothing that is not.
        """
        removed = 0
        while found := await self._calls.find(FORGOTTEN, limit=BATCH, fields=["_id"]):
            for document in found:
                await self._remove_forgotten(document["_id"])
            removed += len(found)
        return removed

    async def _remove_forgotten(self, call_id: str) -> None:
        for delete in self.on_delete:
            await delete([call_id])
        await self._calls.delete({"_id": call_id, "history": []} | FORGOTTEN)
        # Who only missed it still has it. Whoever is faster and removes that, too, makes it forgotten once more.
        await self._calls.update({"_id": call_id, "history": {"$ne": []}} | FORGOTTEN, {"$set": {"forgotten": False}})


def _without_tokens_of(user_id: str) -> list[Document]:
    """The change of a call that takes it out of one person's history, and says whether it is forgotten then."""
    first, behind = {"$literal": user_id}, {"$literal": user_id + tokens.AFTER_SEPARATOR}
    is_theirs = {"$and": [{"$gte": ["$$token", first]}, {"$lt": ["$$token", behind]}]}
    others = {"$filter": {"input": "$history", "as": "token", "cond": {"$not": [is_theirs]}}}
    took_part = {"$or": [{"$gt": ["$$leg.joined_at", None]}, {"$eq": ["$$leg.was_in", True]}]}
    legs = {"$filter": {"input": "$legs", "as": "leg", "cond": took_part}}
    readers = {"$map": {"input": legs, "as": "leg", "in": "$$leg.user.id"}}
    return [
        {"$set": {"history": others}},
        {"$set": {"forgotten": {"$eq": [{"$setIntersection": ["$history", readers]}, []]}}},
    ]


def _in_history(wanted: list[str]) -> Document:
    return {"history": wanted[0] if len(wanted) == 1 else {"$in": wanted}}


def _in_state(user_id: str, state: str) -> Document:
    """Almost every call has ended, so that few are looked at in vain; those that go on have a token for it."""
    return {"history": user_id, "state": state} if state == "ended" else {"history": tokens.live(user_id, state)}


def document_of(call: Call) -> Document:
    """The call as it is stored, with what its indexes need."""
    document: dict[str, Any] = msgspec.to_builtins(call, builtin_types=(datetime,))
    document["_id"] = document.pop("call_id")
    document["due_at"] = call.due_at
    document["history"] = tokens.tokens(call)
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
