"""From a client's bytes to the domain and back: every frame with an ``id`` gets exactly one ``ack`` or ``error``.

Quick commands run where the frame is read. Slow ones (whatever asks a database) wait in a bounded queue of the session
and are worked on one after the other, so that reading never waits and a stalled database closes no socket.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from server.clock import Clock
from server.close_codes import CloseCode
from server.errors import BadRequest, InternalError, RateLimited, RingbackError, TooLarge
from server.realtime.connection import Connection
from server.realtime.frames import (
    Error,
    FrameReader,
    FromClient,
    PingFromClient,
    Pong,
    PongFromClient,
    ack,
    encode,
    id_of,
)
from server.realtime.limits import OffenceWindow, TokenBucket
from server.realtime.session import Session
from server.settings import SocketSettings

Result = dict[str, Any] | None
Quick = Callable[[Session, Any], Result]
Slow = Callable[[Session, Any], Awaitable[Result]]


class Commands(msgspec.Struct, frozen=True):
    """What one kind of socket understands: a function for each type of frame, quick or slow."""

    reader: FrameReader
    quick: Mapping[type[FromClient], Quick]
    slow: Mapping[type[FromClient], Slow]


class Dispatcher:
    """Acts on the frames of one socket in one session.

    ``close`` ends the socket with a code; ``on_fault`` hears of exceptions that are our fault.
    """

    __slots__ = (
        "_bad",
        "_bucket",
        "_clock",
        "_close",
        "_commands",
        "_connection",
        "_limited",
        "_on_fault",
        "_queue",
        "_session",
        "_settings",
        "_worker",
    )

    def __init__(
        self,
        session: Session,
        connection: Connection,
        commands: Commands,
        settings: SocketSettings,
        clock: Clock,
        close: Callable[[CloseCode], None],
        on_fault: Callable[[BaseException], None],
    ) -> None:
        self._session = session
        self._connection = connection
        self._commands = commands
        self._settings = settings
        self._clock = clock
        self._close = close
        self._on_fault = on_fault
        self._bucket = TokenBucket(settings.frames_per_s, settings.frames_burst, clock.monotonic())
        # Made when first needed: most connections never offend, and many never ask for slow work.
        self._bad: OffenceWindow | None = None
        self._limited: OffenceWindow | None = None
        self._queue: deque[tuple[FromClient, Slow]] | None = None
        self._worker: asyncio.Task[None] | None = None

    def receive(self, data: bytes) -> None:
        """Acts on one frame; nothing escapes."""
        now_s = self._clock.monotonic()
        if not self._bucket.take(now_s):
            self._refuse_limited(data, now_s)
            return
        try:
            frame = self._commands.reader.read(data)
        except BadRequest as error:
            self._refuse_bad(id_of(data), error, now_s)
            return
        frame_id = frame.id
        if frame_id is not None and not self._session.is_new(frame_id, now_s):
            return
        kind = type(frame)
        quick = self._commands.quick.get(kind)
        if quick is not None:
            self._run_quick(quick, frame, now_s)
        elif kind is PingFromClient:
            self._connection.send(encode(Pong(timestamp=self._connection.timestamp())))
            self._done(frame, None, now_s)
        elif kind is PongFromClient:
            self._done(frame, None, now_s)
        else:
            self._enqueue(frame, self._commands.slow[kind])

    def count_control(self) -> None:
        """A ping of the client's: the frame layer has answered it, but a flood of them is a flood."""
        now_s = self._clock.monotonic()
        if not self._bucket.take(now_s):
            self._count_limited(now_s)

    # ── quick ──

    def _run_quick(self, command: Quick, frame: FromClient, now_s: float) -> None:
        try:
            result = command(self._session, frame)
        except TooLarge as error:
            self._refused(frame.id, error, now_s)
        except BadRequest as error:
            self._refuse_bad(frame.id, error, now_s)
        except RingbackError as error:
            self._refused(frame.id, error, now_s)
        except Exception as error:
            self._on_fault(error)
            self._refused(frame.id, InternalError(), now_s)
        else:
            self._done(frame, result, now_s)

    # ── slow ──

    def _enqueue(self, frame: FromClient, command: Slow) -> None:
        queue = self._queue
        if queue is None:
            queue = self._queue = deque()
        if len(queue) >= self._settings.queue_length:
            self._say_error(frame.id, RateLimited("Too many frames wait to be worked on"))
            return
        if frame.id is not None:
            self._session.begin(frame.id)
        queue.append((frame, command))
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work(queue))

    async def _work(self, queue: deque[tuple[FromClient, Slow]]) -> None:
        try:
            while queue:
                frame, command = queue[0]
                await self._run_slow(command, frame)
                queue.popleft()
        finally:
            self._worker = None

    async def _run_slow(self, command: Slow, frame: FromClient) -> None:
        try:
            result = await command(self._session, frame)
        except RingbackError as error:
            self._refused(frame.id, error, self._clock.monotonic())
        except Exception as error:
            self._on_fault(error)
            self._refused(frame.id, InternalError(), self._clock.monotonic())
        else:
            self._done(frame, result, self._clock.monotonic())

    # ── answers ──

    def _done(self, frame: FromClient, result: Result, now_s: float) -> None:
        if frame.id is not None:
            self._session.answer(frame.id, ack(frame.id, self._connection.timestamp(), result), now_s)

    def _refused(self, frame_id: str | None, error: RingbackError, now_s: float) -> None:
        self._connection.last_error = error.code
        if frame_id is None or error.retryable:
            self._session.forget(frame_id)
            self._say_error(frame_id, error)
        else:
            self._session.answer(frame_id, self._error(frame_id, error), now_s)

    def _refuse_bad(self, frame_id: str | None, error: BadRequest, now_s: float) -> None:
        if frame_id is None or self._session.is_new(frame_id, now_s):
            self._refused(frame_id, error, now_s)
        if self._bad is None:
            self._bad = OffenceWindow(self._settings.bad_frames_per_minute, 60.0)
        if self._bad.add(now_s):
            self._close(CloseCode.BAD_MESSAGES)

    def _refuse_limited(self, data: bytes, now_s: float) -> None:
        self._say_error(id_of(data), RateLimited("Too many frames a second", retry_after_s=self._bucket.wait_s()))
        self._count_limited(now_s)

    def _count_limited(self, now_s: float) -> None:
        if self._limited is None:
            self._limited = OffenceWindow(self._settings.limited_frames_per_10_s, 10.0)
        if self._limited.add(now_s):
            self._close(CloseCode.RATE_LIMITED)

    def _say_error(self, frame_id: str | None, error: RingbackError) -> None:
        """An answer that is not kept: the same frame may be sent again and is then acted on.

        It goes to whatever socket carries the session by now: the client may have come back while slow work failed.
        """
        self._connection.last_error = error.code
        self._session.say(self._error(frame_id, error))

    def _error(self, frame_id: str | None, error: RingbackError) -> bytes:
        translate = self._connection.translate
        return encode(
            Error(
                timestamp=self._connection.timestamp(),
                id=frame_id,
                code=error.code,
                message=error.detail_in(translate),
                retryable=error.retryable,
                errors=error.fields_in(translate),
            )
        )
