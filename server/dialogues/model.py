"""What a dialogue is: turns of one question and one reply, as values, and as messages on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from server.wire import optional_rfc3339, rfc3339

ReplyState = Literal["waiting", "streaming", "complete", "interrupted", "cancelled", "failed"]
MessageState = Literal["stored", ReplyState]

OPEN: tuple[ReplyState, ...] = ("waiting", "streaming")
"""A reply in one of these is not over."""


class Dialogue(msgspec.Struct, frozen=True):
    """One person's dialogue about one book; of one that was deleted nothing is kept but that it was theirs.

    ``turns`` is the number of the last turn that was begun. ``book_title`` is what the book was called then: the
    dialogue can be read when the book is gone.
    """

    session_id: str
    user_id: str
    title: str = ""
    book_id: str = ""
    book_title: str = ""
    responder: str = ""
    turns: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None


class Source(msgspec.Struct, frozen=True):
    """A passage that a reply is taken from; ``n`` is how the reply names it, ``[1]``, ``heading`` what it
    stands under in its chapter, or empty."""

    n: int
    passage_id: str
    book_id: str
    book_title: str
    chapter: int
    chapter_title: str
    quote: str
    url: str
    heading: str = ""


class ReplyError(msgspec.Struct, frozen=True):
    """Why a reply did not come to its end: ``code`` for programs, ``message`` in English."""

    code: str
    message: str


class Turn(msgspec.Struct, frozen=True):
    """A question and its reply: one document, so that neither is ever stored without the other.

    ``turn_id`` is the id of the reply. ``is_again``: the question was asked in an earlier turn, and its reply is wanted
    once more. ``parts`` is how many parts ``text`` has grown by. ``lease_by`` is the process that is replying;
    ``lease_until`` is when it counts as dead unless it has said that it lives.
    """

    turn_id: str
    session_id: str
    number: int
    question_id: str
    question: str
    asked_at: datetime
    state: ReplyState = "waiting"
    is_again: bool = False
    client_id: str | None = None
    text: str = ""
    parts: int = 0
    sources: tuple[Source, ...] = ()
    error: ReplyError | None = None
    completed_at: datetime | None = None
    lease_by: str | None = None
    lease_until: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing of the reply changes any more."""
        return self.state not in OPEN


def question_view(turn: Turn) -> dict[str, Any]:
    """The question as a message on the wire."""
    return _message(
        turn,
        message_id=turn.question_id,
        number=2 * turn.number - 1,
        role="person",
        text=turn.question,
        state="stored",
        completed_at=rfc3339(turn.asked_at),
    )


def reply_view(turn: Turn) -> dict[str, Any]:
    """The reply as a message on the wire, as far as it has come."""
    return _message(
        turn,
        message_id=turn.turn_id,
        number=2 * turn.number,
        role="assistant",
        text=turn.text,
        parts=turn.parts,
        state=turn.state,
        reply_to=turn.question_id,
        sources=[msgspec.structs.asdict(source) for source in turn.sources],
        error=turn.error and msgspec.structs.asdict(turn.error),
        completed_at=optional_rfc3339(turn.completed_at),
    )


def _message(turn: Turn, **own: Any) -> dict[str, Any]:
    return {
        "session_id": turn.session_id,
        "parts": 0,
        "reply_to": None,
        "sources": [],
        "error": None,
        "created_at": rfc3339(turn.asked_at),
    } | own


def messages_of(turns: list[Turn]) -> list[dict[str, Any]]:
    """The messages of turns, which are in order."""
    messages = []
    for turn in turns:
        if not turn.is_again:
            messages.append(question_view(turn))
        messages.append(reply_view(turn))
    return messages


def dialogue_view(dialogue: Dialogue, ws_url: str) -> dict[str, Any]:
    """The dialogue as it crosses the wire; ``ws_url`` is where it goes on."""
    return {
        "session_id": dialogue.session_id,
        "title": dialogue.title,
        "book": {"book_id": dialogue.book_id, "title": dialogue.book_title},
        "responder": dialogue.responder,
        "created_at": optional_rfc3339(dialogue.created_at),
        "updated_at": optional_rfc3339(dialogue.updated_at),
        "ws_url": ws_url,
    }
