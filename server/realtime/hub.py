"""The hub: every session and every socket of this process, by whatever somebody may look for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Protocol

from msgspec.structs import replace

from server.auth.identity import Identity
from server.clock import Clock
from server.close_codes import REGISTRY, CloseCode
from server.realtime.bus import SIGN_INS, Bus, DeviceChanged, Message, SignInsEnded, ToDevices, user_topic
from server.realtime.connection import Connection
from server.realtime.session import Session

DEVICE = "user"
"""The kind of session that rings: one per device, on ``/ws/user``."""
RETIRE_WITHIN_S = 3.0
"""Longer than any operation of the database may take, so that whoever waits for it is answered."""


class SessionWatcher(Protocol):
    """What a kind of socket wants to hear of its sessions."""

    def session_detached(self, session: Session) -> None:
        """The socket is gone; the session may be resumed."""

    def session_attached(self, session: Session) -> None:
        """A socket has taken the session (over)."""

    def session_over(self, session: Session, code: CloseCode) -> None:
        """Nobody can resume the session any more; ``code`` says why."""

    def session_silenced(self, session: Session) -> None:
        """The person has silenced the device, or lets it ring again: ``session.who`` says which."""


class Hub:
    """Knows who is connected. A session is freed when that is decided, never in a late ``on_close``."""

    def __init__(
        self, bus: Bus, clock: Clock, max_connections_per_user: int, on_closed: Callable[[Connection], None]
    ) -> None:
        self._on_closed = on_closed
        self._bus = bus
        self._clock = clock
        self._max_per_user = max_connections_per_user
        self.connections: set[Connection] = set()
        self.watchers: dict[str, SessionWatcher] = {}  # by kind
        self.on_news: list[Callable[[Message], None]] = []
        """Told what is said to somebody with a device here, other than a frame for their devices."""
        self._sessions: dict[str, Session] = {}
        self._by_user: dict[str, dict[str, Session]] = {}
        self._by_sign_in: dict[str, set[Session]] = {}
        self._detached: set[Session] = set()
        bus.subscribe(SIGN_INS, self._on_sign_ins)

    # ── looking ──

    def get(self, session_id: str) -> Session | None:
        """The session with that id (the wire's ``connection_id``)."""
        return self._sessions.get(session_id)

    def sessions(self) -> Iterator[Session]:
        """Every session; safe against changes while it is walked."""
        return iter(list(self._sessions.values()))

    def sessions_of(self, user_id: str) -> list[Session]:
        """Every session of a person."""
        return list(self._by_user.get(user_id, {}).values())

    def devices_of(self, user_id: str) -> list[Session]:
        """The sessions of a person that ring, also those that may yet be resumed."""
        return [session for session in self._by_user.get(user_id, {}).values() if session.kind == DEVICE]

    def sign_in_of(self, actor: str) -> str:
        """The sign-in of whoever acted: ``actor`` is the id of a session, or of the sign-in itself."""
        session = self._sessions.get(actor)
        return session.who.sign_in_id if session else actor

    def has_device(self, sign_in_id: str) -> bool:
        """Whether a socket of that sign-in which rings is open now."""
        return any(
            session.kind == DEVICE and session.connection is not None
            for session in self._by_sign_in.get(sign_in_id, ())
        )

    def devices_online(self) -> set[str]:
        """The sign-ins of :meth:`has_device`."""
        return {sign_in_id for sign_in_id in self._by_sign_in if self.has_device(sign_in_id)}

    def sign_ins(self) -> set[str]:
        """The sign-ins of every session."""
        return set(self._by_sign_in)

    def sign_ins_of(self, user_id: str) -> set[str]:
        """The sign-ins of the sessions of a person."""
        return {session.who.sign_in_id for session in self.sessions_of(user_id)}

    def has_room_for(self, user_id: str) -> bool:
        """Whether one more socket of that person is within their limit; those that are being let in count."""
        here = sum(1 for each in self._by_user.get(user_id, {}).values() if each.detached_at_s is None)
        return here < self._max_per_user

    def __len__(self) -> int:
        return len(self._sessions)

    # ── coming ──

    def admit(self, session: Session) -> None:
        """Registers a new session: from now on it is told whatever is said to its person."""
        user_id = session.who.user.id
        if session.kind == DEVICE and not self.devices_of(user_id):
            self._bus.subscribe(user_topic(user_id), self._on_user)
        self._sessions[session.id] = session
        self._by_user.setdefault(user_id, {})[session.id] = session
        self._by_sign_in.setdefault(session.who.sign_in_id, set()).add(session)

    def attach(self, session: Session, connection: Connection) -> None:
        """Lets ``connection`` carry the session; an older socket that still hangs is closed with 4504."""
        connection.session = session
        older = session.attach(connection)
        self._detached.discard(session)
        if older is not None:
            older.close(CloseCode.REPLACED)
        self.watchers[session.kind].session_attached(session)

    def claim(self, session: Session) -> bool:
        """Keeps a session from being swept while its client comes back; false if it is over already."""
        if session.over:
            return False
        session.detached_at_s = None
        self._detached.discard(session)
        return True

    def rebind(self, session: Session, who: Identity) -> None:
        """The person comes back with another sign-in, or has changed: from now on the session ends with that one."""
        self._forget_sign_in(session)
        session.who = who
        self._by_sign_in.setdefault(who.sign_in_id, set()).add(session)

    def release(self, session: Session) -> None:
        """The client that was coming (back) did not arrive: the window begins anew."""
        if session.connection is None and not session.over:
            session.detached_at_s = self._clock.monotonic()
            self._detached.add(session)
            self.watchers[session.kind].session_detached(session)

    # ── going ──

    def close(self, connection: Connection, code: CloseCode, reason: str = "", **options: int) -> None:
        """Closes a socket, and at once frees its session or begins its resume window, as ``code`` says."""
        if connection.close(code, reason, retry_after_ms=options.get("retry_after_ms")):
            self.lost(connection, code)

    def lost(self, connection: Connection, code: CloseCode) -> None:
        """A socket is gone, or as good as gone. Whatever comes of it later changes nothing."""
        session = connection.session
        if session is None or not session.detach(connection, self._clock.monotonic()):
            return
        if REGISTRY[code].session_kept and session.resume_window_s > 0:
            self._detached.add(session)
            self.watchers[session.kind].session_detached(session)
        else:
            self.drop(session, code)

    def closed(self, connection: Connection) -> None:
        """The socket itself is gone: its record is made."""
        self.connections.discard(connection)
        self._on_closed(connection)

    def drop(self, session: Session, code: CloseCode) -> None:
        """Ends a session for good; its socket, if it has one, is closed with ``code``."""
        if session.over:
            return
        session.over = True
        self._detached.discard(session)
        self._forget(session)
        connection = session.connection
        if connection is not None:
            connection.close(code)
            session.detach(connection, self._clock.monotonic())
        self.watchers[session.kind].session_over(session, code)

    def retire(self, session: Session, code: CloseCode) -> None:
        """As :meth:`drop`, once every frame that the client has sent is answered: the ``ack`` of a ``hangup``, say."""
        deadline_s = self._clock.monotonic() + RETIRE_WITHIN_S
        asyncio.get_running_loop().call_soon(self._retire, session, code, deadline_s)

    def _retire(self, session: Session, code: CloseCode, deadline_s: float) -> None:
        if session.is_busy and self._clock.monotonic() < deadline_s:
            asyncio.get_running_loop().call_later(0.01, self._retire, session, code, deadline_s)
        else:
            self.drop(session, code)

    def sweep(self) -> int:
        """Drops the sessions whose resume window is over; returns how many. Somebody who has come back stays."""
        now_s = self._clock.monotonic()
        dropped = 0
        for session in list(self._detached):
            if session.is_stale(now_s):
                self.drop(session, CloseCode.HEARTBEAT_MISSED)
                dropped += 1
        return dropped

    def _forget(self, session: Session) -> None:
        user_id = session.who.user.id
        self._sessions.pop(session.id, None)
        theirs = self._by_user.get(user_id, {})
        theirs.pop(session.id, None)
        if not theirs:
            self._by_user.pop(user_id, None)
        if session.kind == DEVICE and not self.devices_of(user_id):
            self._bus.unsubscribe(user_topic(user_id), self._on_user)
        self._forget_sign_in(session)

    def _forget_sign_in(self, session: Session) -> None:
        same = self._by_sign_in.get(session.who.sign_in_id, set())
        same.discard(session)
        if not same:
            self._by_sign_in.pop(session.who.sign_in_id, None)

    # ── news ──

    def _on_user(self, message: Message) -> None:
        if not isinstance(message, ToDevices):
            for hear in self.on_news:
                hear(message)
            return
        for session in self.devices_of(message.user_id):
            if message.rings and session.who.silenced:
                continue
            acted = (session.id, session.who.sign_in_id)
            if (message.only is None or message.only in acted) and message.skip not in acted:
                session.deliver(message.body, message.coalesce_key)

    def _on_sign_ins(self, message: Message) -> None:
        if isinstance(message, SignInsEnded):
            for sign_in_id in message.sign_in_ids:
                for session in list(self._by_sign_in.get(sign_in_id, ())):
                    self.drop(session, CloseCode.SIGNED_OUT)
        elif isinstance(message, DeviceChanged):
            for session in list(self._by_sign_in.get(message.sign_in_id, ())):
                self._change_device(session, message)

    def _change_device(self, session: Session, change: DeviceChanged) -> None:
        was_silenced = session.who.silenced
        session.who = replace(session.who, device=change.label, silenced=change.silenced)
        if was_silenced != change.silenced:
            self.watchers[session.kind].session_silenced(session)
