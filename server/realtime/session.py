"""A session: what outlives a socket, so that a client which comes back misses nothing and repeats nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from server.auth.identity import Identity
from server.languages.sentences import Translate
from server.realtime.frames import numbered
from server.realtime.resume import ResumeBuffer

if TYPE_CHECKING:
    from server.realtime.connection import Connection


class SessionLimits(msgspec.Struct, frozen=True):
    """Bounds of one session: the resume buffer, and how long an answered ``id`` is remembered."""

    resume_frames: int
    resume_bytes: int
    coalesce_bytes: int
    idempotency_window_s: float


class CatchUp(NamedTuple):
    """What a client that comes (back) is sent: all that it missed, up to the frame ``to``; or, where ``complete`` is
    false, what followed the frame ``to``, up to which the snapshot knows everything."""

    complete: bool
    to: int
    frames: list[bytes]


class Session:
    """One client on one path (``kind`` and ``resource``), identified by ``id`` – the wire's ``connection_id``.

    The domain sends to sessions and never learns whether a socket hangs below: a frame is numbered, kept for a resume,
    and handed to the attached connection, if there is one. ``generation`` grows with each socket that takes the session
    over, so that whatever a late older socket says or suffers is recognised as late. ``wishes`` are what the client
    asked for in the address, ``translate`` says sentences in the language of whoever came with the newest socket.
    """

    __slots__ = (
        "_answers",
        "_held",
        "_limits",
        "_pending",
        "buffer",
        "connection",
        "detached_at_s",
        "dropped",
        "generation",
        "id",
        "kind",
        "over",
        "resource",
        "resume_window_s",
        "taken_at_s",
        "translate",
        "who",
        "wishes",
    )

    def __init__(
        self, session_id: str, kind: str, resource: str, who: Identity, resume_window_s: float, limits: SessionLimits
    ) -> None:
        self.id = session_id
        self.kind = kind
        self.resource = resource
        self.wishes: Mapping[str, str] = {}
        self.translate: Translate = str
        self.who = who
        self.resume_window_s = resume_window_s
        self._limits = limits
        self.buffer = ResumeBuffer(limits.resume_frames, limits.resume_bytes)
        self.connection: Connection | None = None  # the socket that carries this session now
        self.generation = 0
        self.taken_at_s = 0.0  # monotonic; when the newest socket that took it was accepted
        self.detached_at_s: float | None = None  # monotonic; None while a socket is attached or was never
        self.over = False  # nothing is sent any more, and nobody can resume
        self.dropped = 0  # frames that came too late
        self._answers: dict[str, tuple[float, bytes]] | None = None  # frame id → (when, answer)
        self._pending: set[str] | None = None  # ids of frames being worked on
        self._held: dict[str, bytes] | None = None  # coalesced frames that wait for a slow socket, latest per key

    # ── to the client ──

    def deliver(self, body: bytes, coalesce_key: str | None = None) -> None:
        """Sends an encoded frame (without ``seq``), now or when the client resumes.

        With ``coalesce_key`` the frame may be replaced by a later one of the same key while the socket is slow.
        """
        if self.over:
            self.dropped += 1
            return
        connection = self.connection
        if self._held is not None or coalesce_key is not None:
            if coalesce_key is not None and connection and connection.buffered_bytes > self._limits.coalesce_bytes:
                held = self._held = self._held or {}
                held.pop(coalesce_key, None)
                held[coalesce_key] = body
                return
            self.release_held()
        seq = self.buffer.append(body)
        if connection is not None:
            connection.send(numbered(seq, body))

    def release_held(self) -> None:
        """Sends what waited for a slow socket, once the socket has room again."""
        connection = self.connection
        if self._held is None or (connection and connection.buffered_bytes > self._limits.coalesce_bytes):
            return
        held, self._held = self._held, None
        for body in held.values():
            self.deliver(body)

    # ── sockets come and go ──

    def attach(self, connection: Connection) -> Connection | None:
        """Makes ``connection`` the one that carries this session; returns the one it replaces, if any."""
        older, self.connection = self.connection, connection
        self.generation += 1
        self.taken_at_s = connection.opened_at_s
        self.detached_at_s = None
        self.release_held()  # what waited for the older socket is not held back from this one
        return older

    def detach(self, connection: Connection, now_s: float) -> bool:
        """Takes ``connection`` away; false (and nothing changes) if another one has taken over already."""
        if self.connection is not connection:
            return False
        self.connection = None
        self.detached_at_s = now_s
        return True

    def is_stale(self, now_s: float) -> bool:
        """Whether the resume window has passed without anybody coming back."""
        return self.detached_at_s is not None and now_s - self.detached_at_s >= self.resume_window_s

    def replay(self, last_seq: int) -> list[bytes] | None:
        """The numbered frames after ``last_seq``; ``None`` if they are no longer all there."""
        missed = self.buffer.after(last_seq)
        return None if missed is None else [numbered(seq, body) for seq, body in missed]

    def catch_up(self, last_seq: int | None, snapshot_seq: int) -> CatchUp | None:
        """What a client is sent that has everything up to ``last_seq``, or nothing yet (``None``).

        If that cannot be replayed, the client starts from a snapshot, which was asked for when ``snapshot_seq`` was the
        last frame: what was said while it was read follows. ``None`` if even that is no longer all there.
        """
        missed = None if last_seq is None else self.replay(last_seq)
        if missed is not None:
            return CatchUp(True, self.buffer.last_seq, missed)
        since = self.replay(snapshot_seq)
        return None if since is None else CatchUp(False, snapshot_seq, since)

    # ── each id is done once ──

    def is_new(self, frame_id: str, now_s: float) -> bool:
        """Whether the frame ``frame_id`` is to be acted on; if it was before, its answer is sent again."""
        pending = self._pending
        if pending and frame_id in pending:
            return False
        answers = self._answers
        if answers:
            # Answers lie in the order of time, so the forgotten ones are in front.
            oldest = next(iter(answers))
            while answers[oldest][0] + self._limits.idempotency_window_s <= now_s:
                del answers[oldest]
                if not answers:
                    break
                oldest = next(iter(answers))
            known = answers.get(frame_id)
            if known is not None:
                self.say(known[1])
                return False
        return True

    def begin(self, frame_id: str) -> None:
        """Notes that the frame ``frame_id`` is being worked on (slow work only)."""
        if self._pending is None:
            self._pending = set()
        self._pending.add(frame_id)

    @property
    def is_busy(self) -> bool:
        """Whether a frame of the client's waits for its answer."""
        return bool(self._pending)

    def answer(self, frame_id: str, body: bytes, now_s: float) -> None:
        """Sends the ``ack`` or ``error`` for ``frame_id`` and keeps it for a repetition."""
        if self._pending:
            self._pending.discard(frame_id)
        if self._answers is None:
            self._answers = {}
        self._answers[frame_id] = (now_s, body)
        self.say(body)

    def forget(self, frame_id: str | None) -> None:
        """The frame ``frame_id`` was refused for a passing reason: sent again, it is acted on."""
        if self._pending and frame_id is not None:
            self._pending.discard(frame_id)

    def say(self, body: bytes) -> None:
        """Sends an encoded frame that is neither numbered nor kept; without a socket it is lost."""
        if self.connection is not None:
            self.connection.send(body)
