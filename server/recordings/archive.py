"""The archive: keeps recordings with their calls, for those who took part, and throws away what is old."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from server.calls.model import Call
from server.calls.readable import readable_until
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
from server.store.calls import CallStore
from server.store.driver import Duplicate, NoSuchFile
from server.store.recordings import KeptRecording, RecordingStore
from server.store.users import UserStore
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
    of_no_call: int


class Archive:
    """The recordings that are kept with their calls; who agreed to them is a question of the call."""

    def __init__(
        self,
        recordings: RecordingStore,
        switchboard: Switchboard,
        calls: CallStore,
        users: UserStore,
        background: Background,
        clock: Clock,
        settings: RecordingSettings,
    ) -> None:
        self._recordings = recordings
        self._switchboard = switchboard
        self._calls = calls
        self._users = users
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
            known = await self._recordings.get(recording_id, call_id)
            if known is None:
                await self._require_room(user_id, 1, declared_bytes)
            elif known.size_bytes != declared_bytes:
                raise _kept_already()
        except BaseException:
            self._release(user_id)
            raise
        file_id = new_id()
        incoming = Incoming(self._recordings.new_file(file_id), self._settings.max_bytes)
        return Upload(self, call_id, recording, file_id, incoming, known)

    async def _own_recording(self, call_id: str, recording_id: str, user_id: str) -> Recording:
        call, _ = await self._of(call_id, user_id)
        recording = _recording_of(call, recording_id)
        if recording.by.id != user_id:
            raise Forbidden("Only whoever made a recording can keep it")
        if recording.is_live or recording.started_at is None:
            raise BadState("There is a recording to keep once it was begun and has ended")
        return recording

    async def _require_room(self, user_id: str, recordings: int, size_bytes: int) -> None:
        """Raises :class:`BadState` unless there is room for so many more of that person, and so many more bytes."""
        if await self._recordings.total_bytes() + size_bytes > self._settings.max_total_bytes:
            raise BadState("There is no room for more recordings on this server")
        if await self._recordings.count_of(user_id) + recordings > self._settings.max_kept:
            raise BadState(
                N_("At most %(count)s of your recordings are kept; delete one first", count=self._settings.max_kept)
            )

    async def keep(self, upload: Upload, duration_ms: str) -> dict[str, Any]:
        """Keeps what came in whole; returns the recording as the wire has it, also for one that was sent again because
        the first answer was lost. Raises :class:`BadRequest` and as :meth:`begin`.

        Whoever sent it may be gone before it ends: what is kept stays, and only what is not is taken back.
        """
        length_ms = _duration_ms(duration_ms)
        with upload.held():
            kept = upload.known or await self._keep_new(upload, length_ms)
        if (kept.size_bytes, kept.duration_ms) != (upload.size_bytes, length_ms):
            raise _kept_already()
        return view(upload.recording, kept)

    async def _keep_new(self, upload: Upload, length_ms: int) -> KeptRecording:
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
            upload.may_be_kept = True
            await self._recordings.insert(kept)
        except Duplicate:
            stored = await self._recordings.get(kept.recording_id, kept.call_id)
            # The driver itself asks again when an answer is lost, and then finds what it has stored.
            upload.may_be_kept = stored is not None and stored.file_id == kept.file_id
            if stored is None:
                raise _kept_already() from None
            return stored
        await self._require_right(upload, kept)
        return kept

    async def _require_right(self, upload: Upload, kept: KeptRecording) -> None:
        """Raises, and keeps nothing, if the call or the account went while the recording came in, for nobody would find
        it, or could delete it; or if others took the room meanwhile."""
        try:
            await self._own_recording(kept.call_id, kept.recording_id, kept.by)
            if await self._users.get(kept.by) is None:
                raise NotFound("There is no such recording")
            await self._require_room(kept.by, 0, 0)
        except (NotFound, Forbidden, BadState):
            await self._recordings.remove(kept)
            upload.may_be_kept = False
            raise

    def release(self, upload: Upload) -> None:
        """The upload is over; what is certainly not kept is taken back. Where the database's answer was lost, nobody
        knows: the file stays, and :meth:`clean` finds it if it is nobody's."""
        self._release(upload.recording.by.id)
        if not upload.may_be_kept:
            self._background.start(upload.incoming.take_back, "recording")

    def _release(self, user_id: str) -> None:
        self._on_their_way[user_id] -= 1
        self._on_their_way += Counter()  # which leaves out those that have none

    # ── what is kept ──

    async def list_of(self, call_id: str, user_id: str) -> list[dict[str, Any]]:
        """Every recording of a call, oldest first, as the wire has it. Raises :class:`NotFound`, and
        :class:`Forbidden` for somebody who was called and never came."""
        call, until = await self._of(call_id, user_id)
        kept = await self._recordings.of_call(call_id)
        return [
            view(recording, kept.get(recording.recording_id))
            for recording in call.recordings
            if _is_before(recording, until)
        ]

    async def get(self, call_id: str, recording_id: str, user_id: str) -> KeptRecording:
        """A recording that is kept; raises as :meth:`list_of`."""
        call, until = await self._of(call_id, user_id)
        if not _is_before(_recording_of(call, recording_id), until):
            raise NotFound("There is no such recording")
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
        self._background.start(partial(self._recordings.remove_file, kept.file_id), "recording")

    async def _of(self, call_id: str, user_id: str) -> tuple[Call, datetime | None]:
        """The call, and until when its recordings are also that person's; None: all of them."""
        call = await self._switchboard.of(call_id, user_id)
        return call, readable_until(call, user_id)

    # ── cleaning ──

    async def clean(self) -> Cleaned:
        """Removes recordings past ``recordings.keep_days``, recordings whose call is gone, and files without a
        recording; doing it twice changes nothing twice."""
        oldest = self._clock.now() - timedelta(days=self._settings.keep_days)
        expired = 0
        while removed := await self._recordings.remove_before(oldest, AT_A_TIME):
            expired += removed
        of_no_call = await self._remove_those_of_no_call()
        cleaned = Cleaned(expired, await self._remove_orphans(), of_no_call)
        if any(cleaned):
            log.info("recordings_cleaned", **cleaned._asdict())
        return cleaned

    async def _remove_those_of_no_call(self) -> int:
        after, removed = "", 0
        while call_ids := await self._recordings.call_ids(after=after, limit=AT_A_TIME):
            after = call_ids[-1]
            there = await self._calls.there_among(call_ids)
            removed += await self._recordings.remove_of_calls([each for each in call_ids if each not in there])
        return removed

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

    def __init__(
        self,
        archive: Archive,
        call_id: str,
        recording: Recording,
        file_id: str,
        incoming: Incoming,
        known: KeptRecording | None = None,
    ) -> None:
        self._archive: Archive | None = archive
        self._is_held = False
        self._is_over = False
        self.call_id = call_id
        self.recording = recording
        self.file_id = file_id
        self.incoming = incoming
        self.known = known
        """What is kept of it already, while it is sent again."""
        self.may_be_kept = False
        self.size_bytes = 0

    async def add(self, piece: bytes) -> None:
        """One more piece; raises as :meth:`Incoming.add`. What is kept already is not stored once more."""
        self.size_bytes += len(piece)
        if self.known is None:
            await self.incoming.add(piece)

    @contextmanager
    def held(self) -> Iterator[None]:
        """While it is being kept its end waits."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            if self._is_over:
                self.release()

    def release(self) -> None:
        """The recording is kept, or never will be; said once or more often."""
        if self._is_held:
            self._is_over = True
            return
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


def _is_before(recording: Recording, until: datetime | None) -> bool:
    return until is None or (recording.started_at or recording.asked_at) < until


def _kept_already() -> BadState:
    return BadState("This recording is kept already")


def _duration_ms(text: str) -> int:
    digits = len(str(MAX_DURATION_MS))
    if not (text.isascii() and text.isdecimal() and len(text) <= digits and 1 <= int(text) <= MAX_DURATION_MS):
        rule = N_("a whole number of milliseconds from 1 to %(most)s", most=MAX_DURATION_MS)
        raise BadRequest.of("duration_ms", rule)
    return int(text)
