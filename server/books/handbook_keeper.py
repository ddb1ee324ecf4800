"""Keeps the handbook among everybody's books: as it came with this version of Ringback, on whatever database."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from server.books import handbook
from server.books.cpu import Cpu
from server.books.model import HANDBOOK_ID, Book, Chapter, Passage
from server.clock import Clock
from server.languages.sentences import N_
from server.log import get_logger
from server.store.books import BookStore
from server.store.driver import Duplicate

log = get_logger("books")

TITLE = N_("Ringback handbook")
LANGUAGES = "mul"
"""In several languages (ISO 639-2)."""


class HandbookKeeper:
    """Brings the handbook into the database, once in the life of a process. The start of a server does not wait for it;
    whoever asks for books meanwhile does."""

    def __init__(self, store: BookStore, cpu: Cpu, folder: Path, clock: Clock) -> None:
        self._store = store
        self._cpu = cpu
        self._folder = folder
        self._clock = clock
        self._lock = asyncio.Lock()
        self._is_kept = False

    async def keep(self) -> None:
        """Returns when the handbook of this version is there; raises :class:`~server.errors.Unavailable`."""
        async with self._lock:
            if not self._is_kept:
                await self._bring()
                self._is_kept = True

    async def settled(self) -> None:
        """Returns when nothing is being brought any more."""
        if self._lock.locked():
            async with self._lock:
                pass

    async def _bring(self) -> None:
        edition = await asyncio.to_thread(handbook.edition, self._folder)
        known = await self._store.get(HANDBOOK_ID)
        if known is not None and known.edition == edition and await self._store.is_whole(known):
            return
        sections = await self._cpu(handbook.read, self._folder)
        passages = list(passages_of(sections, edition))
        await self._store.insert_passages(passages, edition)
        if not await self._put(self._book(sections, edition, known), known):
            return  # the book names what another process has brought, which is not ours to remove
        await self._store.insert_passages(passages, edition)  # whoever was here before may just have cleaned up
        await self._store.remove_other_editions(HANDBOOK_ID, edition)
        log.info("handbook_kept", edition=edition, chapters=len(sections), is_update=known is not None)

    async def _put(self, book: Book, known: Book | None) -> bool:
        """Whether the book is ours now; another process may do the same, with the same version or another one."""
        if known is not None:
            return await self._store.replace(book, known.edition)
        with suppress(Duplicate):
            await self._store.insert(book)
            return True
        return False

    def _book(self, sections: list[handbook.Section], edition: str, known: Book | None) -> Book:
        now = self._clock.now()
        return Book(
            book_id=HANDBOOK_ID,
            user_id=None,
            title=str(TITLE),
            language=LANGUAGES,
            format="markdown",
            size_bytes=handbook.size_bytes(self._folder),
            state="ready",
            edition=edition,
            chapters=tuple(
                Chapter(number, section.title, len(section.pieces)) for number, section in enumerate(sections, 1)
            ),
            created_at=now if known is None else known.created_at,
            updated_at=now,
        )


def passages_of(sections: list[handbook.Section], edition: str) -> list[Passage]:
    """Every passage of the handbook, numbered."""
    chapters = enumerate(sections, 1)
    pieces = [(number, section.title, piece) for number, section in chapters for piece in section.pieces]
    return [
        Passage(
            passage_id=f"{HANDBOOK_ID}.{edition}.{number}",
            book_id=HANDBOOK_ID,
            number=number,
            chapter=chapter,
            chapter_title=title,
            heading=piece.heading,
            text=piece.text,
        )
        for number, (chapter, title, piece) in enumerate(pieces, 1)
    ]
