"""Recordings that are kept with their calls, over HTTP."""

from __future__ import annotations

import tornado.web

from handlers.base import ApiHandler
from handlers.ranged import RangedHandler
from handlers.uploading import UploadHandler
from server.recordings.archive import Upload
from server.settings import Settings


class CallRecordingsHandler(ApiHandler):
    """``GET /calls/{call_id}/recordings``."""

    async def get(self, call_id: str) -> None:
        """200 with every recording of the call, and who agreed to it when; 403 for whoever was called and never
        came."""
        self.reply({"items": await self.services.archive.list_of(call_id, self.who.user.id)})


@tornado.web.stream_request_body
class CallRecordingHandler(UploadHandler, RangedHandler):
    """``/calls/{call_id}/recordings/{recording_id}``. A recording that is sent is written down as it arrives, once it
    is known from whom, and that they may send one."""

    @classmethod
    def kept_body_bytes(cls, settings: Settings) -> int:
        """A whole recording; no more than a piece of it is in memory at a time."""
        return settings.recordings.max_bytes

    def max_upload_bytes(self) -> int:
        """See :class:`UploadHandler`."""
        return self.services.settings.recordings.max_bytes

    async def begin(self) -> Upload:
        """See :class:`UploadHandler`."""
        call_id, recording_id = self.path_args
        return await self.services.archive.begin(call_id, recording_id, self.who.user.id, self.declared_bytes())

    async def post(self, call_id: str, recording_id: str) -> None:
        """201 the recording, as in the list."""
        if self.is_answered:
            self.finish()
            return
        self.require_taken()
        assert isinstance(self.place, Upload)
        self.reply(await self.services.archive.keep(self.place, self.get_query_argument("duration_ms", "")), 201)

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
