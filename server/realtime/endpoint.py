"""What a kind of socket is to the domain: who may open it, what it shows first, and which frames it understands."""

from __future__ import annotations

from typing import Any, Protocol

from server.close_codes import CloseCode
from server.errors import (
    CallEnded,
    Forbidden,
    NotFound,
    RateLimited,
    RingbackError,
    TokenExpired,
    Unauthenticated,
    Unavailable,
)
from server.realtime.dispatch import Commands
from server.realtime.hub import SessionWatcher
from server.realtime.session import Session


class Refused(Exception):
    """A socket is not let in: it is closed with ``code`` and ``reason``."""

    def __init__(self, code: CloseCode, reason: str = "") -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code.name.lower()} {reason}".strip())


class Endpoint(SessionWatcher, Protocol):
    """One kind of socket. It sees sessions, never sockets."""

    kind: str
    commands: Commands
    interval_s: float
    resume_window_s: float

    async def open(self, session: Session) -> dict[str, Any]:
        """Registers a new session and returns its snapshot; raises :class:`Refused` or a
        :class:`~server.errors.RingbackError`, and has registered nothing then.

        It registers before it reads, so that whatever happens meanwhile waits in the session and nobody is missed,
        whoever came first. At most one read of the database.
        """
        ...

    async def reopen(self, session: Session) -> dict[str, Any]:
        """The snapshot for a session that comes back."""
        ...


_CODES: tuple[tuple[type[RingbackError], CloseCode], ...] = (
    (TokenExpired, CloseCode.TOKEN_EXPIRED),
    (Unauthenticated, CloseCode.UNAUTHENTICATED),
    (NotFound, CloseCode.NOT_FOUND),
    (Forbidden, CloseCode.FORBIDDEN),
    (CallEnded, CloseCode.ENDED),
    (RateLimited, CloseCode.RATE_LIMITED),
    (Unavailable, CloseCode.UNAVAILABLE),
)


def close_code_for(error: RingbackError) -> CloseCode:
    """The close code that says the same as an error does over HTTP."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), CloseCode.INTERNAL_ERROR)
