"""Books that are sent: taken in, read by a task, ready; or refused and failed with a reason, and then gone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from handlers.base import API
from server.books import importing
from server.books.failures import FAILURES, Unreadable
from server.books.model import Book, Passage
from server.books.reading import read_part
from server.books.tidying import CLEAR_AFTER_S, SILENT_S, TIDY_EVERY_S, UPLOAD_WITHIN_S
from server.books.uploads import Uploads, title_from
from server.errors import BadState, Unavailable
from server.ids import new_id
from server.store.books import BookStore
from server.tasks import work
from server.tasks.processes import Processes
from server.tasks.tasks import Tasks
from tests.books import files
from tests.books.files import MARKDOWN, Page, epub, pdf
from tests.books.shelf import book, passages, stored
from tests.clock import START
from tests.running import Answer, Person, Running, Start
from tests.tasks.working import Heard

pytestmark = pytest.mark.gen_test

PAUSED = {"tasks.at_once": 0}
"""Nobody works at tasks."""


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read is read on a thread: where that is not what a test is about, no process need start."""

    async def run(_: Processes, function: Any, *args: Any) -> Any:
        return await asyncio.to_thread(function, *args)

    monkeypatch.setattr(Processes, "run", run)


async def send(person: Person, content: bytes = MARKDOWN, query: str = "filename=drinks.md", **headers: str) -> Answer:
    """Sends a book."""
    return await person.running.fetch("POST", f"{API}/books?{query}", content, person.bearer | headers)


async def sent(person: Person, content: bytes = MARKDOWN, query: str = "filename=drinks.md") -> dict[str, Any]:
    """A book that was taken in: the task that reads it, with the book."""
    answer = await send(person, content, query)
    assert answer.status == 202, answer
    taken: dict[str, Any] = answer.document
    return taken


async def read(person: Person, content: bytes = MARKDOWN, query: str = "filename=drinks.md") -> dict[str, Any]:
    """A book after its task has ended."""
    heard = Heard(person)
    taken = await sent(person, content, query)
    await heard.until("completed", "failed")
    return await shown(person, taken["book"]["book_id"])


async def shown(person: Person, book_id: str) -> dict[str, Any]:
    answer = await person.api("GET", f"/books/{book_id}")
    assert answer.status == 200, answer
    book: dict[str, Any] = answer.document
    return book


async def files_of(running: Running) -> list[str]:
    """The books of which the file is stored, once the server has done what it does after its answers."""
    await running.until(lambda: len(running.services.background) == 0, "nothing is under way")
    return await BookStore(running.services.database).file_ids(after="", before="z", limit=10)


# --- Taken in and read


async def test_a_book_is_read_in_by_a_task(running: Running) -> None:
    alice = await running.person("alice")
    heard = Heard(alice)
    taken = await sent(alice)
    assert (taken["kind"], taken["book"]["state"], taken["book"]["task_id"]) == (
        "book_import",
        "importing",
        taken["task_id"],
    )
    assert taken["title"].startswith("Reading in “")  # and what: there may be several
    ended = await heard.until("completed")
    book_id = taken["book"]["book_id"]
    assert ended.data == {"book_id": book_id, "title": "Drinks", "url": f"/books/{book_id}"}
    codes = [news.event.code for news in heard.news if news.event.type == "progress"]
    assert codes == ["chapter_read", "chapter_read", "book_ready"]
    book = await shown(alice, book_id)
    assert (book["state"], book["title"], book["format"], book["error"]) == ("ready", "Drinks", "markdown", None)
    assert book["chapters"] == [
        {"number": 1, "title": "Tea", "passages": 1},
        {"number": 2, "title": "Coffee", "passages": 1},
    ]
    chapter = (await alice.api("GET", f"/books/{book_id}/chapters/2")).document
    assert [(each["number"], each["text"]) for each in chapter["items"]] == [(2, "Beans are ground and brewed.")]
    (found,) = await running.services.books.find(book_id, "When do I put the leaves in?")
    assert found.passage.number == 1
    assert await files_of(running) == []


