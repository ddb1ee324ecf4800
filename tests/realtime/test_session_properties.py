"""What must always hold of sessions, whatever happens in whatever order (the invariants of the project's brief).

6. Across a resume no frame is missing and none comes twice, or it is said that the resume is not complete.
7. Nothing is sent after a close was begun. 8. Every closed connection has its record.

One client with one session at a time lives through a list of events from hypothesis: it connects, in two steps as over
a database, reads, is cut off, is thrown out and comes back, while frames are delivered, time passes, sweeps run and the
`on_close` of older sockets comes as late as it likes. What the socket handler does is done here by the same calls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from hypothesis import given
from msgspec.structs import replace

from server.close_codes import REGISTRY, CloseCode
from server.realtime.bus import ToDevices, user_topic
from server.realtime.connection import Connection
from server.realtime.session import Session
from tests.helpers import ALICE, long_lists, property_of
from tests.realtime.fakes import LIMITS, WINDOW_S, ListTransport, World, socket_of

MAX_FRAMES = 4
SERVER_CODES = (
    CloseCode.DRAINING,
    CloseCode.HEARTBEAT_MISSED,
    CloseCode.SLOW_CONSUMER,
    CloseCode.SIGNED_OUT,
    CloseCode.BAD_MESSAGES,
)
EVENTS: list[str | CloseCode] = [
    *["deliver"] * 6,
    *["read one", "read all"] * 2,
    *["connect"] * 3,
    *["arrive"] * 4,
    *["fail to arrive"] * 2,
    *["cut"] * 2,
    *["late close"] * 3,
    *["sweep"] * 2,
    *["second", "window"] * 2,
    *SERVER_CODES,
]


class Arriving(NamedTuple):
    """A socket on its way in: its session waits for the snapshot; `last_seq` is None for a session that is new."""

    connection: Connection
    session: Session
    last_seq: int | None
    snapshot_seq: int
    snapshot_until: int


class Life(World):
    """The server's side of one client, the client itself, and what was found wrong."""

    def __init__(self, events: list[str | CloseCode]) -> None:
        super().__init__()
        self.said = 0  # payloads 1 … said were told to the person
        self.payloads: dict[str, list[int]] = {}  # by session id, as they were delivered to it
        self.client = Client()
        self.arriving: Arriving | None = None
        self.opened: list[Connection] = []
        self.gone: list[Connection] = []  # their on_close has not come yet
        self.frozen: dict[Connection, int] = {}  # what had been sent when the server began to close
        self.due_s: dict[str, float] = {}  # by session id: when its window is over
        self.wrong: list[str] = []
        self._deeds: dict[str, Callable[[], None]] = {
            "deliver": self._deliver,
            "read one": lambda: self.client.read(1),
            "read all": lambda: self.client.read(1000),
            "connect": self._connect,
            "arrive": self._arrive,
            "fail to arrive": self._fail_to_arrive,
            "cut": self._cut,
            "late close": self._late_close,
            "sweep": self._sweep,
            "second": lambda: self.clock.move(1),
            "window": lambda: self.clock.move(WINDOW_S),
        }
        for event in events:
            self.live(event)
        self.settle()

    # ── events ──

    def live(self, event: str | CloseCode) -> None:
        """One event; one that is not possible now does nothing."""
        if isinstance(event, CloseCode):
            self._server_closes(event)
        else:
            self._deeds[event]()
        self._note()

    def settle(self) -> None:
        """The end: the client connects once more and reads everything, and every socket goes."""
        for event in ("arrive", "connect", "arrive", "deliver", "read all"):
            self.live(event)
        self.knows_all = self.client.known_until == self.said
        self._cut()
        while self.gone:
            self._late_close()

    def _deliver(self) -> None:
        self.said += 1
        for session in self.hub.devices_of(ALICE.id):
            self.payloads.setdefault(session.id, []).append(self.said)
        body = b'{"type":"chat","n":%d}' % self.said
        self.bus.publish(user_topic(ALICE.id), ToDevices(ALICE.id, body))

    def _connect(self) -> None:
        if self.arriving is not None:
            return  # one attempt at a time
        self.client.leave()
        connection = self.accepted()
        self.opened.append(connection)
        known = self.hub.get(self.client.session_id)
        if known is not None and self.hub.claim(known):
            self.due_s.pop(known.id, None)
            self.arriving = Arriving(
                connection, known, self.client.last_seq, known.buffer.last_seq, snapshot_until=self.said
            )
        else:
            if self.client.session_id in self.due_s and not self._is_due(self.client.session_id):
                self.wrong.append("a session was gone before its window was over")
            session = self.admitted(limits=replace(LIMITS, resume_frames=MAX_FRAMES))
            self.arriving = Arriving(connection, session, None, 0, snapshot_until=self.said)

    def _arrive(self) -> None:
        arriving, self.arriving = self.arriving, None
        if arriving is None:
            return
        connection, session = arriving.connection, arriving.session
        if session.over:
            self.hub.close(connection, CloseCode.STATE_LOST)
            self._is_gone(connection)
        elif connection.closing:
            self._release(session)
        else:
            self._welcome(arriving)

    def _welcome(self, arriving: Arriving) -> None:
        connection, session, last_seq, snapshot_seq, snapshot_until = arriving
        catch_up = session.catch_up(last_seq, snapshot_seq)
        if (
            last_seq is not None
            and session.buffer.last_seq - last_seq <= MAX_FRAMES
            and not (catch_up is not None and catch_up.complete)
        ):
            self.wrong.append("a resume that could be complete was not")
        if catch_up is None:  # more came while the snapshot was read than is kept
            self.hub.drop(session, CloseCode.STATE_LOST)
            self.hub.close(connection, CloseCode.STATE_LOST)
            self._is_gone(connection)
            return
        for frame in catch_up.frames:
            connection.send(frame)
        older = session.connection
        self.hub.attach(session, connection)
        self.client.arrive(session.id, socket_of(connection), self.payloads.setdefault(session.id, []))
        if not catch_up.complete:
            self.client.start_from(snapshot_until, catch_up.to)
        if older is not None:
            self._is_gone(older)

    def _fail_to_arrive(self) -> None:
        """The database is away."""
        arriving, self.arriving = self.arriving, None
        if arriving is not None:
            if arriving.last_seq is None:
                self.hub.drop(arriving.session, CloseCode.STATE_LOST)
            else:
                self._release(arriving.session)
            self.hub.close(arriving.connection, CloseCode.UNAVAILABLE)
            self._is_gone(arriving.connection)

    def _release(self, session: Session) -> None:
        self.hub.release(session)
        if session.connection is None and not session.over:
            self.due_s[session.id] = self.clock.monotonic() + WINDOW_S

    def _cut(self) -> None:
        """The network ends the client's socket; the server learns of it later."""
        for connection in self._open():
            socket_of(connection).client_leaves()
            self._is_gone(connection)

    def _server_closes(self, code: CloseCode) -> None:
        for connection in self._open():
            session = connection.session
            carried = session is not None and session.connection is connection
            self.hub.close(connection, code)
            self._is_gone(connection)
            if session is not None and carried and REGISTRY[code].session_kept:
                self.due_s[session.id] = self.clock.monotonic() + WINDOW_S

    def _is_gone(self, connection: Connection) -> None:
        if connection not in self.gone and connection not in self.records:
            self.gone.append(connection)

    def _late_close(self) -> None:
        """The `on_close` of some socket that is gone comes at last."""
        if not self.gone:
            return
        connection = self.gone.pop(0)
        session = connection.session
        before = _state(session)
        carried = session is not None and session.connection is connection
        self.hub.lost(connection, CloseCode.GOING_AWAY)
        self.hub.closed(connection)
        if session is not None and carried:
            self.due_s[session.id] = self.clock.monotonic() + WINDOW_S
        elif _state(session) != before:
            self.wrong.append("the late end of an older socket changed something")

    def _sweep(self) -> None:
        expected = {session_id for session_id in self.due_s if self._is_due(session_id)}
        before = {session.id for session in self.hub.sessions()}
        self.hub.sweep()
        swept = before - {session.id for session in self.hub.sessions()}
        if swept - expected:
            self.wrong.append("a sweep removed somebody who has come back or still may")
        if (expected & before) - swept:
            self.wrong.append("a sweep left a session whose window is over")
        for session_id in swept:
            del self.due_s[session_id]

    # ── what is noted ──

    def _is_due(self, session_id: str) -> bool:
        return self.due_s[session_id] <= self.clock.monotonic()

    def _open(self) -> list[Connection]:
        return [connection for connection in self.opened if not connection.closing]

    def _note(self) -> None:
        """What the server has begun to close is frozen from now on; no two open sockets carry one session."""
        for connection in self.opened:
            session = connection.session
            if session is not None and session.connection is not connection and not connection.closing:
                self.wrong.append("an open socket was left behind by a newer one")
            if connection.close_code is not None and connection not in self.frozen:
                self.frozen[connection] = len(socket_of(connection).sent)

    @property
    def sent_after_a_close(self) -> int:
        """Frames that reached, or were meant for, a socket that the server had begun to close."""
        return sum(
            len(socket_of(connection).sent) - sent + socket_of(connection).dropped_after_close
            for connection, sent in self.frozen.items()
        )


