"""The driver: every operation has a deadline, and one way to say that the database is away."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from tornado.testing import bind_unused_port

from server.config import ConfigError
from server.errors import Unavailable
from server.settings import MongoSettings
from server.store import driver
from server.store.driver import (
    ASCENDING,
    DEADLINE_FACTOR,
    DESCENDING,
    READ_BYTES,
    Collection,
    Database,
    Duplicate,
    Files,
    IndexModel,
    NoSuchFile,
    OperationFailure,
    connect,
)
from server.store.embedded import EmbeddedMongo
from tests.helpers import until
from tests.store.conftest import Profile

QUICK = MongoSettings(timeout_ms=200, server_selection_timeout_ms=200, wait_queue_timeout_ms=200)
DEADLINE_S = 0.2 * DEADLINE_FACTOR
BUSY_MACHINE_S = 1.0  # what a loaded machine may add

Operation = Callable[[Collection], Awaitable[object]]
OPERATIONS: dict[str, Operation] = {
    "find_one": lambda things: things.find_one({"_id": 1}),
    "find": lambda things: things.find({"_id": 1}, sort=[("_id", ASCENDING)], limit=1),
    "count": lambda things: things.count({"_id": 1}),
    "total": lambda things: things.total("size"),
    "insert": lambda things: things.insert({"_id": time.time()}),
    "insert_all": lambda things: things.insert_all([{"_id": time.time()}]),
    "replace": lambda things: things.replace({"_id": 1}, {"a": 1}),
    "update": lambda things: things.update({"_id": 1}, {"$set": {"a": 1}}),
    "update_all": lambda things: things.update_all({"_id": 1}, {"$set": {"a": 1}}),
    "update_each": lambda things: things.update_each([({"_id": 1}, {"$set": {"a": 1}})]),
    "update_and_get": lambda things: things.update_and_get({"_id": 1}, {"$set": {"a": 1}}),
    "delete": lambda things: things.delete({"_id": 1}),
    "explain": lambda things: things.explain({"_id": 1}),
    "ensure_indexes": lambda things: things.ensure_indexes([IndexModel([("a", ASCENDING)], name="a")]),
}


FILE_OPERATIONS: dict[str, Callable[[Files], Awaitable[object]]] = {
    "upload": lambda files: files.upload("a", b"123"),
    "read": lambda files: content_of(files, "a", 0, 3),
    "delete": lambda files: files.delete("a"),
    "ids": lambda files: files.ids(after="", before="b", limit=1),
    "ensure_indexes": lambda files: files.ensure_indexes(),
}


@pytest.fixture
def things(db: Database) -> Collection:
    return db.collection("things")


@pytest.fixture
def files(db: Database) -> Files:
    return db.files("sounds")


async def content_of(files: Files, file_id: str, begin: int, end: int) -> bytes:
    """The bytes from `begin` to `end`, put together."""
    return b"".join([piece async for piece in files.read(file_id, begin, end)])


async def seconds_until_unavailable(operation: Awaitable[object]) -> float:
    """How long it took to learn that the database is away."""
    begun = time.perf_counter()
    with pytest.raises(Unavailable):
        await operation
    return time.perf_counter() - begun


# ── documents ──


@pytest.mark.gen_test
async def test_a_document_is_found(things: Collection) -> None:
    await things.insert({"_id": 1, "a": 2})
    assert (await things.find_one({"a": 2}), await things.find_one({"a": 3})) == ({"_id": 1, "a": 2}, None)


@pytest.mark.gen_test
async def test_only_the_fields_that_are_asked_for_come_back(things: Collection) -> None:
    await things.insert({"_id": 1, "a": 2, "b": 3})
    assert (await things.find_one({}, ["a"]), await things.find({}, fields=["b"])) == (
        {"_id": 1, "a": 2},
        [{"_id": 1, "b": 3}],
    )


@pytest.mark.gen_test
async def test_documents_come_in_order_and_number(things: Collection) -> None:
    await things.insert_all([{"_id": number} for number in (2, 3, 1)])
    assert [each["_id"] for each in await things.find({}, sort=[("_id", DESCENDING)], limit=2)] == [3, 2]


@pytest.mark.gen_test
async def test_all_documents_come_without_a_limit(things: Collection) -> None:
    await things.insert_all([{"_id": number} for number in range(250)])
    assert len(await things.find({})) == await things.count({}) == 250


@pytest.mark.gen_test
async def test_a_second_document_of_one_id_is_a_duplicate(things: Collection) -> None:
    await things.insert({"_id": 1})
    with pytest.raises(Duplicate, match="_id"):
        await things.insert({"_id": 1})


@pytest.mark.gen_test
async def test_a_duplicate_says_nothing_of_what_is_stored(things: Collection) -> None:
    await things.insert({"_id": "a secret"})
    with pytest.raises(Duplicate) as error:
        await things.insert({"_id": "a secret"})
    assert "a secret" not in str(error.value) and error.value.__suppress_context__


@pytest.mark.gen_test
async def test_of_many_documents_those_that_are_new_are_stored(things: Collection) -> None:
    await things.insert({"_id": 1, "old": True})
    await things.insert_all([{"_id": 1}, {"_id": 2}, {"_id": 2}, {"_id": 3}])
    assert await things.find({}, sort=[("_id", ASCENDING)]) == [{"_id": 1, "old": True}, {"_id": 2}, {"_id": 3}]


@pytest.mark.gen_test
async def test_a_replacement_says_whether_there_was_anything(things: Collection) -> None:
    await things.insert({"_id": 1, "rev": 1})
    assert await things.replace({"_id": 1, "rev": 1}, {"_id": 1, "rev": 2})
    assert not await things.replace({"_id": 1, "rev": 1}, {"_id": 1, "rev": 3})
    assert await things.find({}) == [{"_id": 1, "rev": 2}]


@pytest.mark.gen_test
async def test_a_replacement_by_the_same_counts(things: Collection) -> None:
    await things.insert({"_id": 1})
    assert await things.replace({"_id": 1}, {"_id": 1})


@pytest.mark.gen_test
async def test_an_update_says_whether_there_was_anything(things: Collection) -> None:
    await things.insert({"_id": 1})
    assert await things.update({"_id": 1}, {"$set": {"a": 1}})
    assert not await things.update({"_id": 2}, {"$set": {"a": 1}})


@pytest.mark.gen_test
async def test_an_update_may_make_what_is_not_there(things: Collection) -> None:
    assert await things.update({"_id": 2}, {"$set": {"a": 1}}, upsert=True)
    assert await things.find_one({}) == {"_id": 2, "a": 1}


@pytest.mark.gen_test
async def test_an_update_of_all_counts_what_it_changed(things: Collection) -> None:
    await things.insert_all([{"_id": 1, "a": 1}, {"_id": 2, "a": 2}, {"_id": 3, "a": 1}])
    assert await things.update_all({"_id": {"$gt": 0}}, {"$set": {"a": 1}}) == 1


@pytest.mark.gen_test
async def test_an_update_gives_the_document_as_it_is_then(things: Collection) -> None:
    await things.insert({"_id": 1, "a": 1})
    assert await things.update_and_get({"_id": 1}, {"$inc": {"a": 1}}) == {"_id": 1, "a": 2}
    assert await things.update_and_get({"_id": 9}, {"$inc": {"a": 1}}) is None
    assert await things.update_and_get({"_id": 9}, {"$inc": {"a": 1}}, upsert=True) == {"_id": 9, "a": 1}


@pytest.mark.gen_test
async def test_a_deletion_counts(things: Collection) -> None:
    await things.insert_all([{"_id": 1}, {"_id": 2}, {"_id": 3}])
    assert (await things.delete({"_id": {"$gte": 2}}), await things.count({})) == (2, 1)


@pytest.mark.gen_test
async def test_times_come_back_in_utc(things: Collection) -> None:
    berlin = timezone(timedelta(hours=1))
    await things.insert({"_id": 1, "at": datetime(2026, 11, 20, 6, 12, 7, 345_000, berlin)})
    assert await things.find_one({}) == {"_id": 1, "at": datetime(2026, 11, 20, 5, 12, 7, 345_000, UTC)}


@pytest.mark.gen_test
async def test_a_dropped_database_is_empty(things: Collection, db: Database) -> None:
    await things.insert({"_id": 1})
    await db.drop()
    assert await things.find({}) == []


# ── files ──

LONG = bytes(range(256)) * 4096  # 1 MiB: several pieces, in the database and on the way out


@pytest.mark.gen_test
@pytest.mark.parametrize("content", [b"123", LONG], ids=["short", "long"])
async def test_a_file_comes_back_as_it_was_stored(files: Files, content: bytes) -> None:
    await files.upload("a", content)
    assert await content_of(files, "a", 0, len(content)) == content


@pytest.mark.gen_test
@pytest.mark.parametrize(("begin", "end"), [(0, 1), (7, 9), (255, 300_000), (len(LONG) - 1, len(LONG))])
async def test_a_part_of_a_file_is_read_alone(files: Files, begin: int, end: int) -> None:
    await files.upload("a", LONG)
    assert await content_of(files, "a", begin, end) == LONG[begin:end]


@pytest.mark.gen_test
async def test_a_long_file_is_read_in_pieces(files: Files) -> None:
    await files.upload("a", LONG)
    sizes = [len(piece) async for piece in files.read("a", 0, len(LONG))]
    assert len(sizes) > 1 and max(sizes) <= READ_BYTES


@pytest.mark.gen_test
async def test_a_second_file_of_one_id_is_a_duplicate_and_changes_nothing(files: Files) -> None:
    await files.upload("a", b"first")
    with pytest.raises(Duplicate):
        await files.upload("a", b"other")
    assert await content_of(files, "a", 0, 5) == b"first"


@pytest.mark.gen_test
async def test_there_is_no_file_of_an_unknown_id(files: Files) -> None:
    with pytest.raises(NoSuchFile):
        await content_of(files, "a", 0, 1)


@pytest.mark.gen_test
async def test_a_file_that_loses_its_pieces_while_it_is_read_is_none(files: Files, db: Database) -> None:
    await files.upload("a", LONG)
    await db.collection("sounds.chunks").delete({"n": {"$gt": 0}})
    with pytest.raises(NoSuchFile):
        await content_of(files, "a", 0, len(LONG))


@pytest.mark.gen_test
async def test_a_removed_file_takes_no_room(files: Files) -> None:
    await files.upload("a", LONG)
    await files.delete("a")
    assert await files.ids(after="", before="z", limit=9) == []
    with pytest.raises(NoSuchFile):
        await content_of(files, "a", 0, 1)


@pytest.mark.gen_test
async def test_of_a_large_file_no_operation_removes_more_than_it_has_time_for(
    files: Files, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "PIECES_AT_A_TIME", 2)
    await files.upload("a", LONG)
    await files.upload("b", LONG)
    profile()
    await files.delete("a")
    removed = [each["ndeleted"] for each in profile() if each["ns"].endswith("sounds.chunks") and "ndeleted" in each]
    assert removed == [2, 2, 1]
    assert await content_of(files, "b", 0, len(LONG)) == LONG


@pytest.mark.gen_test
async def test_to_remove_what_is_not_there_is_no_error(files: Files) -> None:
    await files.delete("a")


@pytest.mark.gen_test
async def test_ids_come_in_order_from_between_two(files: Files) -> None:
    for file_id in ("d", "b", "a", "c", "e"):
        await files.upload(file_id, b"123")
    assert await files.ids(after="a", before="e", limit=2) == ["b", "c"]
    assert await files.ids(after="c", before="e", limit=2) == ["d"]


@pytest.mark.gen_test
async def test_what_is_left_of_a_broken_upload_is_found_and_removed(files: Files, db: Database) -> None:
    await db.collection("sounds.chunks").insert({"files_id": "a", "n": 0, "data": b"123"})
    assert await files.ids(after="", before="z", limit=9) == ["a"]
    await files.delete("a")
    assert await files.ids(after="", before="z", limit=9) == []


@pytest.mark.gen_test
async def test_one_who_gives_up_an_upload_leaves_nothing(files: Files) -> None:
    uploading = asyncio.ensure_future(files.upload("a", LONG))
    await asyncio.sleep(0)
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    assert await files.ids(after="", before="z", limit=9) == []


@pytest.mark.gen_test
async def test_the_indexes_of_files_are_those_that_gridfs_makes_itself(files: Files, db: Database) -> None:
    await files.ensure_indexes()
    await files.upload("a", b"123")
    await files.ensure_indexes()
    assert set(await db._motor["sounds.chunks"].index_information()) == {"_id_", "files_id_1_n_1"}
    assert set(await db._motor["sounds.files"].index_information()) == {"_id_", "filename_1_uploadDate_1"}


@pytest.mark.gen_test
async def test_our_own_mistakes_are_not_hidden(things: Collection) -> None:
    with pytest.raises(OperationFailure):
        await things.find({"$nonsense": 1})


@pytest.mark.gen_test
async def test_an_index_is_made_once(things: Collection) -> None:
    index = IndexModel([("a", ASCENDING)], name="by_a")
    await things.ensure_indexes([index])
    await things.ensure_indexes([index])
    assert "IXSCAN" in str(await things.explain({"a": 1}))


@pytest.mark.gen_test
async def test_an_index_whose_options_have_changed_is_made_anew(things: Collection, db: Database) -> None:
    await things.ensure_indexes([IndexModel([("a", ASCENDING)], name="by_a")])
    await things.ensure_indexes([IndexModel([("a", ASCENDING)], name="by_a", unique=True)])
    assert (await db._motor.things.index_information())["by_a"]["unique"]


@pytest.mark.gen_test
async def test_an_index_whose_key_has_changed_is_made_anew(things: Collection, db: Database) -> None:
    await things.ensure_indexes([IndexModel([("a", ASCENDING)], name="by")])
    await things.ensure_indexes([IndexModel([("b", ASCENDING)], name="by")])
    assert (await db._motor.things.index_information())["by"]["key"] == [("b", 1)]


@pytest.mark.gen_test
async def test_what_is_acknowledged_is_in_the_journal(db: Database) -> None:
    assert db._motor.write_concern.document == {"w": "majority", "j": True}


# ── a database that is away ──


@pytest.mark.gen_test
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_where_nothing_listens_the_database_is_away(operation: str) -> None:
    sock, port = bind_unused_port()
    sock.close()
    database = connect(QUICK, f"mongodb://127.0.0.1:{port}/?directConnection=true")
    taken_s = await seconds_until_unavailable(OPERATIONS[operation](database.collection("things")))
    database.close()
    assert taken_s < DEADLINE_S + BUSY_MACHINE_S


@pytest.mark.gen_test
@pytest.mark.parametrize("operation", FILE_OPERATIONS)
async def test_for_files_the_database_is_away_as_well(operation: str) -> None:
    taken, port = bind_unused_port()
    taken.close()
    database = connect(QUICK, f"mongodb://127.0.0.1:{port}")
    taken_s = await seconds_until_unavailable(FILE_OPERATIONS[operation](database.files("sounds")))
    assert taken_s < 2 * DEADLINE_S + BUSY_MACHINE_S  # an upload in vain is taken back, in vain
    database.close()


@pytest.mark.gen_test
async def test_a_ping_finds_the_database_away_too() -> None:
    database = connect(QUICK, "mongodb://%2Fnowhere%2Fmongodb.sock/?directConnection=true")
    assert await seconds_until_unavailable(database.ping()) < DEADLINE_S + BUSY_MACHINE_S
    database.close()


@asynccontextmanager
async def own_mongod(data_dir: Path) -> AsyncIterator[tuple[int, Collection]]:
    """A mongod of the test's own, which it may ill-treat: its process id, and a collection with a document in it."""
    mongo = EmbeddedMongo(data_dir)
    uri = await mongo.start()
    patient = connect(MongoSettings(), uri)  # to make a collection may take longer than QUICK waits
    await patient.collection("things").insert({"_id": 1})
    patient.close()
    database = connect(QUICK, uri)
    assert mongo.pid is not None
    try:
        yield mongo.pid, database.collection("things")
    finally:
        os.kill(mongo.pid, signal.SIGCONT)
        database.close()
        await mongo.stop()


