"""One record for each closed connection: who began it, with which codes, how long it lived, what it carried."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Any

import msgspec

from server.clock import Clock
from server.log import get_logger
from server.realtime.connection import Connection
from server.store.connections import ConnectionStore

log = get_logger("sockets")

MAX_WAITING = 10_000
"""Records that wait while the database is away, some 5 MiB; then the oldest go, and are counted."""
BATCH = 500


class ConnectionRecord(msgspec.Struct, frozen=True):
    """What is kept of a connection. ``code_sent`` is ours, ``code_received`` the client's; None: there was none."""

    connection_id: str | None
    user_id: str | None
    kind: str
    room: str | None
    device: str | None
    node: str
    initiator: str
    code_sent: int | None
    code_received: int | None
    clean: bool
    reason: str | None
    opened_at: datetime
    closed_at: datetime
    age_s: float
    frames_received: int
    frames_sent: int
    bytes_received: int
    bytes_sent: int
    dropped_after_close: int
    rtt_ms: float | None
    last_error: str | None


class Records:
    """Makes records, logs each in one line, and writes them behind, in batches."""

    def __init__(self, store: ConnectionStore, clock: Clock, node: str) -> None:
        self._store = store
        self._clock = clock
        self._node = node
        self._waiting: deque[dict[str, Any]] = deque()
        self.lost = 0

    def closed(self, connection: Connection) -> ConnectionRecord:
        """Makes and keeps the record of ``connection``, whose transport knows how it ended."""
        record = self._record(connection)
        fields = msgspec.structs.asdict(record)
        log.info("socket_closed", **{name: value for name, value in fields.items() if value is not None})
        self._waiting.append(fields)
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()
            self.lost += 1
        return record

    async def flush(self) -> int:
        """Writes what waits; returns how many. What could not be written waits on."""
        written = 0
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                await self._store.insert_all(batch)
            except BaseException:
                self._waiting.extendleft(reversed(batch))
                raise
            written += len(batch)
        return written

    def __len__(self) -> int:
        return len(self._waiting)

    def _record(self, connection: Connection) -> ConnectionRecord:
        transport, session = connection.transport, connection.session
        now = self._clock.now()
        age_s = max(0.0, self._clock.monotonic() - connection.opened_at_s)
        return ConnectionRecord(
            connection_id=session.id if session else None,
            user_id=session.who.user.id if session else None,
            kind=connection.kind,
            room=connection.resource[:64] or None,
            device=session.who.device if session else None,
            node=self._node,
            initiator=transport.initiator or "network",
            code_sent=None if connection.close_code is None else int(connection.close_code),
            code_received=transport.code_received,
            clean=transport.clean,
            reason=connection.close_reason or None,
            opened_at=now - timedelta(seconds=age_s),
            closed_at=now,
            age_s=round(age_s, 3),
            frames_received=transport.frames_received,
            frames_sent=transport.frames_sent,
            bytes_received=transport.bytes_received,
            bytes_sent=transport.bytes_sent,
            dropped_after_close=transport.dropped_after_close + (session.dropped if session else 0),
            rtt_ms=connection.rtt_ms,
            last_error=connection.last_error or None,
        )