def _state(session: Session | None) -> tuple[object, ...]:
    return () if session is None else (session.connection, session.detached_at_s, session.over, session.generation)


class Client:
    """What the client knows: the number of its last frame, and up to which payload it misses nothing."""

    def __init__(self) -> None:
        self.session_id = ""
        self.last_seq = 0
        self.known_until = 0
        self.wrong: list[str] = []
        self._socket: ListTransport | None = None
        self._payloads: list[int] = []
        self._unread = 0

    def arrive(self, session_id: str, socket: ListTransport, payloads: list[int]) -> None:
        """A socket is there; whatever the older one still held is lost."""
        self.session_id, self._socket, self._payloads, self._unread = session_id, socket, payloads, 0

    def leave(self) -> None:
        """Gives the socket up that it has, to try another."""
        self._socket = None

    def start_from(self, until: int, seq: int) -> None:
        """A snapshot that knows all payloads up to `until`, taken when `seq` was the session's last frame."""
        self.known_until, self.last_seq = until, seq

    def read(self, frames: int) -> None:
        """Reads so many frames of what has arrived."""
        arrived = self._socket.frames[self._unread :][:frames] if self._socket is not None else []
        self._unread += len(arrived)
        for frame in arrived:
            if frame["type"] == "chat":
                self._take(frame["seq"], frame["n"])

    def _take(self, seq: int, payload: int) -> None:
        if seq != self.last_seq + 1:
            self.wrong.append(f"frame {seq} after frame {self.last_seq}")
        if payload != self._payloads[seq - 1]:
            self.wrong.append(f"frame {seq} is not what it was")
        if payload > self.known_until + 1:
            self.wrong.append(f"payload {payload} after {self.known_until}")
        self.last_seq, self.known_until = seq, max(payload, self.known_until)


