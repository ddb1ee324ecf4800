"""The collections `books` and `passages`, and the files `book_files`: books, what stands in them, and what was
uploaded, which is kept until it is read.

Passages are stored before the book says that they are its own, by its ``edition``; so a book is always whole for
whoever reads it, also while another edition comes in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any

import msgspec

from server.books.model import Book, Chapter, Passage
from server.store.driver import ASCENDING, DESCENDING, Collection, Database, Document, Files, IndexModel, NewFile

INDEXES = [
    IndexModel([("user_id", ASCENDING), ("_id", DESCENDING)], name="of_user"),
    IndexModel([("state", ASCENDING), ("updated_at", ASCENDING)], name="state"),
]
PASSAGE_INDEXES = [
    IndexModel([("book_id", ASCENDING), ("edition", ASCENDING), ("number", ASCENDING)], name="of_book", unique=True),
    IndexModel([("book_id", ASCENDING), ("edition", ASCENDING), ("chapter", ASCENDING)], name="of_chapter"),
]
BRIEF = [*(name for name in Book.__struct_fields__ if name not in ("book_id", "chapters")), "chapters.passages"]
"""What a list has of a book: of its chapters how many there are, and how long they are."""
DELETED = "deleted"
"""The state of what is left of a book that was removed, until all that stood in it is gone, too."""
AT_A_TIME = 500
"""Passages written with one request: some 500 KiB."""


class BookStore:
    """Books in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._books: Collection = database.collection("books")
        self._passages: Collection = database.collection("passages")
        self._files: Files = database.files("book_files")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._books.ensure_indexes(INDEXES)
        await self._passages.ensure_indexes(PASSAGE_INDEXES)
        await self._files.ensure_indexes()

    # ── books ──

    async def insert(self, book: Book) -> None:
        """Stores a new book; raises :class:`~server.store.driver.Duplicate`."""
        await self._books.insert(_document(book))

    async def replace(self, book: Book, edition: str) -> bool:
        """Puts ``book`` in the place of what is stored of it; false unless that is of ``edition``."""
        return await self._books.replace({"_id": book.book_id, "edition": edition}, _document(book))

    async def get(self, book_id: str) -> Book | None:
        """The book with that id, whoever it belongs to."""
        return _book(await self._books.find_one({"_id": book_id, "state": {"$ne": DELETED}}))

    async def of(self, user_id: str | None) -> list[Book]:
        """The books of that person, or those that are everybody's, newest first."""
        found = await self._books.find({"user_id": user_id}, sort=[("_id", DESCENDING)])
        return [book for book in map(_book, found) if book is not None]

    async def shelf(self, user_id: str | None, *, before: str | None = None, limit: int = 0) -> list[Book]:
        """As :meth:`of`, at most ``limit`` (0: all) with ids below ``before``, and their chapters without titles: what
        a list does not show is not read."""
        query: Document = {"user_id": user_id} | ({} if before is None else {"_id": {"$lt": before}})
        found = await self._books.find(query, sort=[("_id", DESCENDING)], limit=limit, fields=BRIEF)
        for document in found:
            document["chapters"] = [
                {"number": number, "title": "", **chapter} for number, chapter in enumerate(document["chapters"], 1)
            ]
        return [book for book in map(_book, found) if book is not None]

    async def ids_of(self, user_id: str) -> list[str]:
        """The ids of that person's books."""
        return [str(each["_id"]) for each in await self._books.find({"user_id": user_id}, fields=["_id"])]

    async def count_of(self, user_id: str) -> int:
        """How many books that person has."""
        return await self._books.count({"user_id": user_id})

    async def importing_before(self, moment: datetime, limit: int) -> list[Book]:
        """Books that are being read and of which nothing was heard since ``moment``."""
        query: Document = {"state": "importing", "updated_at": {"$lt": moment}}
        found = await self._books.find(query, limit=limit)
        return [book for book in map(_book, found) if book is not None]

    async def set_task(self, book_id: str, task_id: str) -> None:
        """Says which task reads the book."""
        await self._books.update({"_id": book_id}, {"$set": {"task_id": task_id}})

    async def set_ready(
        self,
        book_id: str,
        title: str,
        author: str | None,
        language: str | None,
        chapters: list[Chapter],
        now: datetime,
    ) -> bool:
        """Says that the book was read; false unless it is being read."""
        change = {
            "state": "ready",
            "title": title,
            "author": author,
            "language": language,
            "chapters": msgspec.to_builtins(chapters),
            "updated_at": now,
        }
        return await self._books.update({"_id": book_id, "state": "importing"}, {"$set": change})

    async def set_failed(self, book_id: str, failure: str, now: datetime) -> bool:
        """Says why the book cannot be read; false unless it is being read."""
        change = {"state": "failed", "failure": failure, "updated_at": now}
        return await self._books.update({"_id": book_id, "state": "importing"}, {"$set": change})

    async def remove(self, book_id: str, now: datetime) -> bool:
        """Removes the book; false if there is none. That what stands in it has to go stays written down until
        :meth:`clear`, whatever happens to the server meanwhile."""
        return await self._books.replace({"_id": book_id, "state": {"$ne": DELETED}}, _deleted(book_id, now))

    async def remove_importing(self, book_id: str, now: datetime) -> bool:
        """As :meth:`remove`; false unless the book is being read."""
        return await self._books.replace({"_id": book_id, "state": "importing"}, _deleted(book_id, now))

    async def removed_before(self, moment: datetime, limit: int) -> list[str]:
        """The ids of books that were removed before ``moment`` and are not cleared yet."""
        found = await self._books.find({"state": DELETED, "updated_at": {"$lt": moment}}, fields=["_id"], limit=limit)
        return [str(each["_id"]) for each in found]

    async def clear(self, book_id: str) -> None:
        """Removes all that stands in a book that was removed, and then that it was."""
        await self.remove_content(book_id)
        await self._books.delete({"_id": book_id, "state": DELETED})

    async def there_among(self, book_ids: Iterable[str]) -> set[str]:
        """Which of these are ids of books."""
        query = {"_id": {"$in": list(book_ids)}, "state": {"$ne": DELETED}}
        return {str(each["_id"]) for each in await self._books.find(query, fields=["_id"])}

    # ── passages ──

    async def insert_passages(self, passages: list[Passage], edition: str) -> None:
        """Stores passages of that edition; those that are there already stay as they are."""
        for at in range(0, len(passages), AT_A_TIME):
            batch = passages[at : at + AT_A_TIME]
            await self._passages.insert_all([_passage_document(passage, edition) for passage in batch])

    async def chapter(self, book: Book, number: int) -> list[Passage]:
        """The passages of a chapter, in their order."""
        query = {"book_id": book.book_id, "edition": book.edition, "chapter": number}
        found = await self._passages.find(query, sort=[("number", ASCENDING)])
        return [_passage(document) for document in found]

    async def passages(self, book: Book, numbers: list[int]) -> dict[int, Passage]:
        """The passages with these numbers, by number."""
        query = {"book_id": book.book_id, "edition": book.edition, "number": {"$in": numbers}}
        return {int(each["number"]): _passage(each) for each in await self._passages.find(query)}

    async def all_passages(self, book: Book, after: int, limit: int) -> list[Passage]:
        """The next ``limit`` passages behind the number ``after``, in their order."""
        query = {"book_id": book.book_id, "edition": book.edition, "number": {"$gt": after}}
        found = await self._passages.find(query, sort=[("number", ASCENDING)], limit=limit)
        return [_passage(document) for document in found]

    async def is_whole(self, book: Book) -> bool:
        """Whether every passage of the book is there."""
        return await self._passages.count({"book_id": book.book_id, "edition": book.edition}) == book.passages

    async def remove_other_editions(self, book_id: str, edition: str) -> int:
        """Removes what does not count any more; returns how many passages that were."""
        return await self._passages.delete({"book_id": book_id, "edition": {"$ne": edition}})

    async def remove_content(self, book_id: str) -> None:
        """Removes every passage of a book, and its file; that there is nothing is no error."""
        await self._files.delete(book_id)
        await self._passages.delete({"book_id": book_id})

    # ── files ──

    def new_file(self, book_id: str) -> NewFile:
        """The file of a book, to be written piece by piece."""
        return self._files.new(book_id)

    def read_file(self, book_id: str, size_bytes: int) -> AsyncIterator[bytes]:
        """The file of a book; raises :class:`~server.store.driver.NoSuchFile`."""
        return self._files.read(book_id, 0, size_bytes)

    async def remove_file(self, book_id: str) -> None:
        """Removes the file of a book; that there is none is no error."""
        await self._files.delete(book_id)

    async def file_ids(self, *, after: str, before: str, limit: int) -> list[str]:
        """The ids of books for which there is a file, or a part of one, in order; see :meth:`Files.ids`."""
        return await self._files.ids(after=after, before=before, limit=limit)


def _deleted(book_id: str, now: datetime) -> Document:
    """Nobody's: ``user_id`` is no person's, and not that of everybody's books."""
    return {"_id": book_id, "user_id": "", "state": DELETED, "updated_at": now}


def _document(book: Book) -> Document:
    document: dict[str, Any] = msgspec.to_builtins(book, builtin_types=(datetime,))
    document["_id"] = document.pop("book_id")
    return document


def _book(document: Document | None) -> Book | None:
    if document is None:
        return None
    document["book_id"] = document.pop("_id")
    return msgspec.convert(document, Book)


def _passage_document(passage: Passage, edition: str) -> Document:
    document: dict[str, Any] = msgspec.to_builtins(passage)
    document["_id"] = document.pop("passage_id")
    document["edition"] = edition
    return document


def _passage(document: Document) -> Passage:
    document["passage_id"] = document.pop("_id")
    return msgspec.convert(document, Passage)
