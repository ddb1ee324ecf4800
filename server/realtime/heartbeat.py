"""The heartbeat: one wheel for all connections, with lazy deadlines and no timer or coroutine of their own.

Tornado's own ping ends a dead connection with 1000 and counts only pongs as life; here any byte is life, a dead one is
closed with 4005, and no client goes unspoken-to for longer than its interval, so that a page notices a dead server.
"""

from __future__ import annotations

from collections.abc import Callable

from server.realtime.connection import Connection
from server.realtime.frames import Ping, encode

TICK_S = 0.5
"""How fine deadlines are kept: a twentieth of the shortest interval in use (10 s in a call)."""


class HeartbeatWheel:
    """Connections by the tick at which each is next looked at.

    ``on_silent`` hears of a connection that has been silent past ``interval_s + timeout_s``, ``on_slow`` of one whose
    oldest unsent frame is older than ``max_blocked_s``; they decide what becomes of it. Times are monotonic seconds.
    """

    def __init__(
        self,
        timeout_s: float,
        max_blocked_s: float,
        timestamp: Callable[[], str],
        on_silent: Callable[[Connection], None],
        on_slow: Callable[[Connection], None],
    ) -> None:
        self._timeout_s = timeout_s
        self._max_blocked_s = max_blocked_s
        self._timestamp = timestamp
        self._on_silent = on_silent
        self._on_slow = on_slow
        self._slots: dict[int, set[Connection]] = {}
        self._next_tick = 0
        self._blocked: set[Connection] = set()

    def add(self, connection: Connection, now_s: float) -> None:
        """Watches ``connection`` until it closes."""
        self._put(connection, min(connection.interval_s, self._timeout_s) + now_s)

    def remove(self, connection: Connection) -> None:
        """Forgets ``connection``, which is gone: what hangs on it shall not wait for the tick at which it is due."""
        self._blocked.discard(connection)
        slot = self._slots.get(connection.due_tick)
        if slot is not None:
            slot.discard(connection)
            if not slot:
                del self._slots[connection.due_tick]

    def __len__(self) -> int:
        return sum(len(slot) for slot in self._slots.values())

    def watch_blocked(self, connection: Connection) -> None:
        """Looks at ``connection`` with every tick until its socket has drained."""
        self._blocked.add(connection)

    def tick(self, now_s: float) -> None:
        """Looks at every connection that is due at ``now_s``; missed ticks are made up for."""
        self._check_blocked(now_s)
        last = int(now_s / TICK_S)
        first = self._next_tick
        if last - first > len(self._slots):
            due = sorted(tick for tick in self._slots if tick <= last)
        else:
            due = list(range(first, last + 1))
        self._next_tick = last + 1
        ping = None
        for tick in due:
            for connection in self._slots.pop(tick, ()):
                if connection.closing:
                    continue
                ping = ping or encode(Ping(timestamp=self._timestamp()))
                self._beat(connection, now_s, ping)

    def _beat(self, connection: Connection, now_s: float, ping: bytes) -> None:
        interval_s = connection.interval_s
        transport = connection.transport
        dead_at_s = transport.last_received + interval_s + self._timeout_s
        if now_s >= dead_at_s:
            self._on_silent(connection)
            return
        # Half a tick of tolerance: what is due before the next look is done now, so that no interval is overstepped.
        soon_s = now_s + TICK_S
        if soon_s >= connection.last_ping_s + interval_s:
            connection.last_ping_s = now_s
            transport.ping(b"%.6f" % now_s)
        if soon_s >= connection.last_sent_s + interval_s:
            connection.send(ping)
        self._put(
            connection,
            min(connection.last_ping_s + interval_s, connection.last_sent_s + interval_s, dead_at_s + TICK_S) - TICK_S,
        )

    def _check_blocked(self, now_s: float) -> None:
        for connection in list(self._blocked):
            since_s = connection.transport.blocked_since
            if since_s is None or connection.closing:
                self._blocked.discard(connection)
                if connection.session is not None:
                    connection.session.release_held()
            elif now_s - since_s >= self._max_blocked_s:
                self._blocked.discard(connection)
                self._on_slow(connection)

    def _put(self, connection: Connection, due_s: float) -> None:
        # Rounded down: a tick comes up to TICK_S after its number says, and a look too early costs only another look.
        connection.due_tick = max(int(due_s / TICK_S), self._next_tick)
        self._slots.setdefault(connection.due_tick, set()).add(connection)


def note_pong(connection: Connection, payload: bytes, now_s: float) -> None:
    """Learns the round-trip time from the pong to one of our own pings (its payload is when it was sent)."""
    try:
        sent_s = float(payload)
    except ValueError:
        return  # an unsolicited pong, allowed by RFC 6455 §5.5.3
    if 0.0 <= now_s - sent_s < 3600.0:
        connection.rtt_ms = round((now_s - sent_s) * 1000.0, 1)
