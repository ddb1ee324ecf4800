"""The collection ``contacts``: what two people are to each other, one document for each pair.

A pair's document comes into being with the first thing that one of them does, and every change of it is one write on
condition of what it says. ``state`` belongs to both; a favourite and a block belong to the one who set it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from server.errors import Conflict
from server.store.driver import ASCENDING, DESCENDING, Collection, Database, Document, Duplicate, IndexModel

RelationState = Literal["none", "requested", "contacts"]
"""What is stored: ``requested`` goes one way, from ``requested_by`` to ``requested_of``."""
ContactState = Literal["none", "sent", "received", "contacts"]
"""The same as one of the two sees it."""
ContactList = Literal["contacts", "received", "sent", "blocked", "favourites"]

MAX_RACES = 20
"""Tries of one request against faster changes; a pair has two actors, so this is never reached in honest use."""
REMEMBERED_REQUESTS = 100
"""Times kept of how often one person asked the other: whoever asks oftener is far past any limit."""

INDEXES = [
    IndexModel(
        [("users", ASCENDING), ("state", ASCENDING), ("accepted_at", DESCENDING), ("_id", DESCENDING)],
        name="contacts_of",
    ),
    IndexModel(
        [("requested_of", ASCENDING), ("state", ASCENDING), ("requested_at", DESCENDING), ("_id", DESCENDING)],
        name="received_by",
    ),
    IndexModel(
        [("requested_by", ASCENDING), ("state", ASCENDING), ("requested_at", DESCENDING), ("_id", DESCENDING)],
        name="sent_by",
    ),
    IndexModel([("blocked_by", ASCENDING), ("_id", DESCENDING)], name="blocked_by"),
    IndexModel([("favourite_of", ASCENDING), ("_id", DESCENDING)], name="favourite_of"),
    IndexModel([("blocks_changed_at", ASCENDING)], name="changed_blocks"),
]


class Standing(msgspec.Struct, frozen=True):
    """How somebody stands towards a person: are they contacts, has somebody blocked them, or made them a favourite."""

    contact: bool = False
    blocked: bool = False
    favourite: bool = False


class Relation(msgspec.Struct, frozen=True):
    """What two people are to each other, as stored."""

    users: tuple[str, str]
    state: RelationState = "none"
    requested_by: str | None = None
    requested_at: datetime | None = None
    accepted_at: datetime | None = None
    favourite_of: tuple[str, ...] = ()
    blocked_by: tuple[str, ...] = ()

    def other(self, user_id: str) -> str:
        """The one of the two who is not ``user_id``."""
        return self.users[1] if self.users[0] == user_id else self.users[0]

    def state_for(self, user_id: str) -> ContactState:
        """What that person sees: whoever has blocked the other sees no request of theirs."""
        if self.state == "contacts":
            return "contacts"
        if self.state == "none":
            return "none"
        if self.requested_by == user_id:
            return "sent"
        return "none" if user_id in self.blocked_by else "received"

    def since_for(self, user_id: str) -> datetime | None:
        """When it became what :meth:`state_for` says."""
        state = self.state_for(user_id)
        return None if state == "none" else self.accepted_at if state == "contacts" else self.requested_at

    def standing_of(self, user_id: str) -> Standing:
        """How that person stands towards the other."""
        return Standing(self.state == "contacts", user_id in self.blocked_by, user_id in self.favourite_of)


class Asked(NamedTuple):
    """What came of a request: the relation as it is then, and whether the request has changed it."""

    relation: Relation
    changed: bool


class Cursor(NamedTuple):
    """Where a page of a list ends: the time of its last item (``None`` in a list without times) and its person."""

    at: datetime | None
    user_id: str


class _Listing(NamedTuple):
    """How one list is asked for: the field that holds the person, what else must be so, and the time it goes by."""

    field: str
    also: Mapping[str, Any]
    time: str | None


LISTINGS: dict[ContactList, _Listing] = {
    "contacts": _Listing("users", {"state": "contacts"}, "accepted_at"),
    "received": _Listing("requested_of", {"state": "requested"}, "requested_at"),
    "sent": _Listing("requested_by", {"state": "requested"}, "requested_at"),
    "blocked": _Listing("blocked_by", {}, None),
    "favourites": _Listing("favourite_of", {}, None),
}

ENDED: Document = {"$set": {"state": "none"}}
BLOCKS_CHANGED: Document = {"$currentDate": {"blocks_changed_at": True}}


def relation_id(user_id: str, other_id: str) -> str:
    """The id of a pair's document, the same whoever of them comes first."""
    return ":".join(sorted((user_id, other_id)))


