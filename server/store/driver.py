"""The only place that knows motor: a database whose every operation has a deadline and one way to be away.

Motor's bug fixes ended in May 2026 and PyMongo's own async API follows it; everything above this file uses the part
that both share, so that the change is made here alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from bson.codec_options import CodecOptions
from gridfs.errors import CorruptGridFile, NoFile
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorGridFSBucket
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument, UpdateOne
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
)
from pymongo.write_concern import WriteConcern

from server.config import ConfigError
from server.errors import Unavailable
from server.settings import MongoSettings

__all__ = [
    "ASCENDING",
    "DESCENDING",
    "Collection",
    "ConfigurationError",
    "Database",
    "Document",
    "Duplicate",
    "Files",
    "IndexModel",
    "NewFile",
    "NoSuchFile",
    "OperationFailure",
    "connect",
]

Document = dict[str, Any]
Sort = Sequence[tuple[str, int]]
T = TypeVar("T")

DEADLINE_FACTOR = 1.25
"""Motor lets a few threads wait for MongoDB, and an operation's own time-out begins when a thread takes it up. While
the database hangs, operations queue for threads, so the wait is bounded here as well: a quarter later."""

STEPPING_DOWN = frozenset({91, 189, 10107, 11600, 11602, 13435, 13436})
"""Server errors that mean «not now»: shutdown and change of primary (MongoDB server/mongo/base/error_codes.yml)."""

CHANGED_INDEX = frozenset({85, 86})
"""IndexOptionsConflict and IndexKeySpecsConflict: an index of that name or key has other options."""


PIECE_BYTES = 255 * 1024
"""GridFS's own size of a piece: with what is around it, it stays below 256 KiB."""
READ_BYTES = 256 * 1024
"""How much of a file is in memory at a time while somebody reads it."""
PIECES_AT_A_TIME = 64
"""Removed by one operation, some 16 MiB: of a large file all at once would take longer than an operation may."""


class Duplicate(Exception):
    """A unique index holds such a document already."""


class NoSuchFile(Exception):
    """There is no file of that id, or none any more."""


