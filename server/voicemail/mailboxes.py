"""The mailboxes: takes a message, tells the devices of whoever it is for, and throws away what is old."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from server.auth.identity import Identity
from server.calls.model import Call, Leg
from server.calls.switchboard import Switchboard
from server.clock import Clock
from server.errors import (
    AlreadyLeft,
    BadRequest,
    BadState,
    Forbidden,
    MailboxFull,
    NotFound,
    RateLimited,
    TooLarge,
    UnsupportedMediaType,
)
from server.ids import is_id, lowest_id_at, new_id
from server.languages.sentences import N_
from server.log import get_logger
from server.realtime import frames
from server.realtime.background import Background
from server.realtime.bus import Bus, ToDevices, user_topic
from server.realtime.frames import encode
from server.realtime.limits import TokenBucket
from server.settings import VoicemailSettings
from server.store.contacts import ContactStore
from server.store.driver import Duplicate, NoSuchFile
from server.store.voicemail import Voicemail, VoicemailStore
from server.voicemail import rules
from server.voicemail.audio import audio_type
from server.voicemail.uploads import Upload, Uploads
from server.wire import optional_rfc3339, rfc3339

log = get_logger("voicemail")

CLEAN_EVERY_S = 3600.0
"""Messages are kept for days: an hour more or less is nothing."""
UPLOAD_WITHIN_S = 3600.0
"""Audio this old without a message is nobody's: no upload takes that long."""
AT_A_TIME = 500
"""How many messages are looked at or removed with one question to the database."""
ATTEMPTS_PER_MINUTE = 20
"""Messages that one person may send in, as many as calls by default; each is some MB of work, refused or not."""


class Cleaned(NamedTuple):
    """What one round of cleaning did."""

    expired: int
    orphans: int


