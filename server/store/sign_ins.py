"""The collections ``sign_ins`` and ``spent_tokens``: who is signed in where, and which one-use tokens were used."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from server.store.driver import ASCENDING, Collection, Database, Document, Duplicate, IndexModel

SIGN_IN_INDEXES = [
    IndexModel([("user_id", ASCENDING)], name="of_user"),
    IndexModel([("revoked_at", ASCENDING)], name="revoked", partialFilterExpression={"revoked_at": {"$type": "date"}}),
    IndexModel([("changed_at", ASCENDING)], name="changed", partialFilterExpression={"changed_at": {"$type": "date"}}),
    IndexModel(
        [("push.endpoint_key", ASCENDING)],
        name="pushed_to",
        partialFilterExpression={"push.endpoint_key": {"$type": "string"}},
    ),
    # MongoDB removes what has run out by itself, within a minute or so.
    IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0),
]
SPENT_INDEXES = [IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)]


class PushSubscription(msgspec.Struct, frozen=True):
    """Where the browser of a sign-in is pushed to (W3C Push API). ``endpoint_key`` is the endpoint's SHA-256 in hex,
    ``p256dh`` and ``auth`` are the browser's keys in base64url, ``failures`` counts refusals since the last success."""

    endpoint_key: str
    endpoint: str
    p256dh: str
    auth: str
    created_at: datetime
    locale: str | None = None
    failures: int = 0


class SignIn(msgspec.Struct, frozen=True):
    """One sign-in on one device. ``refresh_number`` is that of the one refresh token that is good now.

    ``last_seen_at`` is when the device was there last, to the minute or so; ``changed_at`` when the person last renamed
    or silenced it.
    """

    sign_in_id: str
    user_id: str
    device: str
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    refresh_number: int = 1
    revoked_at: datetime | None = None
    revoked_why: str | None = None
    silenced: bool = False
    last_seen_at: datetime | None = None
    changed_at: datetime | None = None
    push: PushSubscription | None = None


