"""Books, over HTTP."""

from __future__ import annotations

import tornado.web

from handlers.base import ApiHandler, bad_query
from handlers.uploading import UploadHandler
from server.books.model import book_brief, book_view, passage_view
from server.books.uploads import Upload
from server.ids import is_id
from server.languages.sentences import N_
from server.settings import Settings


@tornado.web.stream_request_body
class BooksHandler(UploadHandler):
    """``/books``. A book that is sent is written down as it arrives."""

    @classmethod
    def kept_body_bytes(cls, settings: Settings) -> int:
        """A whole book; no more than a piece of it is in memory at a time."""
        return settings.books.max_bytes

    def max_upload_bytes(self) -> int:
        """See :class:`UploadHandler`."""
        return self.services.settings.books.max_bytes

    async def begin(self) -> Upload:
        """See :class:`UploadHandler`."""
        name = self.get_query_argument("filename", "")
        upload: Upload = await self.services.books.uploads.begin(self.who.user, name, self.declared_bytes())
        return upload

    async def post(self) -> None:
        """202 the task that reads the book, and the book: ``{…task, book}``."""
        if self.is_answered:
            self.finish()
            return
        self.require_taken()
        assert isinstance(self.place, Upload)
        book, task = await self.services.books.uploads.keep(self.place)
        translate = self.language.translate
        self.reply(self.services.tasks.view(task, translate) | {"book": book_view(book, translate)}, 202)

    async def get(self) -> None:
        """The books that this person can read and ask: the handbook, and then their own, newest first."""
        before = self.get_query_argument("before", None)
        if before is not None and not is_id(before):
            raise bad_query("before", N_("the next of an earlier page"))
        page = await self.services.books.page(self.who.user.id, limit=self.page_limit(), before=before)
        self.reply({"items": [book_brief(book, self.language.translate) for book in page.items], "next": page.next})


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
