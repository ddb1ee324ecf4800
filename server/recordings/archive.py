"""The archive: keeps recordings with their calls, for those who took part, and throws away what is old."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, NamedTuple

from server.calls.model import Call
from server.calls.recording import Recording, recording_view
from server.calls.switchboard import Switchboard
from server.clock import Clock
from server.errors import BadRequest, BadState, Forbidden, NotFound, RateLimited
from server.ids import lowest_id_at, new_id
from server.languages.sentences import N_
from server.log import get_logger
from server.realtime.background import Background
from server.recordings.incoming import Incoming, too_large
from server.settings import RecordingSettings
from server.store.driver import Duplicate, NoSuchFile
from server.store.recordings import KeptRecording, RecordingStore
from server.wire import rfc3339

log = get_logger("recordings")

CLEAN_EVERY_S = 3600.0
"""Recordings are kept for days: an hour more or less is nothing."""
UPLOAD_WITHIN_S = 6 * 3600.0
"""A file this old without a recording is nobody's: no upload takes that long."""
AT_A_TIME = 100
"""How many recordings are removed with one question to the database."""
PER_PERSON = 2
"""Recordings of one person on their way at once: one that hangs in a network that is gone, and the one sent again."""
AT_ONCE = 16
"""On this process; each is some MB of a disk's and a network's work in every second."""
COME_BACK_S = 10.0
MAX_DURATION_MS = 7 * 86_400_000
"""As long as the longest call may be (``calls.max_duration_s``)."""


class Cleaned(NamedTuple):
    """What one round of cleaning did."""

    expired: int
    orphans: int


