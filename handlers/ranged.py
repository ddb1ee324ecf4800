"""Answering with a part of something that is stored: what plays sound or picture asks for it piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from tornado.iostream import StreamClosedError

from handlers.base import ApiHandler
from handlers.ranges import wanted_range
from server.errors import RangeNotSatisfiable, RingbackError


class RangedHandler(ApiHandler):
    """Something that never changes under the id by which it is stored: its ``ETag``."""

    size_bytes = 0
    stored_id = ""

    async def send(
        self,
        read: Callable[[int, int], AsyncIterator[bytes]],
        size_bytes: int,
        content_type: str,
        disposition: str,
        stored_id: str,
    ) -> None:
        """200 with all ``size_bytes`` of it, or 206 with the part that ``Range`` asks for; 416 for what lies behind the
        end. ``read`` gives the bytes from the first to the second number, and raises what is answered if there are
        none."""
        self.size_bytes = size_bytes
        self.stored_id = stored_id
        self.set_etag_header()
        if self.check_etag_header():
            self.set_status(304)
            return
        part = self._part()
        begin, end = part or (0, size_bytes)
        pieces = read(begin, end)
        first = await anext(pieces)  # before the status is out, so that what is missing is a 404
        if part:
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {begin}-{end - 1}/{size_bytes}")
        # A browser may keep it, and asks before it plays it again: who is signed in may be somebody else by then.
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Content-Type", content_type)
        self.set_header("Content-Length", str(end - begin))
        self.set_header("Content-Disposition", disposition)
        self.write(first)
        with suppress(StreamClosedError):  # a player that has heard enough just closes
            async for piece in pieces:
                await self.flush()
                self.write(piece)

    def compute_etag(self) -> str | None:
        """The id of what is stored; of a refusal there is none."""
        return f'"{self.stored_id}"' if self.stored_id else None

    def write_problem(self, error: RingbackError) -> None:
        """As everywhere, and how much there is for a range behind the end (RFC 9110, section 15.5.17)."""
        if isinstance(error, RangeNotSatisfiable):
            self.set_header("Content-Range", f"bytes */{self.size_bytes}")
        super().write_problem(error)

    def _part(self) -> tuple[int, int] | None:
        if_range = self.request.headers.get("If-Range")
        if if_range is not None and if_range != self.compute_etag():
            return None
        return wanted_range(self.request.headers.get("Range"), self.size_bytes)
