"""An export of everything that a server holds about somebody: whole, theirs alone, and gone after some days."""

from __future__ import annotations

import asyncio
import io
import json
import os
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from handlers.base import API
from server.books.model import Book, Passage
from server.calls.quality import Course, QualityRecord
from server.calls.transcript import TranscriptLine
from server.config import resolve_data_dir
from server.dialogues.model import Dialogue, Turn
from server.errors import BadRequest, BadState, NotFound
from server.exports.assembly import FOLDER
from server.exports.catalogue import TABLES
from server.exports.exports import folder_of
from server.exports.model import Export
from server.ids import lowest_id_at, new_id
from server.roadmaps.model import Roadmap
from server.store.books import BookStore
from server.store.connections import ConnectionStore
from server.store.dialogues import DialogueStore
from server.store.exports import ExportStore
from server.store.quality import QualityStore
from server.store.roadmaps import RoadmapStore
from server.store.tasks import TaskStore
from server.tasks.model import Task
from server.tasks.work import Work
from tests.handlers.test_recordings import recorded, send
from tests.handlers.test_voicemail import left
from tests.helpers import today
from tests.running import Answer, Person, Running, Start
from tests.tasks.working import LONG_PATIENCE_S

pytestmark = pytest.mark.gen_test

DAY_S = 86_400


async def started(person: Person, **params: Any) -> Task:
    return await person.running.services.tasks.create(person.id, "history_export", params, user=person.user.ref)


async def finished(person: Person, task: Task) -> dict[str, Any]:
    """The result of the task."""
    async with asyncio.timeout(LONG_PATIENCE_S):  # a process is started for it, which comes after all others
        while not (found := await person.running.services.tasks.get(task.task_id, person.id)).is_over:
            await asyncio.sleep(0.01)
    assert found.state == "completed" and found.result is not None, found.error
    return found.result


async def fetched(person: Person, result: dict[str, Any], **headers: str) -> Answer:
    return await person.running.fetch("GET", result["url"], headers=person.bearer | headers)


async def exported(person: Person) -> zipfile.ZipFile:
    """What that person gets."""
    answer = await fetched(person, await finished(person, await started(person)))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/zip")
    return zipfile.ZipFile(io.BytesIO(answer.body))


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(archive.read(f"{name}.json"))
    return found


async def a_life(alice: Person, bob: Person) -> dict[str, Any]:
    """Something of what people do; returns their call."""
    services = alice.running.services
    await alice.api("POST", "/contacts", {"username": "bob"})
    recording = await recorded(alice, bob)
    call_id = recording.call["call_id"]
    await services.chats.write(call_id, bob.user.ref, "=HYPERLINK(evil)")
    line = TranscriptLine(new_id(), call_id, recording.call["legs"][0]["leg_id"], "s-1", "said aloud", today())
    await services.transcripts.add(line)
    assert (await send(alice, recording)).status == 201
    await alice.do("hangup", recording.call)
    await left(bob, alice)
    await left(alice, bob)
    made_by, readers = bob.user.ref, (alice.id, bob.id)
    roadmap = Roadmap(new_id(), call_id, new_id(), "Plan", "en", "# Plan", readers, made_by, made_by, today(), today())
    await RoadmapStore(services.database).insert(roadmap)
    return recording.call


async def more_of_a_life(alice: Person, call: dict[str, Any]) -> None:
    """What other tests bring about by hand: it is stored as it would be then."""
    database, now = alice.running.services.database, today()
    mine, theirs = (leg["leg_id"] for leg in call["legs"])
    record = QualityRecord(call["call_id"], mine, (Course(to=theirs, since=now, until=now, reports=1),))
    await QualityStore(database).begun(record)
    closed: dict[str, Any] = {"user_id": alice.id, "kind": "user", "opened_at": now, "closed_at": now}
    await ConnectionStore(database, 30).insert_all([closed])
    book = Book(new_id(), alice.id, "A book", "text", 9, "ready", "e-1", now, now)
    passage = Passage(new_id(), book.book_id, 1, 1, "One", "", "It begins.")
    books = BookStore(database)
    await books.insert(book)
    await books.insert_passages([passage], "e-1")
    dialogue = Dialogue(new_id(), alice.id, "About it", book.book_id, "A book", "offline", 1, now, now)
    dialogues = DialogueStore(database)
    await dialogues.insert(dialogue)
    await dialogues.insert_turn(Turn(new_id(), dialogue.session_id, 1, new_id(), "How does it begin?", now))