@pytest.mark.gen_test
async def test_a_database_that_hangs_is_away_within_the_deadline_however_many_ask(tmp_path: Path) -> None:
    async with own_mongod(tmp_path) as (pid, things):
        os.kill(pid, signal.SIGSTOP)
        await until(lambda: is_stopped(pid))
        asked = [*OPERATIONS.values(), *[OPERATIONS["find_one"]] * 300]
        waits_s = await asyncio.gather(*(seconds_until_unavailable(operation(things)) for operation in asked))
        assert max(waits_s) < DEADLINE_S + BUSY_MACHINE_S


@pytest.mark.gen_test
async def test_a_database_that_hung_is_back_when_it_goes_on(tmp_path: Path) -> None:
    async with own_mongod(tmp_path) as (pid, things):
        os.kill(pid, signal.SIGSTOP)
        await until(lambda: is_stopped(pid))
        await seconds_until_unavailable(things.find_one({}))
        os.kill(pid, signal.SIGCONT)
        assert await found_at_last(things) == {"_id": 1}


@pytest.mark.gen_test
@pytest.mark.parametrize("operation", ["find_one", "insert", "update_all", "delete"])
async def test_a_database_that_dies_meanwhile_is_away(tmp_path: Path, operation: str) -> None:
    async with own_mongod(tmp_path) as (pid, things):
        os.kill(pid, signal.SIGSTOP)
        await until(lambda: is_stopped(pid))
        asking = asyncio.gather(*(seconds_until_unavailable(OPERATIONS[operation](things)) for _ in range(9)))
        for _ in range(100):
            await asyncio.sleep(0)  # they are on their way
        os.kill(pid, signal.SIGKILL)
        await asking


def is_stopped(pid: int) -> bool:
    """Whether the process is stopped or dead: a signal takes a moment (proc_pid_stat(5), the third field)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("T", "Z", "X")


async def found_at_last(things: Collection) -> object:
    """The document, once the database gives it."""
    while True:
        with suppress(Unavailable):
            return await things.find_one({"_id": 1}, ["_id"])


@pytest.mark.gen_test
async def test_one_who_gives_up_an_operation_is_not_told_that_the_database_is_away(things: Collection) -> None:
    looking = asyncio.ensure_future(things.find_one({}))
    await asyncio.sleep(0)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking


@pytest.mark.parametrize(
    "uri", ["mongodb://a:b@c@d", "mongodb://user:pa:ss@host", "http://host", "mongodb://host:port"]
)
def test_an_address_that_is_none_is_an_error_of_the_settings_without_the_password(uri: str) -> None:
    with pytest.raises(ConfigError) as error:
        connect(QUICK, uri)
    assert "mongo.uri" in str(error.value) and uri not in str(error.value)
