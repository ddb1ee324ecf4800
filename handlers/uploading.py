"""Taking in a large body as it arrives, once it is known from whom, and that they may send it."""

from __future__ import annotations

from asyncio import Future
from typing import Protocol

from tornado.http1connection import HTTP1Connection

from handlers.base import KEPT_BODY_BYTES, ApiHandler
from server.errors import RingbackError

UPLOAD_TIMEOUT_S = 3 * 3600.0
"""The largest recording by default, at 400 kbit/s."""
LEAST_BYTES_PER_S = 25_000
GRACE_S = 60.0
"""What comes more slowly than that, after the first minute, does not hold its place for hours."""
REFUSED_TIMEOUT_S = 60.0
REFUSED_BYTES = 64 * KEPT_BODY_BYTES
"""What is read of a refused body, and thrown away, if nothing may be larger anyway: a browser that still sends when the
connection closes never reads why."""


class Place(Protocol):
    """Where a body goes that comes in."""

    async def add(self, piece: bytes) -> None:
        """Takes one more piece; raises a :class:`~server.errors.RingbackError` for what cannot be taken."""
        ...

    def release(self) -> None:
        """It is over, kept or not; said once or more often."""
        ...


class UploadHandler(ApiHandler):
    """An address whose ``POST`` takes a large body; to be decorated with ``tornado.web.stream_request_body``.

    ``post`` finds the answer given already if ``is_answered``, and calls :meth:`require_taken` otherwise.
    """

    place: Place | None = None
    failure: RingbackError | None = None
    is_answered = False
    """Refused before the body was there, which is thrown away as it comes."""

    def max_upload_bytes(self) -> int:
        """How large a body may be here."""
        raise NotImplementedError

    async def begin(self) -> Place:
        """Whether a body may come at all, before it does; raises a :class:`~server.errors.RingbackError`."""
        raise NotImplementedError

    def require_taken(self) -> None:
        """Raises what went wrong while the body came in, if anything has."""
        if self.failure is not None:
            raise self.failure

    async def prepare(self) -> None:
        """As everywhere; refuses whoever may keep nothing, and what says that it is too large, before it is read."""
        if self.request.method != "POST":
            await super().prepare()
            return
        read_at_most = max(self.max_upload_bytes() + 1, REFUSED_BYTES)
        self._set_limits(read_at_most, UPLOAD_TIMEOUT_S)
        try:
            await super().prepare()
            self.place = await self.begin()
            if self.declared_bytes():
                needed_s = GRACE_S + self.declared_bytes() / LEAST_BYTES_PER_S
                self._set_limits(read_at_most, min(needed_s, UPLOAD_TIMEOUT_S))
        except RingbackError as error:
            if self.declared_bytes() > read_at_most or "Expect" in self.request.headers:
                raise  # too much to wait for, or nothing is sent before it is asked for
            self._set_limits(read_at_most, REFUSED_TIMEOUT_S)
            self.failure = error
            self.write_error(error.status, exc_info=(type(error), error, error.__traceback__))

    def _set_limits(self, max_bytes: int, timeout_s: float) -> None:
        if isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.set_max_body_size(max_bytes)
            self.request.connection.set_body_timeout(timeout_s)

    def finish(self, chunk: str | bytes | dict[str, object] | None = None) -> Future[None]:
        """As everywhere; before the body is there, the answer goes out and the connection stays until it is."""
        if self.place is not None or self.failure is None or self.is_answered:
            return super().finish(chunk)
        self.is_answered = True
        assert isinstance(chunk, bytes)
        self.set_header("Content-Length", str(len(chunk)))
        self.write(chunk)
        return self.flush()

    async def data_received(self, chunk: bytes) -> None:
        """Writes a piece down before the next one is read. After a failure the rest is thrown away: the answer says
        why."""
        if self.place is None or self.failure is not None:
            return
        try:
            await self.place.add(chunk)
        except RingbackError as error:
            self.failure = error

    def on_finish(self) -> None:
        """Answered: the next one may come."""
        self._release()

    def on_connection_close(self) -> None:
        """The client is gone, or took too long."""
        self._release()
        super().on_connection_close()

    def _release(self) -> None:
        if self.place is not None:
            self.place.release()
