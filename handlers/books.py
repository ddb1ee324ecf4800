"""Books, over HTTP."""

from __future__ import annotations

from handlers.base import ApiHandler
from server.books.model import book_view, passage_view


class BooksHandler(ApiHandler):
    """``GET /books``."""

    async def get(self) -> None:
        """The books that this person can read and ask: the handbook, and then their own, newest first."""
        books = await self.services.books.list_for(self.who.user.id)
        self.reply({"items": [book_view(book, self.language.translate) for book in books], "next": None})


class BookHandler(ApiHandler):
    """``/books/{book_id}``."""

    async def get(self, book_id: str) -> None:
        """The book, whatever its state."""
        book = await self.services.books.get(book_id, self.who.user.id)
        self.reply(book_view(book, self.language.translate))

    async def delete(self, book_id: str) -> None:
        """204; it is gone for good."""
        await self.services.books.delete(book_id, self.who.user.id)
        self.no_content()


class ChapterHandler(ApiHandler):
    """``GET /books/{book_id}/chapters/{number}``."""

    async def get(self, book_id: str, number: str) -> None:
        """What stands in the chapter, passage by passage."""
        passages = await self.services.books.chapter(book_id, int(number), self.who.user.id)
        self.reply(
            {
                "book_id": book_id,
                "number": int(number),
                "title": passages[0].chapter_title if passages else "",
                "items": [passage_view(passage) for passage in passages],
            }
        )
