"""What tests of books need: a small book that somebody has, and the text of another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.books.model import Book, Chapter, Passage
from server.ids import new_id
from server.store.books import BookStore
from tests.clock import START

TEXTS = (("Tea", "Water boils, and then the leaves go in."), ("Coffee", "Beans are ground and brewed."))


def book(user_id: str | None = "alice", **fields: Any) -> Book:
    """A book of Alice's with two chapters of one passage each."""
    given: dict[str, Any] = {
        "book_id": new_id(),
        "user_id": user_id,
        "title": "Drinks",
        "format": "markdown",
        "size_bytes": 120,
        "state": "ready",
        "edition": "1",
        "chapters": tuple(Chapter(number, title, 1) for number, (title, _) in enumerate(TEXTS, 1)),
        "created_at": START,
        "updated_at": START,
    }
    return Book(**given | fields)


def passages(of: Book) -> list[Passage]:
    """What stands in it."""
    return [
        Passage(
            passage_id=f"{of.book_id}.{of.edition}.{number}",
            book_id=of.book_id,
            number=number,
            chapter=number,
            chapter_title=title,
            heading="",
            text=text,
        )
        for number, (title, text) in enumerate(TEXTS, 1)
    ]


async def stored(store: BookStore, user_id: str | None = "alice", **fields: Any) -> Book:
    """A book that is there, with its passages."""
    made = book(user_id, **fields)
    await store.insert(made)
    await store.insert_passages(passages(made), made.edition)
    return made


def at(moment: datetime = START, **fields: Any) -> Book:
    """A book of which nothing was heard since ``moment``."""
    return book(updated_at=moment, **fields)