class Collection:
    """One collection. Each operation raises :class:`~server.errors.Unavailable` when the database is away or slow."""

    def __init__(self, motor: Any, deadline_s: float) -> None:
        self._motor = motor
        self._deadline_s = deadline_s

    async def find_one(self, query: Mapping[str, Any], fields: Sequence[str] | None = None) -> Document | None:
        """The first document that matches."""
        found: Document | None = await self._run(lambda: self._motor.find_one(query, fields))
        return found

    async def find(
        self,
        query: Mapping[str, Any],
        *,
        sort: Sort = (),
        limit: int = 0,
        fields: Sequence[str] | None = None,
        hint: str | None = None,
    ) -> list[Document]:
        """Every document that matches, in order, at most ``limit`` (0: all); ``hint`` names the index to be read."""
        cursor = self._motor.find(query, fields, limit=limit, sort=list(sort) or None, hint=hint)
        found: list[Document] = await self._run(lambda: cursor.to_list(None))
        return found

    async def count(self, query: Mapping[str, Any]) -> int:
        """How many documents match."""
        number: int = await self._run(lambda: self._motor.count_documents(query))
        return number

    async def total(self, field: str) -> int:
        """The sum of a field over all documents."""
        stages = [{"$group": {"_id": None, "total": {"$sum": f"${field}"}}}]
        found: list[Document] = await self._run(lambda: self._motor.aggregate(stages).to_list(1))
        return int(found[0]["total"]) if found else 0

    async def aggregate(self, stages: Sequence[Mapping[str, Any]]) -> list[Document]:
        """What comes out of the stages of an aggregation."""
        found: list[Document] = await self._run(lambda: self._motor.aggregate(list(stages)).to_list(None))
        return found

    async def insert(self, document: Document) -> None:
        """Stores a new document; raises :class:`Duplicate`."""
        await self._run(lambda: self._motor.insert_one(document))

    async def insert_all(self, documents: list[Document]) -> None:
        """Stores new documents, as many as possible; those that are there already stay as they are."""
        await self._run(lambda: self._motor.insert_many(documents, ordered=False))

    async def replace(self, query: Mapping[str, Any], document: Document) -> bool:
        """Puts ``document`` in the place of the one that matches; false if none did."""
        result = await self._run(lambda: self._motor.replace_one(query, document))
        return bool(result.matched_count)

    async def update(self, query: Mapping[str, Any], change: Mapping[str, Any], *, upsert: bool = False) -> bool:
        """Changes the first document that matches; false if none did."""
        result = await self._run(lambda: self._motor.update_one(query, change, upsert=upsert))
        return bool(result.matched_count or result.upserted_id)

    async def update_all(
        self, query: Mapping[str, Any], change: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    ) -> int:
        """Changes every document that matches, by a change or the stages of one; returns how many were changed."""
        result = await self._run(lambda: self._motor.update_many(query, change))
        return int(result.modified_count)

    async def update_each(self, changes: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> int:
        """Changes for each ``(query, change)`` the first document that matches, in one request; returns how many were
        changed."""
        requests = [UpdateOne(query, change) for query, change in changes]
        result = await self._run(lambda: self._motor.bulk_write(requests, ordered=False))
        return int(result.modified_count)

    async def update_and_get(
        self, query: Mapping[str, Any], change: Mapping[str, Any], *, upsert: bool = False
    ) -> Document | None:
        """Changes the first document that matches and returns it as it is then."""
        found: Document | None = await self._run(
            lambda: self._motor.find_one_and_update(query, change, upsert=upsert, return_document=ReturnDocument.AFTER)
        )
        return found

    async def delete(self, query: Mapping[str, Any]) -> int:
        """Removes every document that matches; returns how many."""
        result = await self._run(lambda: self._motor.delete_many(query))
        return int(result.deleted_count)

    async def explain(self, query: Mapping[str, Any], *, sort: Sort = (), limit: int = 0) -> Document:
        """MongoDB's plan for a query, as it says it."""
        cursor = self._motor.find(query, limit=limit, sort=list(sort) or None)
        plan: Document = await self._run(lambda: cursor.explain())
        return plan

    async def ensure_indexes(self, indexes: Sequence[IndexModel]) -> None:
        """Makes the indexes that are missing, and makes those anew whose options have changed; running it again
        changes nothing."""
        try:
            await self._create(*indexes)
        except OperationFailure as error:
            if error.code not in CHANGED_INDEX:
                raise
            for index in indexes:
                await self._create_anew(index)

    async def _create_anew(self, index: IndexModel) -> None:
        try:
            await self._create(index)
        except OperationFailure as error:
            if error.code not in CHANGED_INDEX:
                raise
            await self._drop(index)
            await self._create(index)

    async def _create(self, *indexes: IndexModel) -> None:
        await self._run(lambda: self._motor.create_indexes(list(indexes)))

    async def _drop(self, index: IndexModel) -> None:
        await self._run(lambda: self._motor.drop_index(index.document["name"]))

    async def _run(self, operation: Callable[[], Awaitable[T]]) -> T:
        return await _guarded(operation, self._deadline_s)


class Files:
    """Files in GridFS, by ids that the caller gives them; errors are those of :class:`Collection`.

    MongoDB keeps a file as one document in ``<name>.files`` and pieces in ``<name>.chunks``. The pieces are written
    first and removed last: of whatever was broken off the first piece is there, and :meth:`ids` finds it.
    """

    def __init__(self, motor: Any, name: str, deadline_s: float) -> None:
        self._motor = motor
        self._name = name
        self._deadline_s = deadline_s
        self._files = Collection(motor.get_collection(f"{name}.files"), deadline_s)
        self._chunks = Collection(motor.get_collection(f"{name}.chunks"), deadline_s)

    async def ensure_indexes(self) -> None:
        """Makes the indexes that every GridFS bucket has (GridFS specification, «Before write operations»)."""
        by_name = IndexModel([("filename", ASCENDING), ("uploadDate", ASCENDING)], name="filename_1_uploadDate_1")
        pieces = IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], name="files_id_1_n_1", unique=True)
        await self._files.ensure_indexes([by_name])
        await self._chunks.ensure_indexes([pieces])

    async def upload(self, file_id: str, content: bytes) -> None:
        """Stores a file; raises :class:`Duplicate` for an id that is taken. What was begun in vain is taken back."""
        file = self.new(file_id)
        await file.write(content)
        await file.close()

    def new(self, file_id: str) -> NewFile:
        """A file that is stored piece by piece; nothing of it can be read before it is closed."""
        return NewFile(self, self._chunks, self._files, file_id)

    async def read(self, file_id: str, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from ``begin`` up to and without ``end``, in pieces; raises :class:`NoSuchFile` before the first,
        and in the middle for a file that somebody removes meanwhile."""
        try:
            stream = await self._run(lambda: self._bucket().open_download_stream(file_id))
        except NoFile:
            raise NoSuchFile from None
        stream.seek(begin)
        left = end - begin
        while left > 0:
            size = min(left, READ_BYTES)
            try:
                piece: bytes = await self._run(lambda size=size: stream.read(size))  # type: ignore[misc]
            except CorruptGridFile:
                piece = b""
            if not piece:
                raise NoSuchFile
            left -= len(piece)
            yield piece

    async def delete(self, file_id: str) -> None:
        """Removes a file, or what is left of one; that there is none is no error.

        However large it is, and wherever it breaks off: nobody reads it any more, and the first piece goes last.
        """
        await self._files.delete({"_id": file_id})
        behind_the_first: Document = {"files_id": file_id, "n": {"$gt": 0}}
        last_first = [("n", DESCENDING)]
        while pieces := await self._chunks.find(
            behind_the_first, sort=last_first, limit=PIECES_AT_A_TIME, fields=["n"]
        ):
            await self._chunks.delete({"files_id": file_id, "n": {"$gte": pieces[-1]["n"]}})
        await self._chunks.delete({"files_id": file_id})

    async def ids(self, *, after: str, before: str, limit: int) -> list[str]:
        """The ids between ``after`` and ``before`` of whatever takes room here, whole files or not, in order."""
        query = {"files_id": {"$gt": after, "$lt": before}, "n": 0}
        found = await self._chunks.find(query, sort=[("files_id", ASCENDING)], limit=limit, fields=["files_id"])
        return [str(each["files_id"]) for each in found]

    def _bucket(self) -> Any:
        # Made where it is used: it belongs to the running loop, and a server is put together before there is one.
        return AsyncIOMotorGridFSBucket(self._motor, self._name)

    async def _run(self, operation: Callable[[], Awaitable[T]]) -> T:
        return await _guarded(operation, self._deadline_s)


class NewFile:
    """A file while it comes in. Whatever fails takes back what was stored of it.

    PyMongo's own writer keeps 48 MB in memory before it stores anything; this one keeps a piece. What it stores is the
    same: the pieces, and then the document that makes a file of them (GridFS specification, «File upload»).
    """

    def __init__(self, files: Files, pieces: Collection, documents: Collection, file_id: str) -> None:
        self._files = files
        self._pieces = pieces
        self._documents = documents
        self._file_id = file_id
        self._rest = bytearray()
        self._stored = 0  # pieces
        self._length_bytes = 0

    async def write(self, content: bytes) -> None:
        """Adds ``content``; raises :class:`Duplicate` for an id that is taken."""
        self._rest += content
        self._length_bytes += len(content)
        while len(self._rest) >= PIECE_BYTES:
            await self._store(bytes(self._rest[:PIECE_BYTES]))
            del self._rest[:PIECE_BYTES]

    async def close(self) -> None:
        """It is whole; raises as :meth:`write`."""
        if self._rest:
            await self._store(bytes(self._rest))
        document = {
            "_id": self._file_id,
            "filename": "",
            "chunkSize": PIECE_BYTES,
            "length": self._length_bytes,
            "uploadDate": datetime.now(UTC),
        }
        await self._attempt(lambda: self._documents.insert(document))

    async def take_back(self) -> None:
        """It will never be whole."""
        with suppress(Unavailable):  # then its pieces are found later, without a file
            await asyncio.shield(self._files.delete(self._file_id))

    async def _store(self, data: bytes) -> None:
        if self._stored == 0 and await self._documents.find_one({"_id": self._file_id}, ["_id"]):
            raise Duplicate("_id")
        piece = {"files_id": self._file_id, "n": self._stored, "data": data}
        await self._attempt(lambda: self._pieces.insert(piece))
        self._stored += 1

    async def _attempt(self, operation: Callable[[], Awaitable[None]]) -> None:
        try:
            await operation()
        except Duplicate:
            if self._stored > 0:
                await self.take_back()
            raise Duplicate("_id") from None
        except BaseException:
            await self.take_back()
            raise


class Database:
    """A database and the client that reaches it; belongs to the event loop it was made in.

    No operation takes longer than ``deadline_s`` seconds.
    """

    def __init__(self, client: Any, name: str, deadline_s: float) -> None:
        self._client = client
        self._deadline_s = deadline_s
        self._motor = client.get_database(
            name,
            codec_options=CodecOptions(tz_aware=True, tzinfo=UTC),
            # What was acknowledged outlives the crash of a node.
            write_concern=WriteConcern(w="majority", j=True),
        )
        self.name = name

    def collection(self, name: str) -> Collection:
        """The collection of that name."""
        return Collection(self._motor.get_collection(name), self._deadline_s)

    def files(self, name: str) -> Files:
        """The files of that name."""
        return Files(self._motor, name, self._deadline_s)

    async def ping(self) -> None:
        """Raises :class:`~server.errors.Unavailable` unless the database answers."""
        await _guarded(lambda: self._motor.command("ping"), self._deadline_s)

    async def drop(self) -> None:
        """Removes the whole database."""
        await _guarded(lambda: self._client.drop_database(self.name), self._deadline_s)

    def close(self) -> None:
        """Ends all connections; operations under way fail."""
        self._client.close()


def connect(settings: MongoSettings, uri: str) -> Database:
    """A database at ``uri``; nothing is asked of it yet. Deadlines are in ``settings`` (milliseconds).

    Raises :class:`~server.config.ConfigError` for a ``uri`` that is none.
    """
    try:
        client: Any = AsyncIOMotorClient(
            uri,
            timeoutMS=settings.timeout_ms,
            serverSelectionTimeoutMS=settings.server_selection_timeout_ms,
            connectTimeoutMS=settings.timeout_ms,
            waitQueueTimeoutMS=settings.wait_queue_timeout_ms,
            maxPoolSize=settings.max_pool_size,
            appname="ringback",
        )
    except (ConfigurationError, ValueError):  # what it says may hold a piece of the password
        rule = "user name and password must be percent-encoded (RFC 3986), the hosts host[:port], the options MongoDB's"
        raise ConfigError("mongo.uri", "the value (hidden) cannot be used", rule, "the settings") from None
    return Database(client, settings.database, settings.timeout_ms / 1000.0 * DEADLINE_FACTOR)


async def _guarded(operation: Callable[[], Awaitable[T]], deadline_s: float) -> T:
    try:
        async with asyncio.timeout(deadline_s):
            return await operation()
    except TimeoutError as error:
        raise Unavailable() from error
    except DuplicateKeyError as error:
        raise Duplicate(str(error.details.get("keyPattern") if error.details else "")) from None
    except BulkWriteError as error:
        if all(each.get("code") == 11000 for each in error.details.get("writeErrors", ())):
            return None  # type: ignore[return-value]  # only insert_all comes here, and it returns nothing
        raise
    except (ConnectionFailure, ExecutionTimeout) as error:
        raise Unavailable() from error
    except OperationFailure as error:
        if error.timeout or error.code in STEPPING_DOWN:
            raise Unavailable() from error
        raise
    except PyMongoError as error:
        if error.timeout:
            raise Unavailable() from error
        raise
