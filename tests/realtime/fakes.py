"""A socket that is a list, and sessions, connections and a hub on such sockets."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from server.auth.identity import Identity
from server.close_codes import CloseCode
from server.ids import new_id
from server.realtime.bus import LocalBus
from server.realtime.connection import Connection
from server.realtime.hub import DEVICE, Hub, SessionWatcher
from server.realtime.session import Session, SessionLimits
from server.wire import rfc3339
from tests.clock import ManualClock
from tests.helpers import identity

LIMITS = SessionLimits(resume_frames=500, resume_bytes=262_144, coalesce_bytes=262_144, idempotency_window_s=120.0)
WINDOW_S = 120.0
MAX_PER_USER = 50


class ListTransport:
    """A `server.realtime.connection.Transport` whose client is a list: what it was sent, and how it was closed."""

    def __init__(self, clock: ManualClock) -> None:
        self.sent: list[bytes] = []
        self.pings: list[bytes] = []
        self.closed: tuple[int | None, str | None] | None = None
        self.aborted = False
        self.last_received = clock.monotonic()
        self.bytes_received = self.bytes_sent = self.frames_sent = self.dropped_after_close = 0
        self.initiator: Literal["client", "server", "network"] | None = None
        self.code_received: int | None = None
        self.reason_received = ""
        self.clean = False
        self.blocked_since: float | None = None
        self.frames_received = 0
        self.buffered_bytes = 0

    def send_text(self, data: bytes, /) -> None:
        """Takes a frame; after a close has begun it is only counted, as the frame layer does."""
        if self.is_closing():
            self.dropped_after_close += 1
            return
        self.sent.append(data)
        self.frames_sent += 1
        self.bytes_sent += len(data)

    def ping(self, data: bytes = b"", /) -> None:
        """Takes a protocol ping."""
        if not self.is_closing():
            self.pings.append(data)

    def close(self, code: int | None = None, reason: str | None = None, /) -> None:
        """The server begins to close."""
        if not self.is_closing():
            self.closed = (code, reason)
            self.initiator = "server"

    def abort(self) -> None:
        """The connection is cut."""
        self.aborted = True

    def client_leaves(self) -> None:
        """The client begins to close, or is gone."""
        self.initiator = self.initiator or "client"

    def is_closing(self) -> bool:
        """Whether a close has begun, from either side."""
        return self.initiator is not None or self.aborted

    @property
    def frames(self) -> list[dict[str, Any]]:
        """What was sent, decoded."""
        return [msgspec.json.decode(data) for data in self.sent]

    @property
    def types(self) -> list[str]:
        """The types of what was sent."""
        return [frame["type"] for frame in self.frames]


class Watcher:
    """A `SessionWatcher` that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Session, CloseCode | None]] = []

    def session_attached(self, session: Session) -> None:
        """Notes it."""
        self.heard.append(("attached", session, None))

    def session_detached(self, session: Session) -> None:
        """Notes it."""
        self.heard.append(("detached", session, None))

    def session_over(self, session: Session, code: CloseCode) -> None:
        """Notes it."""
        self.heard.append(("over", session, code))

    def session_silenced(self, session: Session) -> None:
        """Notes it."""
        self.heard.append(("silenced", session, None))

    @property
    def events(self) -> list[str]:
        """What was heard, without of whom."""
        return [event for event, _, _ in self.heard]


class World:
    """A hub on one clock and one bus, and makers of what lives in it."""

    def __init__(self, *, max_per_user: int = MAX_PER_USER) -> None:
        self.clock = ManualClock()
        self.bus = LocalBus()
        self.records: list[Connection] = []
        self.hub = Hub(self.bus, self.clock, max_per_user, self.records.append)
        self.watcher = Watcher()
        watcher: SessionWatcher = self.watcher
        self.hub.watchers.update({DEVICE: watcher, "call": watcher})

    def accepted(self, *, kind: str = DEVICE, interval_s: float = 25.0) -> Connection:
        """A socket that was just accepted."""
        return connection(self.clock, kind=kind, interval_s=interval_s)

    def admitted(
        self,
        who: Identity | None = None,
        *,
        kind: str = DEVICE,
        resource: str = "",
        window_s: float = WINDOW_S,
        limits: SessionLimits = LIMITS,
    ) -> Session:
        """A session that the hub knows and no socket carries yet."""
        session = Session(new_id(), kind, resource, who or identity(), window_s, limits)
        self.hub.admit(session)
        return session

    def connected(self, who: Identity | None = None, *, kind: str = DEVICE, resource: str = "") -> Session:
        """A session with its socket."""
        session = self.admitted(who, kind=kind, resource=resource)
        self.hub.attach(session, self.accepted(kind=kind))
        return session


def connection(clock: ManualClock, *, kind: str = DEVICE, resource: str = "", interval_s: float = 25.0) -> Connection:
    """A connection on a list."""
    return Connection(
        ListTransport(clock), kind, resource, interval_s, lambda: rfc3339(clock.now()), clock.monotonic, "192.0.2.1"
    )


def socket_of(carrier: Connection | Session) -> ListTransport:
    """The list below a connection, or below the one that carries a session now."""
    found = carrier.connection if isinstance(carrier, Session) else carrier
    assert found is not None
    assert isinstance(found.transport, ListTransport)
    return found.transport
