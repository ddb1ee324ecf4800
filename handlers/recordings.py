"""Recordings that are kept with their calls, over HTTP."""

from __future__ import annotations

from asyncio import Future

import tornado.web
from tornado.http1connection import HTTP1Connection

from handlers.base import KEPT_BODY_BYTES, ApiHandler
from handlers.ranged import RangedHandler
from server.errors import RingbackError
from server.recordings.archive import Upload
from server.settings import Settings

UPLOAD_TIMEOUT_S = 3 * 3600.0
"""The largest recording by default, at 400 kbit/s."""
LEAST_BYTES_PER_S = 25_000
GRACE_S = 60.0
"""A recording that comes more slowly than that, after the first minute, does not hold its place for hours."""
REFUSED_TIMEOUT_S = 60.0
REFUSED_BYTES = 64 * KEPT_BODY_BYTES
"""What is read of a refused recording, and thrown away, if recordings may not be larger anyway: a browser that still
sends when the connection closes never reads why."""


class CallRecordingsHandler(ApiHandler):
    """``GET /calls/{call_id}/recordings``."""

    async def get(self, call_id: str) -> None:
        """200 with every recording of the call, and who agreed to it when; 403 for whoever was called and never
        came."""
        self.reply({"items": await self.services.archive.list_of(call_id, self.who.user.id)})


@tornado.web.stream_request_body
class CallRecordingHandler(RangedHandler):
    """``/calls/{call_id}/recordings/{recording_id}``. A recording that is sent is written down as it arrives, once it
    is known from whom, and that they may send one."""

    upload: Upload | None = None
    failure: RingbackError | None = None
    is_answered = False
    """Refused before the body was there, which is thrown away as it comes."""

    @classmethod
    def kept_body_bytes(cls, settings: Settings) -> int:
        """A whole recording; no more than a piece of it is in memory at a time."""
        return settings.recordings.max_bytes

    async def prepare(self) -> None:
        """As everywhere; refuses whoever may keep nothing, and what says that it is too large, before it is read."""
        if self.request.method != "POST":
            await super().prepare()
            return
        read_at_most = max(self.services.settings.recordings.max_bytes + 1, REFUSED_BYTES)
        self._set_limits(read_at_most, UPLOAD_TIMEOUT_S)
        try:
            await super().prepare()
            call_id, recording_id = self.path_args
            self.upload = await self.services.archive.begin(
                call_id, recording_id, self.who.user.id, self.declared_bytes()
            )
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
        if self.upload is not None or self.failure is None or self.is_answered:
            return super().finish(chunk)
        self.is_answered = True
        assert isinstance(chunk, bytes)
        self.set_header("Content-Length", str(len(chunk)))
        self.write(chunk)
        return self.flush()

    async def data_received(self, chunk: bytes) -> None:
        """Writes a piece down before the next one is read. After a failure the rest is thrown away: the answer says
        why."""
        if self.upload is None or self.failure is not None:
            return
        try:
            await self.upload.add(chunk)
        except RingbackError as error:
            self.failure = error

    async def post(self, call_id: str, recording_id: str) -> None:
        """201 the recording, as in the list."""
        if self.is_answered:
            self.finish()
            return
        assert self.upload is not None
        if self.failure is not None:
            raise self.failure
        self.reply(await self.services.archive.keep(self.upload, self.get_query_argument("duration_ms", "")), 201)

    async def get(self, call_id: str, recording_id: str) -> None:
        """What is kept of it; see :meth:`RangedHandler.send`. A browser stores it and never shows it as a page."""
        archive = self.services.archive
        kept = await archive.get(call_id, recording_id, self.who.user.id)
        kind = kept.content_type.partition("/")[2]
        await self.send(
            lambda begin, end: archive.read(kept, begin, end),
            kept.size_bytes,
            kept.content_type,
            f'attachment; filename="recording.{kind}"',
            kept.file_id,
        )

    async def delete(self, call_id: str, recording_id: str) -> None:
        """204; it is gone for good, for everybody."""
        await self.services.archive.delete(call_id, recording_id, self.who.user.id)
        self.no_content()

    def on_finish(self) -> None:
        """Answered: the next recording may come."""
        self._release()

    def on_connection_close(self) -> None:
        """The client is gone, or took too long."""
        self._release()
        super().on_connection_close()

    def _release(self) -> None:
        if self.upload is not None:
            self.upload.release()