class Archive:
    """The recordings that are kept with their calls; who agreed to them is a question of the call."""

    def __init__(
        self,
        recordings: RecordingStore,
        switchboard: Switchboard,
        background: Background,
        clock: Clock,
        settings: RecordingSettings,
    ) -> None:
        self._recordings = recordings
        self._switchboard = switchboard
        self._background = background
        self._clock = clock
        self._settings = settings
        self._on_their_way: Counter[str] = Counter()

    @property
    def under_way(self) -> int:
        """How many recordings are being sent to this process."""
        return self._on_their_way.total()

    def terms(self) -> dict[str, Any] | None:
        """What the page of a call has to know: ``{max_bytes, keep_days}``; ``None`` where nothing can be recorded."""
        if not self._settings.enabled:
            return None
        return {"max_bytes": self._settings.max_bytes, "keep_days": self._settings.keep_days}

    # ── keeping ──

    async def begin(self, call_id: str, recording_id: str, user_id: str, declared_bytes: int) -> Upload:
        """Whether a recording may come at all, before it does; returns a place for it, which is to be released.

        Raises :class:`NotFound`, :class:`Forbidden` for everybody but whoever asked for it, :class:`BadState`,
        :class:`~server.errors.TooLarge`, :class:`RateLimited`.
        """
        if declared_bytes > self._settings.max_bytes:
            raise too_large(self._settings.max_bytes)
        if self._on_their_way[user_id] >= PER_PERSON or self._on_their_way.total() >= AT_ONCE:
            raise RateLimited("Other recordings are still being sent; wait a moment", retry_after_s=COME_BACK_S)
        self._on_their_way[user_id] += 1
        try:
            recording = await self._own_recording(call_id, recording_id, user_id)
        except BaseException:
            self._release(user_id)
            raise
        file_id = new_id()
        incoming = Incoming(self._recordings.new_file(file_id), self._settings.max_bytes)
        return Upload(self, call_id, recording, file_id, incoming)

    async def _own_recording(self, call_id: str, recording_id: str, user_id: str) -> Recording:
        recording = _recording_of(await self._of(call_id, user_id), recording_id)
        if recording.by.id != user_id:
            raise Forbidden("Only whoever made a recording can keep it")
        if recording.is_live or recording.started_at is None:
            raise BadState("There is a recording to keep once it was begun and has ended")
        if await self._recordings.get(recording_id, call_id) is not None:
            raise BadState("This recording is kept already")
        if await self._recordings.count_of(user_id) >= self._settings.max_kept:
            raise BadState(
                N_("At most %(count)s of your recordings are kept; delete one first", count=self._settings.max_kept)
            )
        return recording

    async def keep(self, upload: Upload, duration_ms: str) -> dict[str, Any]:
        """Keeps what came in whole; returns the recording as the wire has it. Raises :class:`BadRequest` and as
        :meth:`begin`."""
        length_ms = _duration_ms(duration_ms)
        await upload.incoming.end()
        kept = KeptRecording(
            recording_id=upload.recording.recording_id,
            call_id=upload.call_id,
            file_id=upload.file_id,
            by=upload.recording.by.id,
            size_bytes=upload.incoming.size_bytes,
            content_type=f"{upload.recording.media}/{upload.incoming.container}",
            duration_ms=length_ms,
            created_at=self._clock.now(),
        )
        try:
            await self._recordings.insert(kept)
        except Duplicate:
            raise BadState("This recording is kept already") from None
        upload.is_kept = True
        return view(upload.recording, kept)

    def release(self, upload: Upload) -> None:
        """The upload is over; what was not kept is taken back."""
        self._release(upload.recording.by.id)
        if not upload.is_kept:
            self._background.start(upload.incoming.take_back, "recording")

    def _release(self, user_id: str) -> None:
        self._on_their_way[user_id] -= 1
        self._on_their_way += Counter()  # which leaves out those that have none

    # ── what is kept ──

    async def list_of(self, call_id: str, user_id: str) -> list[dict[str, Any]]:
        """Every recording of a call, oldest first, as the wire has it. Raises :class:`NotFound`, and
        :class:`Forbidden` for somebody who was called and never came."""
        call = await self._of(call_id, user_id)
        kept = await self._recordings.of_call(call_id)
        return [view(recording, kept.get(recording.recording_id)) for recording in call.recordings]

    async def get(self, call_id: str, recording_id: str, user_id: str) -> KeptRecording:
        """A recording that is kept; raises as :meth:`list_of`."""
        await self._of(call_id, user_id)
        kept = await self._recordings.get(recording_id, call_id)
        if kept is None:
            raise NotFound("There is no such recording")
        return kept

    async def read(self, kept: KeptRecording, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from ``begin`` up to and without ``end``, in pieces; raises :class:`NotFound` if it was removed
        meanwhile."""
        try:
            async for piece in self._recordings.read(kept.file_id, begin, end):
                yield piece
        except NoSuchFile:
            raise NotFound("There is no such recording") from None

    async def delete(self, call_id: str, recording_id: str, user_id: str) -> None:
        """Removes what is kept for good; who agreed stays with the call. Raises :class:`NotFound`, and
        :class:`Forbidden` for everybody but whoever made it."""
        kept = await self.get(call_id, recording_id, user_id)
        if kept.by != user_id:
            raise Forbidden("Only whoever made a recording can delete it")
        await self._recordings.remove(kept)

    async def _of(self, call_id: str, user_id: str) -> Call:
        call = await self._switchboard.of(call_id, user_id)
        leg = call.leg_of(user_id)
        if leg is None or not leg.took_part:
            raise Forbidden("Only for people who took part in the call")
        return call

    # ── cleaning ──

    async def clean(self) -> Cleaned:
        """Removes recordings past ``recordings.keep_days`` and files without a recording; doing it twice changes
        nothing twice."""
        oldest = self._clock.now() - timedelta(days=self._settings.keep_days)
        expired = 0
        while removed := await self._recordings.remove_before(oldest, AT_A_TIME):
            expired += removed
        cleaned = Cleaned(expired, await self._remove_orphans())
        if any(cleaned):
            log.info("recordings_cleaned", expired=cleaned.expired, orphans=cleaned.orphans)
        return cleaned

    async def _remove_orphans(self) -> int:
        before = lowest_id_at(self._clock.now() - timedelta(seconds=UPLOAD_WITHIN_S))
        after, removed = "", 0
        while ids := await self._recordings.file_ids(after=after, before=before, limit=AT_A_TIME):
            after = ids[-1]
            kept = await self._recordings.kept_among(ids)
            for orphan in [each for each in ids if each not in kept]:
                await self._recordings.remove_file(orphan)
                removed += 1
        return removed


class Upload:
    """The place of one recording that comes in."""

    def __init__(self, archive: Archive, call_id: str, recording: Recording, file_id: str, incoming: Incoming) -> None:
        self._archive: Archive | None = archive
        self.call_id = call_id
        self.recording = recording
        self.file_id = file_id
        self.incoming = incoming
        self.is_kept = False

    def release(self) -> None:
        """The recording is kept, or never will be; said once or more often."""
        archive, self._archive = self._archive, None
        if archive is not None:
            archive.release(self)


def view(recording: Recording, kept: KeptRecording | None) -> dict[str, Any]:
    """The recording as it crosses the wire (``docs/protocol.md``, «Recordings»), with what is kept of it."""
    return recording_view(recording) | {
        "kept": None
        if kept is None
        else {
            "size_bytes": kept.size_bytes,
            "content_type": kept.content_type,
            "duration_s": kept.duration_ms / 1000,
            "created_at": rfc3339(kept.created_at),
        }
    }


def _recording_of(call: Call, recording_id: str) -> Recording:
    for recording in call.recordings:
        if recording.recording_id == recording_id:
            return recording
    raise NotFound("There is no such recording")


def _duration_ms(text: str) -> int:
    digits = len(str(MAX_DURATION_MS))
    if not (text.isascii() and text.isdecimal() and len(text) <= digits and 1 <= int(text) <= MAX_DURATION_MS):
        rule = N_("a whole number of milliseconds from 1 to %(most)s", most=MAX_DURATION_MS)
        raise BadRequest.of("duration_ms", rule)
    return int(text)
