"""The reports of those who are in a call, gathered in memory and written down now and then."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from server.calls.model import Call
from server.calls.quality import QualityRecord, grown
from server.clock import Clock
from server.errors import Forbidden
from server.realtime.background import Background
from server.realtime.frames import PathQuality
from server.store.quality import QualityStore

WRITE_EVERY_S = 60.0
"""What a crash may cost of a summary, for one write a minute and person."""


class _Entry:
    """What is known of one leg here."""

    __slots__ = ("gone", "record", "written_at_s")

    def __init__(self, record: QualityRecord, now_s: float) -> None:
        self.record = record
        self.written_at_s = now_s
        self.gone = False


class QualityLog:
    """How good the calls are whose rooms are on this process, and how good all others were."""

    def __init__(self, store: QualityStore, background: Background, clock: Clock) -> None:
        self._store = store
        self._background = background
        self._clock = clock
        self._entries: dict[tuple[str, str], _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    async def note(self, call_id: str, leg_id: str, legs: Mapping[str, PathQuality]) -> None:
        """Adds the report of one leg of a call. The first one asks the database what was known before a restart."""
        key = (call_id, leg_id)
        now_s = self._clock.monotonic()
        entry = self._entries.get(key)
        if entry is None:
            record = await self._store.begun(QualityRecord(call_id, leg_id))
            # Another socket of the same person may have reported meanwhile.
            entry = self._entries.setdefault(key, _Entry(record, now_s))
        entry.gone = False
        entry.record = grown(entry.record, legs, self._clock.now())
        if now_s - entry.written_at_s >= WRITE_EVERY_S:
            entry.written_at_s = now_s
            self._write(key, entry)

    def left(self, call_id: str, leg_id: str) -> None:
        """The leg is no longer in the room here: what is known of it is written down and then forgotten."""
        key = (call_id, leg_id)
        entry = self._entries.get(key)
        if entry is not None and not entry.gone:
            entry.gone = True
            self._write(key, entry)

    def write_all(self) -> None:
        """Writes everything down; the server stops."""
        for key, entry in self._entries.items():
            self._write(key, entry)

    def _write(self, key: tuple[str, str], entry: _Entry) -> None:
        self._background.start(partial(self._written, key, entry), "quality")

    async def _written(self, key: tuple[str, str], entry: _Entry) -> None:
        await self._store.write(entry.record)
        if entry.gone and self._entries.get(key) is entry:
            del self._entries[key]

    async def of(self, call: Call, user_id: str) -> list[QualityRecord]:
        """What was measured in a call, for somebody who took part; raises :class:`Forbidden` for one who did not.

        What this process has not written down yet is in it.
        """
        leg = call.leg_of(user_id)
        if leg is None or not leg.took_part:
            raise Forbidden("Only for people who took part in the call")
        records = {record.leg_id: record for record in await self._store.of(call.call_id)}
        for (call_id, leg_id), entry in self._entries.items():
            if call_id == call.call_id:
                records[leg_id] = entry.record
        return [record for record in records.values() if record.paths]
