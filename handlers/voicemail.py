"""Messages after calls that were not taken, over HTTP."""

from __future__ import annotations

import tornado.web
from tornado.http1connection import HTTP1Connection

from handlers.auth import NoBody
from handlers.base import ApiHandler, bad_query
from handlers.ranged import RangedHandler
from server.errors import TooLarge
from server.ids import is_id
from server.languages.sentences import N_
from server.settings import Settings
from server.voicemail.mailboxes import view
from server.voicemail.uploads import Upload

UPLOAD_TIMEOUT_S = 120.0
"""Three minutes of speech are some 700 KiB, which a telephone at the edge of its network sends at 50 kbit/s."""


@tornado.web.stream_request_body
class LeaveVoicemailHandler(ApiHandler):
    """``POST /calls/{call_id}/voicemail``. The body is a recording; it is taken in once it is known from whom, and that
    they may leave one."""

    upload: Upload | None = None

    @classmethod
    def kept_body_bytes(cls, settings: Settings) -> int:
        """A whole message."""
        return settings.voicemail.max_bytes

    def max_body_bytes(self) -> int:
        """A whole message."""
        return self.services.settings.voicemail.max_bytes

    async def prepare(self) -> None:
        """As everywhere; refuses whoever may leave nothing, and what says that it is too large, before it is read."""
        self._recording = bytearray()
        await super().prepare()
        self._require_size(self.declared_bytes())
        if self.request.method == "POST":
            self.upload = await self.services.mailboxes.begin(self.path_args[0], self.who)
        if isinstance(self.request.connection, HTTP1Connection):
            self.request.connection.set_body_timeout(UPLOAD_TIMEOUT_S)

    def on_finish(self) -> None:
        """Answered: the next recording may come."""
        self._release()

    def on_connection_close(self) -> None:
        """The client is gone, or took too long."""
        self._release()
        super().on_connection_close()

    def _release(self) -> None:
        self._recording = bytearray()
        if self.upload is not None:
            self.upload.release()

    def data_received(self, chunk: bytes) -> None:
        """Keeps a piece; there are no more of them than :class:`server.app.BoundedBody` lets through."""
        self._recording += chunk

    async def post(self, call_id: str) -> None:
        """201 the message, also for somebody who is blocked."""
        self._require_size(len(self._recording))
        duration_ms = self.get_query_argument("duration_ms", "")
        waveform = self.get_query_argument("waveform", "")
        mailboxes = self.services.mailboxes
        self.reply(await mailboxes.leave(call_id, self.who, bytes(self._recording), duration_ms, waveform), 201)

    def _require_size(self, size_bytes: int) -> None:
        if size_bytes > self.max_body_bytes():
            raise TooLarge(N_("A message has at most %(count)s bytes", count=self.max_body_bytes()))


class VoicemailsHandler(ApiHandler):
    """``GET /voicemail``."""

    async def get(self) -> None:
        """The own messages, newest first."""
        limit = self.page_limit()
        before = self.get_query_argument("before", None)
        if before is not None and not is_id(before):
            raise bad_query("before", N_("the next of an earlier page"))
        mailboxes, user_id = self.services.mailboxes, self.who.user.id
        found = await mailboxes.list_of(user_id, limit=limit + 1, before=before)
        messages = found[:limit]
        self.reply(
            {
                "items": [view(message) for message in messages],
                "next": messages[-1].voicemail_id if len(found) > limit else None,
                "unheard": await mailboxes.unheard(user_id),
            }
        )


class VoicemailHandler(ApiHandler):
    """``/voicemail/{voicemail_id}``."""

    async def get(self, voicemail_id: str) -> None:
        """The message, for whoever it is for."""
        self.reply(view(await self.services.mailboxes.get(voicemail_id, self.who.user.id)))

    async def delete(self, voicemail_id: str) -> None:
        """204; it is gone for good."""
        await self.services.mailboxes.delete(voicemail_id, self.who.user.id)
        self.set_status(204)


class VoicemailHeardHandler(ApiHandler):
    """``POST /voicemail/{voicemail_id}/heard``."""

    async def post(self, voicemail_id: str) -> None:
        """200 with the message, which counts as heard from now on."""
        self.read(NoBody)
        self.reply(view(await self.services.mailboxes.set_heard(voicemail_id, self.who.user.id)))


class VoicemailAudioHandler(RangedHandler):
    """``GET /voicemail/{voicemail_id}/audio``."""

    async def get(self, voicemail_id: str) -> None:
        """How it sounds; see :meth:`RangedHandler.send`."""
        mailboxes = self.services.mailboxes
        message = await mailboxes.get(voicemail_id, self.who.user.id)
        kind = message.content_type.partition("/")[2]
        await self.send(
            lambda begin, end: mailboxes.read(message, begin, end),
            message.size_bytes,
            message.content_type,
            f'inline; filename="voicemail.{kind}"',
            message.voicemail_id,
        )
