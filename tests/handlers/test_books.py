"""Books over HTTP: one's own and everybody's, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from server.books.model import HANDBOOK_ID, Book
from server.ids import new_id
from server.store.books import BookStore
from tests.books.shelf import passages, stored
from tests.running import Answer, Person, Running

pytestmark = pytest.mark.gen_test


async def of(person: Person, **fields: Any) -> Book:
    """A book that this person has."""
    return await stored(BookStore(person.running.services.database), person.id, **fields)


async def listed(person: Person) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await person.api("GET", "/books")).document["items"]
    return items


def refusal(answer: Answer) -> tuple[int, str]:
    return (answer.status, answer.code)


async def test_the_handbook_is_everybodys(running: Running) -> None:
    running.server.unpack()
    await running.services.books.keep_handbook()
    alice, bob = await running.people("alice", "bob")
    for person in (alice, bob):
        (book,) = await listed(person)
        assert (book["book_id"], book["title"], book["built_in"]) == (HANDBOOK_ID, "Ringback handbook", True)
        whole = (await person.api("GET", f"/books/{HANDBOOK_ID}")).document
        assert book["passages"] == sum(chapter["passages"] for chapter in whole["chapters"]) > 300
    assert refusal(await alice.api("DELETE", f"/books/{HANDBOOK_ID}")) == (403, "forbidden")
    chapter = (await alice.api("GET", f"/books/{HANDBOOK_ID}/chapters/2")).document
    assert chapter["title"] == whole["chapters"][1]["title"]
    assert len(chapter["items"]) == whole["chapters"][1]["passages"]


async def test_own_books_are_listed_newest_first(running: Running) -> None:
    alice = await running.person("alice")
    first, second = await of(alice), await of(alice)
    assert [book["book_id"] for book in await listed(alice)] == [second.book_id, first.book_id]


async def test_a_list_of_books_has_no_chapters(running: Running) -> None:
    """A shelf of fifty books of two thousand chapters each shows none of them."""
    alice = await running.person("alice")
    book = await of(alice)
    whole = (await alice.api("GET", f"/books/{book.book_id}")).document
    assert await listed(alice) == [{name: value for name, value in whole.items() if name != "chapters"}]


async def test_books_are_listed_page_by_page(running: Running) -> None:
    alice = await running.person("alice")
    everybodys = await stored(BookStore(running.services.database), None)
    first, second, third = await of(alice), await of(alice), await of(alice)
    pages, query = [], "?limit=2"
    while query:
        page = (await alice.api("GET", f"/books{query}")).document
        pages.append([book["book_id"] for book in page["items"]])
        query = f"?limit=2&before={page['next']}" if page["next"] else ""
    assert pages == [[everybodys.book_id, third.book_id, second.book_id], [first.book_id]]


@pytest.mark.parametrize("query", ["limit=0", "limit=many", "before=yesterday"])
async def test_a_page_that_is_none_is_refused(running: Running, query: str) -> None:
    alice = await running.person("alice")
    answer = await alice.api("GET", f"/books?{query}")
    assert (answer.status, list(answer.document["errors"])) == (400, [query.partition("=")[0]])


async def test_a_book_says_what_it_is(running: Running) -> None:
    alice = await running.person("alice")
    book = await of(alice, author="A. N. Author", language="en")
    assert (await alice.api("GET", f"/books/{book.book_id}")).document == {
        "book_id": book.book_id,
        "title": "Drinks",
        "author": "A. N. Author",
        "language": "en",
        "format": "markdown",
        "size_bytes": 120,
        "built_in": False,
        "state": "ready",
        "error": None,
        "chapters": [{"number": 1, "title": "Tea", "passages": 1}, {"number": 2, "title": "Coffee", "passages": 1}],
        "chapter_count": 2,
        "passages": 2,
        "task_id": None,
        "created_at": "2026-11-20T05:12:07.345Z",
    }


async def test_a_chapter_is_read_passage_by_passage(running: Running) -> None:
    alice = await running.person("alice")
    book = await of(alice)
    (passage,) = passages(book)[1:]
    assert (await alice.api("GET", f"/books/{book.book_id}/chapters/2")).document == {
        "book_id": book.book_id,
        "number": 2,
        "title": "Coffee",
        "items": [{"passage_id": passage.passage_id, "number": 2, "heading": "", "text": passage.text}],
    }


@pytest.mark.parametrize("number", [3, 9999])
async def test_a_chapter_that_there_is_not_is_not_found(running: Running, number: int) -> None:
    alice = await running.person("alice")
    book = await of(alice)
    assert refusal(await alice.api("GET", f"/books/{book.book_id}/chapters/{number}")) == (404, "not_found")


async def test_somebody_elses_book_is_answered_like_none(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    book = await of(alice)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/chapters/1")):
        theirs = await bob.api(method, f"/books/{book.book_id}{path}")
        none = await bob.api(method, f"/books/{new_id()}{path}")
        assert refusal(theirs) == refusal(none) == (404, "not_found")
        assert theirs.document["detail"] == none.document["detail"]
    assert await listed(bob) == []


@pytest.mark.parametrize("state", ["importing", "failed"])
async def test_a_book_that_is_not_ready_is_listed_and_not_read(running: Running, state: str) -> None:
    alice = await running.person("alice")
    book = await of(alice, state=state, failure="no_text" if state == "failed" else None)
    (shown,) = await listed(alice)
    assert shown["state"] == state
    assert (shown["error"] or {}).get("code") == book.failure
    assert refusal(await alice.api("GET", f"/books/{book.book_id}/chapters/1")) == (409, "bad_state")


async def test_why_a_book_cannot_be_read_is_said_in_the_readers_language(running: Running) -> None:
    alice = await running.person("alice")
    await of(alice, state="failed", failure="no_text")
    (shown,) = (await alice.api("GET", "/books", **{"Accept-Language": "zh-CN"})).document["items"]
    assert shown["error"]["message"].startswith("这本书里没有文字")


async def test_a_deleted_book_is_gone_with_all_that_stands_in_it(running: Running) -> None:
    alice = await running.person("alice")
    book, other = await of(alice), await of(alice)
    assert (await alice.api("DELETE", f"/books/{book.book_id}")).status == 204
    assert refusal(await alice.api("GET", f"/books/{book.book_id}")) == (404, "not_found")
    await running.until(lambda: len(running.services.background) == 0, "nothing is under way")
    store = BookStore(running.services.database)
    assert await store.all_passages(book, 0, 10) == []
    assert await store.all_passages(other, 0, 10) == passages(other)


async def test_books_go_with_the_account(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await of(alice)
    kept = await of(bob)
    await running.services.accounts.remove(alice.user)
    store = BookStore(running.services.database)
    assert await store.of(alice.id) == []
    assert await store.of(bob.id) == [kept]


async def test_a_question_finds_the_passages_that_answer_it(running: Running) -> None:
    alice = await running.person("alice")
    book = await of(alice)
    books = running.services.books
    (found,) = await books.find(book.book_id, "When do the leaves go into the water?")
    assert found.passage == passages(book)[0]
    assert found.passage.path == f"/books/{book.book_id}?chapter=1#p1"
    assert found.coverage == 1.0
    assert await books.find(book.book_id, "bicycles") == []


async def test_what_a_book_says_now_is_found(running: Running) -> None:
    """Of another edition the index is another."""
    alice = await running.person("alice")
    book = await of(alice)
    books = running.services.books
    assert await books.find(book.book_id, "leaves")
    await alice.api("DELETE", f"/books/{book.book_id}")
    await running.until(lambda: len(running.services.background) == 0, "nothing is under way")
    await BookStore(running.services.database).clear(book.book_id)
    again = await of(alice, book_id=book.book_id, edition="2")
    assert [found.passage.passage_id for found in await books.find(again.book_id, "leaves")] == [f"{book.book_id}.2.1"]