lives = long_lists(EVENTS).map(Life)


@property_of(800)
@given(lives)
def test_no_frame_is_missing_and_none_comes_twice(life: Life) -> None:
    assert life.client.wrong == []


@property_of(400)
@given(lives)
def test_a_client_that_comes_back_in_the_end_knows_everything(life: Life) -> None:
    assert life.knows_all


@property_of(800)
@given(lives)
def test_a_session_is_resumed_if_it_can_be_and_by_one_socket_at_a_time(life: Life) -> None:
    assert life.wrong == []


@property_of(400)
@given(lives)
def test_nothing_is_sent_after_a_close_was_begun(life: Life) -> None:
    assert life.sent_after_a_close == 0


@property_of(400)
@given(lives)
def test_every_closed_connection_has_one_record(life: Life) -> None:
    assert Counter(life.records) == Counter(life.opened)


@property_of(400)
@given(lives)
def test_what_a_watcher_hears_of_a_session_ends_with_its_end(life: Life) -> None:
    heard: dict[str, list[str]] = {}
    for event, session, _ in life.watcher.heard:
        heard.setdefault(session.id, []).append(event)
    for events in heard.values():
        assert "over" not in events[:-1]


@property_of(400)
@given(lives)
def test_once_all_windows_are_over_nothing_is_left(life: Life) -> None:
    life.live("window")
    life.live("sweep")
    assert (len(life.hub), life.hub._by_user, life.hub._by_sign_in, life.hub._detached) == (0, {}, {}, set())