async def test_no_table_is_empty_for_whoever_has_something_of_everything(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await more_of_a_life(alice, await a_life(alice, bob))
    await finished(alice, await started(alice))
    archive = await exported(alice)
    assert [table.name for table in TABLES if not rows(archive, table.name)] == []
    texts = {table: rows(archive, table)[0] for table in ("book_passages", "dialogue_messages", "call_quality")}
    assert texts["book_passages"]["text"] == "It begins."
    assert texts["dialogue_messages"]["question"] == "How does it begin?"
    assert texts["call_quality"]["user"]["username"] == "bob"


async def test_everything_is_in_it(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await a_life(alice, bob)
    archive = await exported(alice)
    counts = {name: len(rows(archive, name)) for name in ("profile", "devices", "contacts", "calls", "messages")}
    assert counts == {"profile": 1, "devices": 1, "contacts": 1, "calls": 3, "messages": 1}
    counts = {
        name: len(rows(archive, name)) for name in ("transcripts", "recordings", "voicemail", "roadmaps", "tasks")
    }
    assert counts == {"transcripts": 1, "recordings": 1, "voicemail": 2, "roadmaps": 1, "tasks": 1}
    assert {path.partition("/")[0] for path in archive.namelist() if "/" in path} == {"voicemail", "recordings"}
    assert archive.read("calls.ics").count(b"BEGIN:VEVENT") == 3
    assert "'=HYPERLINK(evil)" in archive.read("messages.csv").decode()


async def test_no_secret_and_nothing_of_others_devices_is_in_it(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await a_life(alice, bob)
    await bob.api("PUT", f"/contacts/{alice.id}/favourite")
    archive = await exported(alice)
    text = "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist() if "/" not in name)
    stored = await running.services.users.get(alice.id)
    assert stored is not None and stored.password_hash not in text and "argon2" not in text
    devices = [
        leg.get("device") for call in rows(archive, "calls") for leg in call["legs"] if leg["user"]["id"] == bob.id
    ]
    assert devices == [None] * 3
    assert rows(archive, "contacts")[0]["favourite"] is False
    (message,) = [each for each in rows(archive, "voicemail") if each["direction"] == "left"]
    assert (message["heard_at"], message["to"]["username"]) == (None, "bob")


async def test_whoever_was_blocked_does_not_learn_it_from_an_export(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await bob.api("PUT", f"/contacts/{alice.id}/block")
    archive = await exported(alice)
    assert rows(archive, "contacts") == []


async def test_it_is_in_the_language_of_whom_it_is_of(running: Running) -> None:
    alice = await running.person("alice")
    await alice.api("PATCH", "/users/me", {"locale": "zh-Hans"})
    assert "你的账号和设置" in (await exported(alice)).read("README.txt").decode()


async def test_only_the_person_themselves_can_fetch_it(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    result = await finished(alice, await started(alice))
    path = f"/exports/{result['export_id']}"
    answers = [await fetched(bob, result), await bob.api("GET", path), await bob.api("DELETE", path)]
    answers.append(await bob.api("GET", f"/exports/{new_id()}"))
    assert [(answer.status, answer.code) for answer in answers] == [(404, "not_found")] * 4
    assert (await running.fetch("GET", f"{API}{path}/file")).status == 401


async def test_it_can_be_fetched_in_parts(running: Running) -> None:
    alice = await running.person("alice")
    result = await finished(alice, await started(alice))
    part = await fetched(alice, result, Range="bytes=0-3")
    assert (part.status, part.body) == (206, b"PK\x03\x04")
    assert part.headers["Content-Disposition"].startswith('attachment; filename="ringback-')


async def test_a_new_one_takes_the_place_of_the_one_before(running: Running) -> None:
    alice = await running.person("alice")
    first = await finished(alice, await started(alice))
    second = await finished(alice, await started(alice))
    listed = (await alice.api("GET", "/exports")).document["items"]
    assert [each["export_id"] for each in listed] == [second["export_id"]]
    assert (await fetched(alice, first)).status == 404
    assert (await alice.api("DELETE", f"/exports/{second['export_id']}")).status == 204
    assert (await fetched(alice, second)).status == 404


async def test_it_is_gone_after_some_days_with_its_file(running: Running) -> None:
    alice = await running.person("alice")
    result = await finished(alice, await started(alice))
    running.clock.move(7 * DAY_S + 1)
    with pytest.raises(NotFound):
        await running.services.exports.get(result["export_id"], alice.id)
    assert await running.services.exports.clean() == 1
    files = running.services.database.files("export_files")
    assert await files.ids(after="", before="z", limit=10) == []


async def test_what_a_crash_has_left_is_removed(running: Running) -> None:
    long_ago = running.clock.now() - timedelta(days=1)
    file = ExportStore(running.services.database).new_file(lowest_id_at(long_ago))
    await file.write(b"a part")
    await file.close()
    folder = resolve_data_dir(running.services.settings) / FOLDER
    lost, zipped = folder / "a.b", folder / "left.zip"
    lost.mkdir(parents=True)
    for path in (lost / "export.zip", zipped):
        path.write_bytes(b"everything")
    for path in (lost, zipped):
        os.utime(path, (long_ago.timestamp(), long_ago.timestamp()))
    assert await running.services.exports.clean() == 0
    assert await running.services.database.files("export_files").ids(after="", before="z", limit=10) == []
    assert list(folder.iterdir()) == []


async def test_what_a_run_left_that_came_as_far_as_to_keep_it_is_removed_by_the_next(running: Running) -> None:
    alice = await running.person("alice")
    first = await started(alice)
    await finished(alice, first)
    store = TaskStore(running.services.database)
    async with asyncio.timeout(LONG_PATIENCE_S):
        while await store.step(first.task_id, "archive"):  # until it is forgotten, the next run does nothing
            await asyncio.sleep(0.01)
    folder = resolve_data_dir(running.services.settings) / FOLDER
    left = folder_of(folder, alice.id, first.task_id)
    left.mkdir(parents=True)
    (left / "export.zip").write_bytes(b"everything")
    parts = running.server.task_area
    work = Work(first, [], parts.tasks, store, parts.processes, running.clock)
    await parts.kinds.named("history_export").run(work)
    assert list(folder.iterdir()) == []


async def test_an_export_of_somebody_who_is_gone_is_removed(running: Running) -> None:
    bob = await running.person("bob")
    await finished(bob, await started(bob))
    now = running.clock.now()
    store = ExportStore(running.services.database)
    await store.insert(Export(new_id(), new_id(), new_id(), new_id(), 1, now, now + timedelta(days=1)))
    assert await running.services.exports.clean() == 1
    assert len(await running.services.exports.of(bob.id)) == 1


async def test_what_is_put_together_goes_with_the_account(running: Running) -> None:
    alice = await running.person("alice")
    folder = folder_of(resolve_data_dir(running.services.settings) / FOLDER, alice.id, new_id())
    folder.mkdir(parents=True)
    await running.services.accounts.remove(alice.user)
    assert not folder.exists()


async def test_an_export_that_is_kept_as_the_account_goes_is_removed_at_once(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await running.person("alice")
    inserted, insert = asyncio.Event(), ExportStore.insert

    async def insert_too_late(store: ExportStore, export: Export) -> None:
        await running.services.accounts.remove(alice.user)
        await insert(store, export)
        inserted.set()

    monkeypatch.setattr(ExportStore, "insert", insert_too_late)
    await started(alice)
    async with asyncio.timeout(LONG_PATIENCE_S):
        await inserted.wait()
        while await running.services.exports.of(alice.id):
            await asyncio.sleep(0.01)


async def test_nothing_of_it_stays_in_the_data_folder(running: Running) -> None:
    alice = await running.person("alice")
    await finished(alice, await started(alice))
    assert list((resolve_data_dir(running.services.settings) / FOLDER).iterdir()) == []


async def test_what_has_no_room_is_named(start: Start) -> None:
    running = await start({"exports.max_media_bytes": 10})
    alice, bob = await running.people("alice", "bob")
    await left(bob, alice)
    archive = await exported(alice)
    assert [name for name in archive.namelist() if "/" in name] == []
    assert rows(archive, "media_left_out")[0]["file"].startswith("voicemail/")


async def test_one_is_made_at_a_time(running: Running) -> None:
    alice = await running.person("alice")
    task = await started(alice)
    with pytest.raises(BadState):
        await started(alice)
    await finished(alice, task)
    with pytest.raises(BadRequest):
        await started(alice, everything=True)


async def test_it_goes_with_the_account(running: Running) -> None:
    alice = await running.person("alice")
    result = await finished(alice, await started(alice))
    await running.services.accounts.remove(alice.user)
    assert await running.services.exports.of(alice.id) == []
    assert result["size_bytes"] > 0