@pytest.mark.parametrize(
    ("content", "form"),
    [(pdf(["Water boils."], title=""), "pdf"), (epub([Page("Tea", "<p>Water boils.</p>")]), "epub")],
    ids=["pdf", "epub"],
)
@pytest.mark.usefixtures("at_hand")
async def test_other_formats_are_read_as_well(running: Running, content: bytes, form: str) -> None:
    alice = await running.person("alice")
    book = await read(alice, content, "filename=My_drinks.bin")
    assert (book["state"], book["format"], book["author"]) == ("ready", form, "A. N. Author")
    assert book["title"] == ("My drinks" if form == "pdf" else "Drinks")
    assert (await running.services.books.find(book["book_id"], "boil water"))[0].passage.text == "Water boils."


@pytest.mark.usefixtures("at_hand")
async def test_a_part_that_is_read_again_is_there_once(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a crash between what a step does and the moment in which its result is kept."""
    store_part = importing.BookImport._store_part

    async def twice(self: Any, *args: Any) -> Any:
        await store_part(self, *args)
        return await store_part(self, *args)

    monkeypatch.setattr(importing.BookImport, "_store_part", twice)
    alice = await running.person("alice")
    book = await read(alice)
    stored = await BookStore(running.services.database).get(book["book_id"])
    assert stored is not None
    assert len(await BookStore(running.services.database).all_passages(stored, 0, 10)) == book["passages"] == 2


def test_a_book_without_a_title_is_called_by_its_file() -> None:
    assert title_from("C:\\books\\War_and Peace.txt") == "War and Peace"
    assert title_from("") == "…"


# --- What cannot be read


async def test_a_book_that_cannot_be_read_says_why(running: Running) -> None:
    alice = await running.person("alice")
    code = "no_text"
    book = await read(alice, pdf(["", ""]))
    assert (book["state"], book["error"]) == ("failed", {"code": code, "message": str(FAILURES[code])})
    task = (await alice.api("GET", "/books")).document["items"][0]["task_id"]
    assert (await running.services.tasks.get(task, alice.id)).error.code == code  # type: ignore[union-attr]
    assert await files_of(running) == []


@pytest.mark.usefixtures("at_hand")
async def test_a_book_with_too_much_text_is_not_kept(start: Start) -> None:
    running = await start({"books.max_characters": 1_000})
    alice = await running.person("alice")
    book = await read(alice, b"# Tea\n\n" + b"Leaves. " * 500)
    assert book["error"]["code"] == "too_much_text"
    await running.until(lambda: len(running.services.background) == 0, "nothing is under way")
    assert (await alice.api("DELETE", f"/books/{book['book_id']}")).status == 204


@pytest.mark.parametrize("reader", [files.kill_the_process, files.take_all_memory])
async def test_a_book_that_harms_its_reader_has_failed_and_nothing_else(
    running: Running, monkeypatch: pytest.MonkeyPatch, reader: Any
) -> None:
    monkeypatch.setattr(importing, "read_part", reader)
    monkeypatch.setattr(work, "ATTEMPTS", 1)
    alice = await running.person("alice")
    assert (await read(alice))["error"]["code"] == "too_costly"
    monkeypatch.setattr(importing, "read_part", read_part)
    assert (await read(alice))["state"] == "ready"  # another process takes the place of the one that died


async def test_a_book_that_takes_too_long_is_given_up(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "PART_WITHIN_S", 0.0)
    alice = await running.person("alice")
    assert (await read(alice))["error"]["code"] == "too_costly"


# --- Refused


async def test_what_is_no_book_is_refused_and_not_stored(running: Running) -> None:
    alice = await running.person("alice")
    for content in (b"\x89PNG\r\n\x1a\n" + bytes(10_000), b"<html>" + b"x" * 10_000, b"<html>"):
        answer = await send(alice, content)
        assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert (await send(alice, b"")).code == "bad_request"
    assert await files_of(running) == []
    assert running.services.books.uploads.under_way == 0


@pytest.mark.usefixtures("at_hand")
async def test_a_book_that_is_too_large_is_refused(start: Start) -> None:
    running = await start({"books.max_bytes": 10_000})
    alice = await running.person("alice")
    assert (await send(alice, b"a " * 5_000)).status == 202
    answer = await send(alice, b"a " * 5_001)
    assert (answer.status, answer.code) == (413, "too_large")
    assert len((await alice.api("GET", "/books")).document["items"]) == 1


async def test_there_are_no_more_books_than_are_kept(start: Start) -> None:
    running = await start(PAUSED | {"books.max_books": 1})
    alice, bob = await running.people("alice", "bob")
    await sent(alice)
    answer = await send(alice)
    assert (answer.status, answer.code) == (409, "bad_state")
    await sent(bob)


async def test_a_name_that_is_too_long_is_refused(running: Running) -> None:
    alice = await running.person("alice")
    answer = await send(alice, query=f"filename={'x' * 256}")
    assert (answer.status, list(answer.document["errors"])) == (400, ["filename"])


async def test_a_book_that_was_broken_off_leaves_nothing(running: Running) -> None:
    alice = await running.person("alice")
    _, writer = await asyncio.open_connection("127.0.0.1", running.port)
    host, bearer = f"127.0.0.1:{running.port}", alice.bearer["Authorization"]
    head = f"POST {API}/books HTTP/1.1\r\nHost: {host}\r\nAuthorization: {bearer}"
    writer.write(f"{head}\r\nContent-Length: 900000\r\n\r\n".encode() + b"Tea leaves. " * 40_000)
    await writer.drain()
    uploads = running.services.books.uploads
    await running.until(lambda: uploads.under_way == 1, "the book is on its way")
    writer.close()
    await running.until(lambda: uploads.under_way == 0, "the place is free again")
    assert await files_of(running) == []
    assert (await alice.api("GET", "/books")).document["items"] == []


@pytest.mark.usefixtures("at_hand")
async def test_a_task_reads_only_a_book_of_whoever_starts_it(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    book = await read(alice)
    tasks = running.services.tasks
    for person, code in ((bob, "not_found"), (alice, "bad_request")):
        with pytest.raises(Exception) as refusal:
            await tasks.create(person.id, "book_import", {"book_id": book["book_id"]}, user=person.user.ref)
        assert getattr(refusal.value, "code", "") == code


# --- Ends without a word


@pytest.mark.parametrize(("sweep_s", "period_s"), [(1, TIDY_EVERY_S), (600, 600)], ids=["often", "seldom"])
async def test_books_are_not_looked_after_more_often_than_is_swept(
    start: Start, sweep_s: float, period_s: float
) -> None:
    running = await start({"jobs.sweep_interval_s": sweep_s})
    assert running.server.jobs.jobs["books"].period_s == period_s


async def test_a_book_goes_when_its_reading_is_cancelled(start: Start) -> None:
    running = await start(PAUSED)
    alice = await running.person("alice")
    taken = await sent(alice)
    await running.services.tasks.cancel(taken["task_id"], alice.id)
    running.clock.move(SILENT_S + 1)
    assert await running.server.jobs.jobs["books"].body() == 1
    assert (await alice.api("GET", "/books")).document["items"] == []
    assert await files_of(running) == []


async def test_a_book_that_is_deleted_is_not_read_any_more(start: Start) -> None:
    running = await start(PAUSED)
    alice = await running.person("alice")
    taken = await sent(alice)
    assert (await alice.api("DELETE", f"/books/{taken['book']['book_id']}")).status == 204
    assert (await running.services.tasks.get(taken["task_id"], alice.id)).state == "cancelled"
    assert await files_of(running) == []


@pytest.mark.usefixtures("at_hand")
async def test_of_a_book_that_is_deleted_while_it_is_written_nothing_stays(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = BookStore.insert_passages

    async def after_its_end(self: BookStore, given: list[Passage], edition: str) -> None:
        await self.remove(given[0].book_id, START)
        await self.remove_content(given[0].book_id)
        await insert(self, given, edition)

    monkeypatch.setattr(BookStore, "insert_passages", after_its_end)
    alice = await running.person("alice")
    heard = Heard(alice)
    book_id = (await sent(alice))["book"]["book_id"]
    await heard.until("completed", "failed")
    assert await BookStore(running.services.database).all_passages(book(book_id=book_id), 0, 10) == []


async def test_the_text_of_a_deleted_book_goes_when_the_server_was_killed_meanwhile(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await running.person("alice")
    store = BookStore(running.services.database)
    deleted = await stored(store, alice.id)
    monkeypatch.setattr(running.services.background, "start", lambda *_: None)
    assert (await alice.api("DELETE", f"/books/{deleted.book_id}")).status == 204
    assert await store.all_passages(deleted, 0, 10) == passages(deleted)
    running.clock.move(CLEAR_AFTER_S + 1)
    await running.server.jobs.jobs["books"].body()
    assert await store.all_passages(deleted, 0, 10) == []
    assert await store.removed_before(running.clock.now(), 10) == []


async def test_a_book_whose_task_is_gone_is_said_to_have_failed(start: Start) -> None:
    running = await start(PAUSED)
    alice = await running.person("alice")
    taken = await sent(alice)
    running.clock.move(SILENT_S + 1)
    assert await running.server.jobs.jobs["books"].body() == 0
    await BookStore(running.services.database).set_task(taken["book"]["book_id"], taken["book"]["book_id"])
    assert await running.server.jobs.jobs["books"].body() == 1
    assert (await shown(alice, taken["book"]["book_id"]))["error"]["code"] == "interrupted"


async def test_a_book_that_became_ready_while_it_was_looked_after_keeps_what_stands_in_it(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its task ended, in whatever way, after the books that are being read were looked up."""
    running = await start(PAUSED)
    alice = await running.person("alice")
    store = BookStore(running.services.database)
    book = await stored(store, alice.id)
    cancelled = await sent(alice)
    await running.services.tasks.cancel(cancelled["task_id"], alice.id)
    for task_id in (cancelled["task_id"], book.book_id):  # one that was cancelled, and one that is gone

        async def before(*_: object, task_id: str = task_id) -> list[Book]:
            return [replace(book, state="importing", task_id=task_id)]

        monkeypatch.setattr(BookStore, "importing_before", before)
        assert await running.server.jobs.jobs["books"].body() == 0
        assert await store.get(book.book_id) == book
        assert await store.all_passages(book, 0, 10) == passages(book)


@pytest.mark.usefixtures("at_hand")
async def test_a_second_task_that_fails_leaves_a_book_that_was_read_alone(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the lease of the first ran out, and both go on."""
    alice = await running.person("alice")
    read_in_time = importing.BookImport._in_time

    async def overtaken(self: Any, work: Any, file: Any, book: Book, place: int) -> Any:
        part = await read_in_time(self, work, file, book, place)
        done = await self._store_part(book, part, [])
        await self._finish(book, [done])
        raise Unreadable("too_costly")

    monkeypatch.setattr(importing.BookImport, "_in_time", overtaken)
    book = await read(alice)
    await running.until(lambda: len(running.services.background) == 0, "nothing is under way")
    assert (book["state"], book["error"]) == ("ready", None)
    assert len((await alice.api("GET", f"/books/{book['book_id']}/chapters/1")).document["items"]) == 1


@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize("end", ["gone", "failed"])
async def test_a_task_whose_book_ended_otherwise_does_not_say_that_it_is_ready(
    running: Running, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    alice = await running.person("alice")
    finish = importing.BookImport._finish

    async def too_late(self: Any, book: Book, parts: Any) -> Any:
        store = BookStore(running.services.database)
        if end == "gone":
            await store.remove(book.book_id, START)
        else:
            await store.set_failed(book.book_id, "interrupted", START)
        return await finish(self, book, parts)

    monkeypatch.setattr(importing.BookImport, "_finish", too_late)
    heard = Heard(alice)
    await sent(alice)
    await heard.until("completed", "failed")
    (task,) = (await alice.api("GET", "/tasks")).document["items"]
    assert (task["state"], task["error"]["code"]) == ("failed", "book_gone" if end == "gone" else "interrupted")


async def test_a_deleted_book_is_not_read_on_when_the_database_was_away_for_a_moment(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await start(PAUSED)
    alice = await running.person("alice")
    taken = await sent(alice)
    cancel, failures = Tasks.cancel, [Unavailable(), Unavailable()]

    async def cancel_later(self: Tasks, *args: Any) -> Any:
        if failures:
            raise failures.pop()
        return await cancel(self, *args)

    monkeypatch.setattr(Tasks, "cancel", cancel_later)
    assert (await alice.api("DELETE", f"/books/{taken['book']['book_id']}")).status == 204
    assert await files_of(running) == []
    await running.services.background.catch_up()
    assert (await running.services.tasks.get(taken["task_id"], alice.id)).state == "cancelled"


@pytest.mark.usefixtures("at_hand")
async def test_a_book_whose_task_could_not_be_noted_knows_it_from_the_task(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_task, failures = BookStore.set_task, [Unavailable(), Unavailable()]

    async def set_later(self: BookStore, *args: str) -> None:
        if failures:
            raise failures.pop()
        await set_task(self, *args)

    monkeypatch.setattr(BookStore, "set_task", set_later)
    monkeypatch.setattr(type(running.services.background), "catch_up", nothing)
    alice = await running.person("alice")
    book = await read(alice)
    (task,) = (await alice.api("GET", "/tasks")).document["items"]
    assert (book["state"], book["task_id"]) == ("ready", task["task_id"])


async def nothing(*_: object) -> int:
    """Does nothing."""
    return 0


async def test_who_hangs_up_when_all_is_there_has_sent_a_book(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await running.person("alice")
    uploads = running.services.books.uploads
    upload = await uploads.begin(alice.user.ref, "drinks.md", 0)
    await upload.add(MARKDOWN)
    require_room = Uploads._require_room

    async def hang_up(self: Uploads, user_id: str) -> None:
        upload.release()
        await running.until(lambda: len(running.services.background) == 0, "nothing is under way")
        await require_room(self, user_id)

    monkeypatch.setattr(Uploads, "_require_room", hang_up)
    heard = Heard(alice)
    book, _ = await uploads.keep(upload)
    await heard.until("completed", "failed")
    assert (await shown(alice, book.book_id))["state"] == "ready"
    refused = await refused_after_release(running, alice, monkeypatch)
    assert refused not in await files_of(running)


async def refused_after_release(running: Running, person: Person, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a book whose sender hung up, and for which there was no room then."""
    upload = await running.services.books.uploads.begin(person.user.ref, "drinks.md", 0)
    await upload.add(MARKDOWN)

    async def refuse(*_: object) -> None:
        upload.release()
        raise BadState("There are too many books")

    monkeypatch.setattr(Uploads, "_require_room", refuse)
    with pytest.raises(BadState):
        await running.services.books.uploads.keep(upload)
    return upload.book_id


async def test_a_file_that_is_nobodys_goes_after_some_hours(running: Running) -> None:
    await running.person("alice")
    store = BookStore(running.services.database)
    file = store.new_file(new_id())
    await file.write(b"half a book")
    await file.close()
    clean = running.server.jobs.jobs["book_files"].body
    assert await clean() == 0
    running.clock.move(UPLOAD_WITHIN_S + 1)
    assert await clean() == 1
    assert await files_of(running) == []
