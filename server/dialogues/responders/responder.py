"""What a responder is: a question, what was said before and the passages that were found go in, text comes out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol

from server.books.model import Found
from server.dialogues.model import ReplyError, Turn


class Asked(NamedTuple):
    """One question. ``earlier`` are the turns before it that came to an end, oldest first; ``found`` the passages of
    the book that may answer, best first. The title of a book that ``is_built_in`` is a sentence of ours."""

    question: str
    book_title: str
    earlier: list[Turn]
    found: list[Found]
    is_built_in: bool = False


class Cited(NamedTuple):
    """A passage that a reply is taken from: the number by which the text names it, ``[1]``, and what of the passage
    stands beside the reply; that is what the reply quotes, where it quotes."""

    n: int
    found: Found
    quote: str


class NoReply(Exception):
    """The responder cannot answer, or not to the end; ``code`` for programs, ``message`` in English."""

    def __init__(self, code: str, message: str) -> None:
        self.error = ReplyError(code, message)
        super().__init__(code)


class Responder(Protocol):
    """Whoever answers."""

    name: str

    def reply(self, asked: Asked) -> AsyncGenerator[str, None]:
        """The reply as Markdown, piece by piece as it comes; raises :class:`NoReply`. Closing the generator ends all
        work for it at once."""
        ...

    def sources(self, asked: Asked, text: str) -> list[Cited]:
        """What the reply ``text`` is taken from."""
        ...

    async def close(self) -> None:
        """No more is asked of it."""
        ...


def place_of(found: Found) -> str:
    """Where a passage stands in its book, for a person: chapter and heading."""
    return " / ".join(each for each in (found.passage.chapter_title, found.passage.heading) if each)
