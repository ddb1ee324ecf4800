"""Books that come in: written down piece by piece, never whole in memory, and then given to a task that reads them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import partial
from pathlib import PurePosixPath

import msgspec

from server.books.formats import HEAD_BYTES, format_of
from server.books.importing import BOOK_IMPORT
from server.books.model import Book, Format
from server.books.passages import title_of
from server.clock import Clock
from server.errors import BadRequest, BadState, RateLimited, TooLarge, Unavailable, UnsupportedMediaType
from server.ids import new_id
from server.languages.sentences import N_
from server.realtime.background import Background
from server.realtime.frames import UserRef
from server.settings import BookSettings
from server.store.books import BookStore
from server.store.driver import NewFile
from server.tasks.model import Task
from server.tasks.tasks import Tasks

PER_PERSON = 2
"""Books of one person on their way at once: one that hangs in a network that is gone, and the one sent again."""
AT_ONCE = 16
"""On this process; each is some MB of a disk's and a network's work in every second."""
COME_BACK_S = 10.0
MAX_NAME_CHARACTERS = 255
"""What a file may be called on the usual file systems."""
FIRST_EDITION = "1"


class Uploads:
    """Takes books in."""

    def __init__(
        self, store: BookStore, tasks: Tasks, background: Background, clock: Clock, settings: BookSettings
    ) -> None:
        self._store = store
        self._tasks = tasks
        self._background = background
        self._clock = clock
        self._settings = settings
        self._on_their_way: Counter[str] = Counter()

    @property
    def under_way(self) -> int:
        """How many books are being sent to this process."""
        return self._on_their_way.total()

    async def begin(self, user: UserRef, name: str, declared_bytes: int) -> Upload:
        """Whether a book may come at all, before it does; returns a place for it, which is to be released.

        ``name`` is what its file is called, or empty. Raises :class:`TooLarge`, :class:`BadRequest`, :class:`BadState`
        when there are as many as are kept of one person, :class:`RateLimited`.
        """
        if declared_bytes > self._settings.max_bytes:
            raise too_large(self._settings.max_bytes)
        if len(name) > MAX_NAME_CHARACTERS:
            raise BadRequest.of("filename", N_("At most %(count)s characters", count=MAX_NAME_CHARACTERS))
        if self._on_their_way[user.id] >= PER_PERSON or self.under_way >= AT_ONCE:
            raise RateLimited("Other books are still being sent; wait a moment", retry_after_s=COME_BACK_S)
        self._on_their_way[user.id] += 1
        try:
            await self._require_room(user.id)
        except BaseException:
            self._release(user.id)
            raise
        book_id = new_id()
        return Upload(self, user, name, book_id, self._store.new_file(book_id), self._settings.max_bytes)

    async def keep(self, upload: Upload) -> tuple[Book, Task]:
        """Keeps what came in whole and begins to read it; returns the book and the task. Raises as :meth:`begin`, and
        :class:`UnsupportedMediaType`; then nothing is kept."""
        upload.is_kept = True  # whoever hangs up from now on has sent it whole
        try:
            return await self._keep(upload)
        except BaseException:
            upload.is_kept = False
            if upload.is_released:
                self._background.start(upload.take_back, "book")
            raise

    async def _keep(self, upload: Upload) -> tuple[Book, Task]:
        form = await upload.end()
        await self._require_room(upload.user.id)
        now = self._clock.now()
        book = Book(
            book_id=upload.book_id,
            user_id=upload.user.id,
            title=title_from(upload.name),
            format=form,
            size_bytes=upload.size_bytes,
            state="importing",
            edition=FIRST_EDITION,
            created_at=now,
            updated_at=now,
        )
        await self._store.insert(book)
        try:
            name = N_("Reading in “%(title)s”", title=book.title) if upload.name else None
            task = await self._tasks.create(
                upload.user.id, BOOK_IMPORT, {"book_id": book.book_id}, title=name, user=upload.user
            )
        except BaseException:
            await self._store.remove(book.book_id, self._clock.now())
            raise
        await self._set_task(book.book_id, task.task_id)
        return msgspec.structs.replace(book, task_id=task.task_id), task

    async def _set_task(self, book_id: str, task_id: str) -> None:
        try:
            await self._store.set_task(book_id, task_id)
        except Unavailable:  # the book is read all the same; it is said when the database is back
            self._background.start(partial(self._store.set_task, book_id, task_id), "book")

    async def _require_room(self, user_id: str) -> None:
        if await self._store.count_of(user_id) >= self._settings.max_books:
            raise BadState(
                N_("At most %(count)s of your books are kept; delete one first", count=self._settings.max_books)
            )

    def release(self, upload: Upload) -> None:
        """The upload is over; what is not kept is taken back."""
        self._release(upload.user.id)
        if not upload.is_kept:
            self._background.start(upload.take_back, "book")

    def _release(self, user_id: str) -> None:
        self._on_their_way[user_id] -= 1
        self._on_their_way += Counter()  # which leaves out those that have none


class Upload:
    """The place of one book that comes in. The first bytes say what it is; what is none is not stored at all."""

    def __init__(self, uploads: Uploads, user: UserRef, name: str, book_id: str, file: NewFile, max_bytes: int) -> None:
        self._uploads: Uploads | None = uploads
        self._file = file
        self._max_bytes = max_bytes
        self._head = b""
        self._format: Format | None = None
        self.user = user
        self.name = name
        self.book_id = book_id
        self.size_bytes = 0
        self.is_kept = False

    async def add(self, piece: bytes) -> None:
        """One more piece; raises :class:`TooLarge`, :class:`UnsupportedMediaType`."""
        self.size_bytes += len(piece)
        if self.size_bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        if self._format is not None:
            await self._file.write(piece)
            return
        self._head += piece
        if len(self._head) >= HEAD_BYTES:
            await self._recognise()

    async def end(self) -> Format:
        """It is whole; returns its format. Raises :class:`BadRequest` if there is nothing, and as :meth:`add`."""
        if self.size_bytes == 0:
            raise BadRequest("The body is empty; it has to be a book", fields={"body": N_("empty")})
        form = self._format or await self._recognise()
        await self._file.close()
        return form

    async def take_back(self) -> None:
        """It will not be kept."""
        await self._file.take_back()

    @property
    def is_released(self) -> bool:
        """Whether nobody holds its place any more."""
        return self._uploads is None

    def release(self) -> None:
        """See :class:`handlers.uploading.Place`."""
        uploads, self._uploads = self._uploads, None
        if uploads is not None:
            uploads.release(self)

    async def _recognise(self) -> Format:
        self._format = format_of(self._head, self.name)
        if self._format is None:
            raise UnsupportedMediaType("The body has to be a book: Markdown, text, EPUB or PDF")
        await self._file.write(self._head)
        self._head = b""
        return self._format


def too_large(max_bytes: int) -> TooLarge:
    """The refusal of what is larger than a book may be."""
    return TooLarge(N_("A book has at most %(count)s bytes", count=max_bytes))


def title_from(name: str) -> str:
    """What a book is called until it says so itself: its file's name without folders and ending."""
    path = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/"))
    return title_of(path.stem.replace("_", " ")) or "…"