class ContactStore:
    """Relations in MongoDB. What cannot be done as things stand changes nothing and gives ``None``."""

    def __init__(self, database: Database) -> None:
        self._contacts: Collection = database.collection("contacts")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._contacts.ensure_indexes(INDEXES)

    # ── asking ──

    async def get(self, user_id: str, other_id: str) -> Relation:
        """What the two are to each other; an empty relation for people who have never had to do with each other."""
        found = await self._contacts.find_one({"_id": relation_id(user_id, other_id)})
        return _relation(found) or _nothing_between(user_id, other_id)

    async def relations(self, user_id: str, other_ids: Iterable[str]) -> dict[str, Relation]:
        """The stored relations of a person to others, by their ids; one read."""
        ids = [relation_id(user_id, other_id) for other_id in other_ids]
        found = map(_relation, await self._contacts.find({"_id": {"$in": ids}})) if ids else ()
        return {relation.other(user_id): relation for relation in found if relation is not None}

    async def standings(self, user_id: str, other_ids: Iterable[str]) -> dict[str, Standing]:
        """How each of ``other_ids`` stands towards ``user_id``; one read.

        ``blocked``: that other person has blocked ``user_id``; ``favourite``: has made ``user_id`` a favourite.
        """
        others = list(other_ids)
        known = await self.relations(user_id, others)
        return {each: known[each].standing_of(each) if each in known else Standing() for each in others}

    async def page(
        self, user_id: str, which: ContactList, *, limit: int, before: Cursor | None = None
    ) -> list[Relation]:
        """A page of one list of a person, newest first; ``before`` is where the last page ended.

        ``blocked`` and ``favourites`` carry no time; their order is only the same each time.
        """
        listing = LISTINGS[which]
        query: Document = {listing.field: user_id} | dict(listing.also)
        if which == "received":
            query["blocked_by"] = {"$ne": user_id}
        if before is not None:
            query |= _beyond(listing, relation_id(user_id, before.user_id), before.at)
        sort = [("_id", DESCENDING)] if listing.time is None else [(listing.time, DESCENDING), ("_id", DESCENDING)]
        return _all(await self._contacts.find(query, sort=sort, limit=limit))

    async def every_one_of(self, user_id: str) -> list[Relation]:
        """Everything between that person and others."""
        return _all(await self._contacts.find({"users": user_id}))

    async def blocks_changed_since(self, moment: datetime) -> list[Relation]:
        """The pairs between which a block began or ended at or after ``moment``, by MongoDB's clock."""
        return _all(await self._contacts.find({"blocks_changed_at": {"$gte": moment}}))

    async def requests_since(self, user_id: str, since: datetime, *, limit: int) -> list[datetime]:
        """When that person asked somebody after ``since``, oldest first, also what was withdrawn or declined since;
        of at most ``limit`` people."""
        # Every state is named, so that the index goes by the time.
        query = {
            "requested_by": user_id,
            "state": {"$in": ["none", "requested", "contacts"]},
            "requested_at": {"$gt": since},
        }
        found = await self._contacts.find(query, limit=limit, fields=[f"asked_at.{user_id}"])
        return sorted(moment for each in found for moment in each["asked_at"][user_id] if moment > since)

    # ── changing ──

    async def request(self, user_id: str, other_id: str, now: datetime) -> Asked | None:
        """Asks the other to be a contact; where they have asked already, both are contacts then.

        Asking again changes nothing. ``None`` if ``user_id`` has blocked the other.
        """
        for _ in range(MAX_RACES):
            accepted = await self.accept(user_id, other_id, now)
            if accepted is not None:
                return Asked(accepted, changed=True)
            try:
                return Asked(await self._ask(user_id, other_id, now), changed=True)
            except Duplicate:  # there is a document, and it does not say what was wanted of it
                relation = await self.get(user_id, other_id)
                if user_id in relation.blocked_by:
                    return None
                if relation.state_for(user_id) in ("sent", "contacts"):
                    return Asked(relation, changed=False)
        raise Conflict()

    async def _ask(self, user_id: str, other_id: str, now: datetime) -> Relation:
        asked = {"state": "requested", "requested_by": user_id, "requested_of": other_id, "requested_at": now}
        change = {"$set": asked, "$push": {f"asked_at.{user_id}": {"$each": [now], "$slice": -REMEMBERED_REQUESTS}}}
        # What is not there yet is ``null`` here: the first request makes the document.
        condition = {"state": {"$in": ["none", None]}, "blocked_by": {"$ne": user_id}}
        changed = await self._change(user_id, other_id, condition, change, make=True)
        assert changed is not None  # an upsert either finds one, or makes one, or raises
        return changed

    async def accept(self, user_id: str, other_id: str, now: datetime) -> Relation | None:
        """Takes up the other's request; ``None`` if there is none, or they are blocked."""
        condition = {"state": "requested", "requested_by": other_id, "blocked_by": {"$ne": user_id}}
        return await self._change(user_id, other_id, condition, {"$set": {"state": "contacts", "accepted_at": now}})

    async def decline(self, user_id: str, other_id: str) -> Relation | None:
        """Turns the other's request down; ``None`` if there is none, or they are blocked."""
        condition = {"state": "requested", "requested_by": other_id, "blocked_by": {"$ne": user_id}}
        return await self._change(user_id, other_id, condition, ENDED)

    async def remove(self, user_id: str, other_id: str) -> Relation | None:
        """Withdraws the own request or ends the contact; ``None`` if there is neither."""
        condition = {"$or": [{"state": "contacts"}, {"state": "requested", "requested_by": user_id}]}
        return await self._change(user_id, other_id, condition, ENDED)

    async def set_favourite(self, user_id: str, other_id: str, favourite: bool) -> Relation | None:
        """Makes the other a favourite of ``user_id``, or not any more; ``None`` for one whom they have blocked."""
        if not favourite:
            change = {"$pull": {"favourite_of": user_id}}
            return await self._change(user_id, other_id, {}, change) or _nothing_between(user_id, other_id)
        try:
            return await self._change(
                user_id,
                other_id,
                {"blocked_by": {"$ne": user_id}},
                {"$addToSet": {"favourite_of": user_id}},
                make=True,
            )
        except Duplicate:
            return None

    async def block(self, user_id: str, other_id: str) -> Relation:
        """Blocks the other: contact, requests both ways, and the favourite of ``user_id`` end with that."""
        change = {"$addToSet": {"blocked_by": user_id}, "$pull": {"favourite_of": user_id}} | ENDED | BLOCKS_CHANGED
        blocked = await self._change(user_id, other_id, {}, change, make=True)
        assert blocked is not None
        return blocked

    async def unblock(self, user_id: str, other_id: str) -> Relation:
        """Ends a block. What it ended stays ended, and so does a request that came meanwhile: it was never shown."""
        held = await self._change(
            user_id, other_id, {"blocked_by": user_id}, {"$pull": {"blocked_by": user_id}} | ENDED | BLOCKS_CHANGED
        )
        return held or await self.get(user_id, other_id)

    async def remove_all(self, user_id: str) -> int:
        """Removes everything between that person and others; returns how many documents."""
        return await self._contacts.delete({"users": user_id})

    async def _change(
        self, user_id: str, other_id: str, condition: Mapping[str, Any], change: Document, *, make: bool = False
    ) -> Relation | None:
        """One write on condition; ``make``: where there is no document, one is made, and where there is one of which
        the condition does not hold, :class:`~server.store.driver.Duplicate` is raised."""
        key = relation_id(user_id, other_id)
        if make:
            change = change | {"$setOnInsert": {"users": key.split(":")}}
        return _relation(await self._contacts.update_and_get({"_id": key} | dict(condition), change, upsert=make))


def _beyond(listing: _Listing, last_id: str, last_at: datetime | None) -> Document:
    if listing.time is None:
        return {"_id": {"$lt": last_id}}
    return {listing.time: {"$lte": last_at}, "$or": [{listing.time: {"$lt": last_at}}, {"_id": {"$lt": last_id}}]}


def _nothing_between(user_id: str, other_id: str) -> Relation:
    smaller, larger = sorted((user_id, other_id))
    return Relation((smaller, larger))


def _relation(document: Document | None) -> Relation | None:
    return None if document is None else msgspec.convert(document, Relation)


def _all(documents: list[Document]) -> list[Relation]:
    return [relation for relation in map(_relation, documents) if relation is not None]