class Mailboxes:
    """The messages of everybody; who may leave one is a question for :mod:`server.voicemail.rules`."""

    def __init__(
        self,
        messages: VoicemailStore,
        switchboard: Switchboard,
        contacts: ContactStore,
        background: Background,
        bus: Bus,
        clock: Clock,
        settings: VoicemailSettings,
    ) -> None:
        self._messages = messages
        self._switchboard = switchboard
        self._contacts = contacts
        self._background = background
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._buckets: dict[str, TokenBucket] = {}
        self.uploads = Uploads()
        self.on_left: list[Callable[[Voicemail], None]] = []
        """Told of each message when its recipient is; they must not block."""

    # ── the caller's side ──

    async def begin(self, call_id: str, who: Identity) -> Upload:
        """Whether a recording may come at all, before it does: a place for it, which is to be released.

        Raises :class:`RateLimited`, and as :meth:`leave` does for the call and the mailbox. Whoever is blocked is
        answered the same.
        """
        self._require_within_rate(who.user.id)
        upload = self.uploads.begin(who.user.id)
        try:
            await self._recipient(call_id, who)
        except BaseException:
            upload.release()
            raise
        return upload

    async def _recipient(self, call_id: str, who: Identity) -> Leg:
        if not self._settings.enabled:
            raise Forbidden("Messages cannot be left on this server")
        call = await self._switchboard.of(call_id, who.user.id)
        leg = rules.recipient(call, who.user.id, self._clock.now(), self._settings.window_s)
        if await self._messages.was_left_for(call_id):
            raise AlreadyLeft()
        if await self._messages.count(leg.user.id) >= self._settings.max_messages:
            raise MailboxFull()
        return leg

    async def leave(
        self, call_id: str, who: Identity, content: bytes, duration_ms: str, waveform: str
    ) -> dict[str, Any]:
        """Leaves ``content``, a recording, for the one who did not take that call; returns it as the wire has it.

        ``duration_ms`` and ``waveform`` are what the caller says, as text; see :mod:`server.voicemail.rules`. Raises
        :class:`NotFound`, :class:`~server.errors.BadState`, :class:`AlreadyLeft`, :class:`MailboxFull`,
        :class:`BadRequest`, :class:`TooLarge`, :class:`UnsupportedMediaType`, :class:`Forbidden`.

        Whoever is blocked is answered the same, after the same work, and nothing is kept but that it happened.
        """
        leg = await self._recipient(call_id, who)
        message = Voicemail(
            voicemail_id=new_id(),
            call_id=call_id,
            to=leg.user.id,
            sender=who.user,
            duration_ms=rules.duration_ms(duration_ms, self._settings.max_s),
            size_bytes=len(content),
            content_type=self._type_of(content),
            waveform=rules.waveform(waveform),
            created_at=self._clock.now(),
        )
        blocked = (await self._contacts.standings(who.user.id, [leg.user.id]))[leg.user.id].blocked
        await self._keep(message, content, only_a_trace=blocked or leg.state == "blocked")
        return view(message)

    async def _keep(self, message: Voicemail, content: bytes, *, only_a_trace: bool) -> None:
        """Stores the message, or that there was one; the one takes as long as the other."""
        await self._messages.upload(message.voicemail_id, content)
        try:
            await (self._messages.insert_trace(message) if only_a_trace else self._messages.insert(message))
        except Duplicate:
            self._remove_audio(message.voicemail_id)
            raise AlreadyLeft() from None
        if only_a_trace:
            self._remove_audio(message.voicemail_id)
        else:
            self._background.start(partial(self._tell_of, message), "voicemail")

    def _type_of(self, content: bytes) -> str:
        if not content:
            raise BadRequest("The body is empty; it has to be a recording", fields={"body": N_("empty")})
        if len(content) > self._settings.max_bytes:
            raise TooLarge(N_("A message has at most %(count)s bytes", count=self._settings.max_bytes))
        found = audio_type(content)
        if found is None:
            raise UnsupportedMediaType("The body has to be a recording in WebM, Ogg or MP4")
        return found

    def _require_within_rate(self, user_id: str) -> None:
        now_s = self._clock.monotonic()
        bucket = self._buckets.get(user_id)
        if bucket is None:
            bucket = self._buckets[user_id] = TokenBucket(ATTEMPTS_PER_MINUTE / 60.0, ATTEMPTS_PER_MINUTE, now_s)
        if not bucket.take(now_s):
            raise RateLimited("Too many messages in a short time; wait a while", retry_after_s=bucket.wait_s())

    async def terms(self, call: Call, user_id: str) -> dict[str, Any] | None:
        """What the page of that call has to know: ``{max_s, max_bytes, window_s}``, the window being what is left of it
        once the call is over; ``None`` for somebody who can leave no message, now or later."""
        window_s = float(self._settings.window_s)
        if not self._settings.enabled or call.caller.user.id != user_id or len(call.legs) != 2:
            return None
        if call.ended_at is not None:
            now = self._clock.now()
            try:
                rules.recipient(call, user_id, now, window_s)
            except BadState:
                return None
            if await self._messages.was_left_for(call.call_id):
                return None
            window_s -= (now - call.ended_at).total_seconds()
        return {"max_s": self._settings.max_s, "max_bytes": self._settings.max_bytes, "window_s": window_s}

    # ── the side of whoever it is for ──

    async def list_of(self, user_id: str, *, limit: int, before: str | None = None) -> list[Voicemail]:
        """The messages for that person, newest first; ``before`` is the id of the last one that was seen."""
        return await self._messages.of(user_id, limit=limit, before=before)

    async def unheard(self, user_id: str) -> int:
        """How many messages for that person were not heard yet."""
        return await self._messages.unheard(user_id)

    async def get(self, voicemail_id: str, user_id: str) -> Voicemail:
        """The message; raises :class:`NotFound` for everybody whom it is not for, as if there were none."""
        message = await self._messages.get(voicemail_id, user_id) if is_id(voicemail_id) else None
        if message is None:
            raise NotFound("There is no such message")
        return message

    async def read(self, message: Voicemail, begin: int, end: int) -> AsyncIterator[bytes]:
        """How it sounds, from byte ``begin`` up to and without ``end``, in pieces of some 100 KiB; raises
        :class:`NotFound` if it was removed meanwhile."""
        try:
            async for piece in self._messages.read(message.voicemail_id, begin, end):
                yield piece
        except NoSuchFile:
            raise NotFound("There is no such message") from None

    async def set_heard(self, voicemail_id: str, user_id: str) -> Voicemail:
        """The message, heard from now on; raises as :meth:`get`. Saying it again changes nothing."""
        if is_id(voicemail_id) and await self._messages.set_heard(voicemail_id, user_id, self._clock.now()):
            self._background.start(partial(self._tell_unread, user_id), "unread voicemail")
        return await self.get(voicemail_id, user_id)

    async def delete(self, voicemail_id: str, user_id: str) -> None:
        """Removes the message for good; raises as :meth:`get`."""
        if not is_id(voicemail_id) or not await self._messages.forget(voicemail_id, user_id):
            raise NotFound("There is no such message")
        self._remove_audio(voicemail_id)
        self._background.start(partial(self._tell_unread, user_id), "unread voicemail")

    async def remove_of(self, user_id: str) -> None:
        """Removes every message for somebody who is taken away; what they left for others stays with the others."""
        for voicemail_id in await self._messages.remove_of(user_id):
            await self._messages.remove_audio(voicemail_id)

    def _remove_audio(self, voicemail_id: str) -> None:
        # Nobody waits for it; what is left over is found by :meth:`clean`.
        self._background.start(partial(self._messages.remove_audio, voicemail_id), "voicemail audio")

    # ── telling ──

    async def _tell_of(self, message: Voicemail) -> None:
        frame = frames.VoicemailLeft(timestamp=rfc3339(self._clock.now()), voicemail=view(message))
        self._bus.publish(user_topic(message.to), ToDevices(message.to, encode(frame)))
        for listener in self.on_left:
            listener(message)
        await self._tell_unread(message.to)

    async def _tell_unread(self, user_id: str) -> None:
        unheard = await self._messages.unheard(user_id)
        frame = frames.Unread(timestamp=rfc3339(self._clock.now()), voicemail=unheard)
        self._bus.publish(user_topic(user_id), ToDevices(user_id, encode(frame), coalesce_key="unread:voicemail"))

    # ── cleaning ──

    async def clean(self) -> Cleaned:
        """Removes messages past ``voicemail.keep_days`` and audio without a message; doing it twice changes nothing
        twice."""
        cleaned = Cleaned(await self._remove_old(), await self._remove_orphans())
        now_s = self._clock.monotonic()
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now_s)}
        if any(cleaned):
            log.info("voicemail_cleaned", expired=cleaned.expired, orphans=cleaned.orphans)
        return cleaned

    async def _remove_old(self) -> int:
        oldest = self._clock.now() - timedelta(days=self._settings.keep_days)
        removed = 0
        while ids := await self._messages.remove_before(oldest, AT_A_TIME):
            removed += len(ids)
            for voicemail_id in ids:
                await self._messages.remove_audio(voicemail_id)
        return removed

    async def _remove_orphans(self) -> int:
        before = lowest_id_at(self._clock.now() - timedelta(seconds=UPLOAD_WITHIN_S))
        after = ""
        removed = 0
        while ids := await self._messages.audio_ids(after=after, before=before, limit=AT_A_TIME):
            after = ids[-1]
            kept = await self._messages.kept_among(ids)
            for orphan in [each for each in ids if each not in kept]:
                await self._messages.remove_audio(orphan)
                removed += 1
        return removed


def view(message: Voicemail) -> dict[str, Any]:
    """The message as it crosses the wire (``docs/protocol.md``, «A message»)."""
    return {
        "voicemail_id": message.voicemail_id,
        "call_id": message.call_id,
        "from": message.sender,
        "duration_s": message.duration_ms / 1000,
        "size_bytes": message.size_bytes,
        "content_type": message.content_type,
        "waveform": list(message.waveform),
        "created_at": rfc3339(message.created_at),
        "heard_at": optional_rfc3339(message.heard_at),
    }
