"""The pages of books: the shelf, and a chapter to read."""

from __future__ import annotations

from typing import Any

from handlers.pages import PageHandler
from server.books.model import Chapter, Passage, book_brief, book_view
from server.errors import NotFound

MAX_CHAPTER_DIGITS = 6
"""Of the number of a chapter in an address; no book has a million."""


class BooksPageHandler(PageHandler):
    """``/books``: what can be read and asked, and sending more."""

    page = "books"

    async def get(self) -> None:
        """The handbook, and the own books."""
        books = await self.services.books.list_for(self.who.user.id)
        shown = [book_brief(book, self.locale.translate) for book in books]
        unread = await self.unread()
        self.render_page(
            "books.html",
            boot={"books": shown, "max_bytes": self.services.settings.books.max_bytes},
            unread=unread,
            max_mib=self.services.settings.books.max_bytes // 1024**2,
        )


class BookPageHandler(PageHandler):
    """``/books/<id>``: one chapter of it. Sources of replies lead to ``?chapter=3#p12``."""

    page = "books"

    async def get(self, book_id: str) -> None:
        """The chapter that is asked for, or the first."""
        user_id = self.who.user.id
        book = await self.services.books.get(book_id, user_id)
        chapter = self._chapter(book.chapters)
        passages: list[Passage] = []
        if book.state == "ready" and chapter is not None:
            passages = await self.services.books.chapter(book_id, chapter.number, user_id)
        shown = book_view(book, self.locale.translate)
        unread = await self.unread()
        numbers = [each.number for each in book.chapters]
        at = numbers.index(chapter.number) if chapter else 0
        self.render_page(
            "book.html",
            boot={"book": {name: shown[name] for name in ("book_id", "title", "state", "task_id")}},
            unread=unread,
            book=shown,
            chapter=chapter,
            passages=list(_under_headings(passages)),
            before=book.chapters[at - 1] if at > 0 else None,
            after=book.chapters[at + 1] if at + 1 < len(numbers) else None,
        )

    def _chapter(self, chapters: tuple[Chapter, ...]) -> Chapter | None:
        asked = self.get_query_argument("chapter", None)
        if asked is None:
            return chapters[0] if chapters else None
        if not asked.isascii() or not asked.isdecimal() or len(asked) > MAX_CHAPTER_DIGITS:
            raise NotFound("There is no such chapter")
        for chapter in chapters:
            if chapter.number == int(asked):
                return chapter
        raise NotFound("There is no such chapter")


def _under_headings(passages: list[Passage]) -> list[dict[str, Any]]:
    """Passages as they are read: a heading stands where it begins, and not again over each passage under it."""
    shown = []
    before = ""
    for passage in passages:
        paragraphs = [text for text in passage.text.split("\n\n") if text.strip()]
        heading = passage.heading if passage.heading != before else ""
        shown.append({"number": passage.number, "heading": heading, "paragraphs": paragraphs})
        before = passage.heading
    return shown