class SignInStore:
    """Sign-ins in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._sign_ins: Collection = database.collection("sign_ins")
        self._spent: Collection = database.collection("spent_tokens")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._sign_ins.ensure_indexes(SIGN_IN_INDEXES)
        await self._spent.ensure_indexes(SPENT_INDEXES)

    async def insert(self, sign_in: SignIn) -> None:
        """Stores a new sign-in."""
        document: dict[str, Any] = msgspec.to_builtins(sign_in, builtin_types=(datetime,))
        document["_id"] = document.pop("sign_in_id")
        await self._sign_ins.insert(document)

    async def get(self, sign_in_id: str) -> SignIn | None:
        """The sign-in with that id."""
        return _sign_in(await self._sign_ins.find_one({"_id": sign_in_id}))

    async def of(self, user_id: str, now: datetime) -> list[SignIn]:
        """The sign-ins of a person that are good now, in no particular order."""
        query = {"user_id": user_id, "revoked_at": None, "expires_at": {"$gt": now}}
        return [sign_in for sign_in in map(_sign_in, await self._sign_ins.find(query)) if sign_in is not None]

    async def every_one_of(self, user_id: str) -> list[SignIn]:
        """The sign-ins of a person, also those that are over and not yet removed."""
        return [each for each in map(_sign_in, await self._sign_ins.find({"user_id": user_id})) if each is not None]

    async def standing(self, sign_in_ids: Iterable[str], now: datetime) -> set[str]:
        """Those of ``sign_in_ids`` that are good now."""
        query = {"_id": {"$in": list(sign_in_ids)}, "revoked_at": None, "expires_at": {"$gt": now}}
        return {str(document["_id"]) for document in await self._sign_ins.find(query, fields=["_id"])}

    async def change(self, sign_in_id: str, user_id: str, **fields: Any) -> SignIn | None:
        """Sets ``fields`` of a sign-in of that person and returns it as it is then; ``None`` if it is over or there is
        none of theirs."""
        return _sign_in(
            await self._sign_ins.update_and_get(
                {"_id": sign_in_id, "user_id": user_id, "revoked_at": None}, {"$set": fields}
            )
        )

    async def subscribe(self, sign_in_id: str, user_id: str, push: PushSubscription) -> bool:
        """Lets that sign-in be pushed to, and takes the endpoint from any other: somebody else signed in there before.

        False if the sign-in is over or not that person's."""
        await self._sign_ins.update_all(
            {"push.endpoint_key": push.endpoint_key, "_id": {"$ne": sign_in_id}}, {"$unset": {"push": ""}}
        )
        document = msgspec.to_builtins(push, builtin_types=(datetime,))
        return await self.change(sign_in_id, user_id, push=document) is not None

    async def unsubscribe(self, sign_in_id: str, endpoint_key: str | None = None) -> bool:
        """Takes the subscription away, ``endpoint_key``: only if it is that one; false if there was none."""
        query: Document = {"_id": sign_in_id, "push": {"$type": "object"}}
        if endpoint_key is not None:
            query["push.endpoint_key"] = endpoint_key
        return await self._sign_ins.update(query, {"$unset": {"push": ""}})

    async def count_push_failure(self, sign_in_id: str, endpoint_key: str) -> int:
        """Notes that the push service refused a message; returns how many times in a row."""
        found = await self._sign_ins.update_and_get(
            {"_id": sign_in_id, "push.endpoint_key": endpoint_key}, {"$inc": {"push.failures": 1}}
        )
        return int(found["push"]["failures"]) if found else 0

    async def forget_push_failures(self, sign_in_id: str, endpoint_key: str) -> None:
        """The push service took a message."""
        await self._sign_ins.update(
            {"_id": sign_in_id, "push.endpoint_key": endpoint_key}, {"$set": {"push.failures": 0}}
        )

    async def changed_since(self, moment: datetime) -> list[SignIn]:
        """The sign-ins whose person renamed or silenced them at or after ``moment``."""
        query = {"changed_at": {"$gte": moment, "$type": "date"}, "revoked_at": None}
        return [sign_in for sign_in in map(_sign_in, await self._sign_ins.find(query)) if sign_in is not None]

    async def saw(self, sign_in_ids: Iterable[str], now: datetime) -> int:
        """Notes that these devices are there; a later time that another process has noted stays."""
        return await self._sign_ins.update_all({"_id": {"$in": list(sign_in_ids)}}, {"$max": {"last_seen_at": now}})

    async def rotate(self, sign_in_id: str, number: int, now: datetime, expires_at: datetime) -> bool:
        """Lets the refresh token after ``number`` be the good one; false if ``number`` is not the good one any more."""
        return await self._sign_ins.update(
            {"_id": sign_in_id, "refresh_number": number, "revoked_at": None},
            {"$set": {"refresh_number": number + 1, "refreshed_at": now, "expires_at": expires_at}},
        )

    async def prolong(self, sign_in_id: str, now: datetime, expires_at: datetime) -> bool:
        """The sign-in is in use and runs out later; false if it has ended."""
        return await self._sign_ins.update(
            {"_id": sign_in_id, "revoked_at": None}, {"$set": {"refreshed_at": now, "expires_at": expires_at}}
        )

    async def revoke(self, sign_in_id: str, now: datetime, why: str) -> bool:
        """Ends one sign-in; false if it had ended before."""
        return await self._sign_ins.update({"_id": sign_in_id, "revoked_at": None}, _ended(now, why))

    async def revoke_all(self, user_id: str, now: datetime, why: str, *, but: str | None = None) -> list[str]:
        """Ends every sign-in of a person ``but`` one; returns the ids of those that ended."""
        query: Document = {"user_id": user_id, "revoked_at": None}
        if but is not None:
            query["_id"] = {"$ne": but}
        ids = [str(document["_id"]) for document in await self._sign_ins.find(query, fields=["_id"])]
        await self._sign_ins.update_all({"_id": {"$in": ids}, "revoked_at": None}, _ended(now, why))
        return ids

    async def revoked_since(self, moment: datetime) -> list[str]:
        """The ids of sign-ins that ended at or after ``moment``, whoever ended them."""
        # The type is that of the partial index, which MongoDB would not take otherwise.
        found = await self._sign_ins.find({"revoked_at": {"$gte": moment, "$type": "date"}}, fields=["_id"])
        return [str(document["_id"]) for document in found]

    async def spend(self, token_id: str, expires_at: datetime) -> bool:
        """Uses up a one-use token; exactly one caller gets true."""
        try:
            await self._spent.insert({"_id": token_id, "expires_at": expires_at})
        except Duplicate:
            return False
        return True


def _ended(now: datetime, why: str) -> Document:
    """What a sign-in is when it ends; its browser is not pushed to any more."""
    return {"$set": {"revoked_at": now, "revoked_why": why}, "$unset": {"push": ""}}


def _sign_in(document: Document | None) -> SignIn | None:
    if document is None:
        return None
    document["sign_in_id"] = document.pop("_id")
    return msgspec.convert(document, SignIn)
