"""A socket that outlives its connections.

What the program sees is one stream of frames in which none is missing and none comes twice, and requests that are
answered. Underneath, connections come and go. This file is the policy for that, as the wire contract has it:

    at once, then full jitter from 0.3 s doubling to 30 s; back to nothing after 60 s of a good connection; one attempt
    at a time; woken early by `wake()`; ended by a code that says stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from enum import StrEnum
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlencode

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from .backoff import Backoff
from .clock import Clock, SystemClock, within
from .close_codes import Action
from .ending import ABNORMAL, GOING_AWAY, NORMAL, Ending, Side
from .errors import ApiError, Refused, Unreachable
from .frames import FrameQueue
from .handshake import Connected
from .pending import Pending, Request
from .session import Frame, Session, Verdict
from .watchdog import Watchdog
from .wire import Wire, dial

logger = logging.getLogger(__name__)

# The server gives 10 s for the credentials; a `connected` that is not there by now will not come.
OPENING_SILENCE_S = 15.0
REQUEST_TIMEOUT_S = 10.0
WAIT_TIMEOUT_S = 10.0
# How long a server may send us away; it asks for seconds, and a wrong number must not silence a telephone for days.
LONGEST_RETRY_AFTER_S = 300.0

TokenProvider = Callable[[], Awaitable[str]]
Credentials = Literal["first_frame", "query", "header"]


class SocketState(StrEnum):
    """Where a socket is."""

    IDLE = "idle"  # not opened yet
    CONNECTING = "connecting"  # one attempt is under way
    CONNECTED = "connected"  # the server has said `connected`
    WAITING = "waiting"  # the last attempt failed or the connection was lost; the next comes in `retry_in_s`
    CLOSED = "closed"  # over for good


class _FrameMissing(Exception):
    """A number was left out: a frame is lost on this connection, and a resume brings it."""


class RingbackSocket:
    """One socket of Ringback, over as many connections as it takes.

        async with RingbackSocket(url, api.ws_token) as socket:
            async for frame in socket:
                ...

    Attributes:
        state: where the socket is; `until()` waits for a state, `on_state()` tells of each change.
        terms: what the latest `connected` said; None before the first.
        last_ending: how the latest connection ended; None while the first holds.
        retry_in_s: in the state WAITING, the delay before the next attempt.
    """

    def __init__(
        self,
        url: str,
        token: TokenProvider,
        *,
        credentials: Credentials = "first_frame",
        backoff: Backoff | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Nothing happens before `open()`.

        Args:
            url: `ws:` or `wss:`; a query in it is kept.
            token: asked for a fresh token before every attempt. An ApiError of it that will not pass (401) ends the
                socket with that error.
            credentials: how the token travels: in the first frame (so that no log sees it), as `?token=` (a ws token,
                where the first frame is not in the program's hands) or as `Authorization: Bearer`.
            backoff: the delays between attempts.
            clock: the time.
        """
        self.state = SocketState.IDLE
        self.terms: Connected | None = None
        self.last_ending: Ending | None = None
        self.retry_in_s = 0.0
        self._url = url
        self._asked: dict[str, str | int] = {}
        self._token = token
        self._credentials = credentials
        self._on_frame: list[Callable[[Frame], None]] = []
        self._on_state: list[Callable[[SocketState], None]] = []
        self._backoff = backoff or Backoff()
        self._clock = clock or SystemClock()
        self._session = Session()
        self._frames = FrameQueue()
        self._pending = Pending()
        self._error: Exception | None = None  # what ended the socket
        self._runner: asyncio.Task[None] | None = None
        self._transition = asyncio.Event()  # set, and replaced, at each change of state
        self._awake = asyncio.Event()
        self._sending = asyncio.Lock()  # what is sent again after a resume goes before what is new
        # Of the connection that there is now:
        self._wire: Wire | None = None
        self._watchdog: Watchdog | None = None
        self._probe: asyncio.Task[None] | None = None
        self._bye: Frame | None = None
        self._connected_at: float | None = None

    def __repr__(self) -> str:
        return f"<RingbackSocket {self._url} {self.state}>"

    @property
    def replaying(self) -> bool:
        """True between a `connected` that took the session up again and its `resumed`: what comes now is old."""
        return self._session.replaying

    def on_frame(self, listener: Callable[[Frame], None]) -> None:
        """Tell `listener` of each frame from now on, once and in order, before anybody who waits for it.

        What it raises ends the socket.
        """
        self._on_frame.append(listener)

    def on_state(self, listener: Callable[[SocketState], None]) -> None:
        """Tell `listener` of each change of `state`."""
        self._on_state.append(listener)

    def ask(self, **fields: str | int) -> None:
        """Put these fields into the query of the address, for the next attempt and all after it."""
        self._asked |= fields

    # Opening and closing

    async def open(self, timeout_s: float | None = None) -> Connected:
        """Start, and wait for the first `connected`.

        Without `timeout_s` it is tried until it succeeds. Raises TimeoutError, Closed, Refused or ApiError; after an
        error nothing goes on in the background.
        """
        if self._runner is None:
            self._runner = asyncio.create_task(self._run(), name=f"ringback {self._url}")
        try:
            if timeout_s is None:
                await self.until(SocketState.CONNECTED)
            else:
                await within(self._clock, timeout_s, self.until(SocketState.CONNECTED), f"{self._url} `connected`")
        except BaseException:
            await self.close()
            raise
        assert self.terms is not None
        return self.terms

    async def close(self) -> None:
        """Leave with 1000 and stay away. Requests under way fail, frames that have come can still be taken."""
        if self._wire is not None and self.state is SocketState.CONNECTED:
            await self._wire.close(NORMAL)
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        self._finish(Ending.of_close(NORMAL, "", "client", None).closed())

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def until(self, *states: SocketState) -> SocketState:
        """Wait until the socket is in one of these states, and return it.

        Raises what ended the socket if it is CLOSED and that is none of them.
        """
        while self.state not in states:
            if self.state is SocketState.CLOSED:
                raise self._ended()
            await self._transition.wait()
        return self.state

    async def closed(self) -> Exception:
        """Wait for the end and return what ended the socket: Closed, Refused or ApiError."""
        await self.until(SocketState.CLOSED)
        return self._ended()

    def wake(self) -> None:
        """Say that the network is back, or that the program is in front again.

        A wait for the next attempt ends now, except where the server itself asked for it. A connection that seems to
        hold is asked for a sign of life, and given up if none comes within the heartbeat's time-out.
        """
        self._awake.set()
        if self.state is SocketState.CONNECTED and (self._probe is None or self._probe.done()):
            self._probe = asyncio.create_task(self._ask_for_life())

    # Frames

    async def request(self, frame: Frame, *, timeout_s: float = REQUEST_TIMEOUT_S) -> Frame:
        """Send a frame and return its `ack`.

        The frame gets an id. If the connection is lost before the answer, it is sent again with that id as soon as
        the session is resumed, and the server does it once.

        Raises:
            FrameError: the server refused it.
            RequestLost: the session is gone, and whether the frame was done cannot be known.
            TimeoutError: no answer in time.
            ValueError: it is larger than the server takes.
            Closed, Refused, ApiError: the socket is over.
        """
        request = self._pending.add(frame, self._clock.now())
        try:
            self._check_sendable(request.frame_type, request.text)
            return await within(self._clock, timeout_s, self._ask(request), f"the answer to {request.frame_type}")
        finally:
            self._pending.drop(request)

    async def send(self, frame: Frame) -> None:
        """Send a frame to which no answer is wanted. Without a connection it is lost, and not repeated after a resume.

        Raises ValueError if it is larger than the server takes, or what ended the socket.
        """
        text = msgspec.json.encode(frame).decode()
        self._check_sendable(frame["type"], text)
        await self._write(text)

    async def wait_for(
        self,
        frame_type: str,
        *,
        where: Callable[[Frame], bool] | None = None,
        timeout_s: float = WAIT_TIMEOUT_S,
        **match: Any,
    ) -> Frame:
        """Take the first frame of a type whose fields equal `match` and for which `where` holds; others stay.

            await socket.wait_for("participant", leg_id=bob, connection="reconnecting")
            await socket.wait_for("offer", from_=bob)

        Raises TimeoutError, or what ended the socket.
        """

        def wanted(frame: Frame) -> bool:
            fits = frame["type"] == frame_type and all(
                frame.get(key.rstrip("_")) == value for key, value in match.items()
            )
            return fits and (where is None or where(frame))

        try:
            frame = await within(self._clock, timeout_s, self._frames.take(wanted), f"`{frame_type}`")
        except TimeoutError as error:
            raise TimeoutError(f"{error}; there were: {', '.join(self._frames.waiting()) or 'none'}") from None
        if frame is None:
            raise self._ended()
        return frame

    async def __aiter__(self) -> AsyncIterator[Frame]:
        """All frames from here on: `connected`, `resumed`, every numbered frame once, and `error` without an id.

        Ends when the socket was closed with 1000; any other end is raised.
        """
        while (frame := await self._frames.take(lambda _: True)) is not None:
            yield frame
        error = self._ended()
        if getattr(error, "code", None) != NORMAL:
            raise error

    # One connection after the other

    async def _run(self) -> None:
        try:
            while True:
                self._enter(SocketState.CONNECTING)
                ending = await self._live_once()
                self.last_ending = ending
                logger.info("%s: %d %s by %s (%s)", self._url, ending.code, ending.name, ending.by, ending.reason)
                if ending.action is Action.STOP:
                    return self._finish(ending.closed())
                if ending.action is Action.RECONNECT:
                    self._session.forget()
                await self._pause(ending)
        except Exception as error:
            self._finish(error)

    async def _live_once(self) -> Ending:
        """One connection from dialling to its end. Raises what will not pass by trying again."""
        try:
            wire, first_frame = await self._dial()
        except (ApiError, Unreachable, OSError, InvalidHandshake) as error:
            return _failed_attempt(error)
        self._wire, self._bye, self._connected_at = wire, None, None
        self._watchdog = Watchdog(self._clock, wire.cut)
        self._watchdog.watch(OPENING_SILENCE_S)
        wire.on_data = self._watchdog.heard
        try:
            return await self._converse(wire, first_frame)
        finally:
            self._hang_up(wire)

    async def _dial(self) -> tuple[Wire, str | None]:
        """Open a connection; also the frame to begin with, where the credentials travel in one."""
        token = await self._token()
        resume = self._session.resume_request()
        url = _with_query(self._url, self._asked)
        match self._credentials:
            case "first_frame":
                first_frame = msgspec.json.encode({"type": "auth", "token": token, **resume}).decode()
                return await dial(url, {}), first_frame
            case "query":
                return await dial(_with_query(url, {"token": token, **resume}), {}), None
            case "header":
                return await dial(_with_query(url, resume), {"Authorization": f"Bearer {token}"}), None

    async def _converse(self, wire: Wire, first_frame: str | None) -> Ending:
        """Read until the connection ends."""
        try:
            if first_frame is not None:
                await wire.send(first_frame)
            while True:
                await self._receive(msgspec.json.decode(await wire.recv(), type=Frame))
        except ConnectionClosed as closed:
            return self._read_close(wire, closed)
        except _FrameMissing as missing:
            await wire.close(GOING_AWAY, str(missing))
            return Ending.of_close(GOING_AWAY, str(missing), "client", None)

    def _read_close(self, wire: Wire, closed: ConnectionClosed) -> Ending:
        code, reason = wire.close_code or ABNORMAL, wire.close_reason or ""
        if self._watchdog is not None and self._watchdog.bitten_after_s is not None:
            reason = f"nothing was heard for {self._watchdog.bitten_after_s:g} s"
            return Ending.of_close(code, reason, "client", self._bye)
        sides: dict[bool | None, Side] = {True: "server", False: "client", None: "network"}
        return Ending.of_close(code, reason, sides[closed.rcvd_then_sent], self._bye)

    def _hang_up(self, wire: Wire) -> None:
        """Nothing of this connection goes on."""
        if self._watchdog is not None:
            self._watchdog.stop()
        if self._connected_at is not None:
            self._backoff.held(self._clock.now() - self._connected_at)
        self._wire = None
        wire.cut()

    async def _pause(self, ending: Ending) -> None:
        """Wait for the next attempt. What the server asks for is kept to; only our own jitter can be cut short."""
        asked_s = min(ending.retry_after_s, LONGEST_RETRY_AFTER_S)
        self.retry_in_s = max(asked_s, self._backoff.next_delay_s(at_once=ending.at_once))
        self._awake.clear()
        self._enter(SocketState.WAITING)
        await self._clock.sleep(asked_s)
        with contextlib.suppress(TimeoutError):
            await within(self._clock, self.retry_in_s - asked_s, self._awake.wait(), "a wake-up")

    # What comes in

    async def _receive(self, frame: Frame) -> None:
        match frame["type"]:
            case "connected":
                await self._on_connected(frame)
            case "resumed":
                self._session.resumed(frame)
                self._deliver(frame)
            case "ack":
                self._pending.ack(frame)
            case "error" if frame.get("id") is not None:
                self._pending.error(frame)
            case "ping":
                await self._write('{"type":"pong"}')
            case "pong":
                pass  # it was heard, that is all it is for
            case "bye":
                self._bye = frame
            case _:
                self._on_event(frame)

    async def _on_connected(self, frame: Frame) -> None:
        """The session begins, or goes on: then what is unanswered is sent again."""
        self.terms = msgspec.convert(frame, Connected)
        session_kept = self._session.connected(frame)
        self._connected_at = self._clock.now()
        if self._watchdog is not None:
            self._watchdog.watch(self.terms.heartbeat.longest_silence_s)
        self._enter(SocketState.CONNECTED)
        self._deliver(frame)
        async with self._sending:
            for request in self._pending.to_send(self._clock.now(), session_kept=session_kept):
                await self._transmit(request)

    def _on_event(self, frame: Frame) -> None:
        """A numbered frame, or one without a number that answers nothing."""
        seq = frame.get("seq")
        verdict = Verdict.DELIVER if seq is None else self._session.judge(seq)
        if verdict is Verdict.GAP:
            raise _FrameMissing(f"frame {seq} came after frame {self._session.last_seq}")
        if verdict is Verdict.DELIVER:
            self._deliver(frame)

    def _deliver(self, frame: Frame) -> None:
        for listener in self._on_frame:
            listener(frame)
        self._frames.put(frame)

    # What goes out

    async def _ask(self, request: Request) -> Frame:
        """Send a request now if there is a connection; else the next `connected` does."""
        async with self._sending:
            if self.state is SocketState.CONNECTED:
                await self._transmit(request)
        return await request.answer

    async def _transmit(self, request: Request) -> None:
        request.sent = True
        await self._write(request.text)

    async def _write(self, text: str) -> None:
        """Write to the connection there is. One that has just gone is found out by who reads from it."""
        if self._wire is not None:
            with contextlib.suppress(ConnectionClosed):
                await self._wire.send(text)

    def _check_sendable(self, frame_type: str, text: str) -> None:
        if self.state is SocketState.CLOSED:
            raise self._ended()
        limit_bytes = self.terms.limits.max_frame_bytes if self.terms else None
        size_bytes = len(text.encode())
        if limit_bytes is not None and size_bytes > limit_bytes:
            raise ValueError(f"this {frame_type} has {size_bytes} bytes, the server takes {limit_bytes}")

    async def _ask_for_life(self) -> None:
        """A protocol ping, which every stack answers by itself."""
        assert self._wire is not None and self._watchdog is not None and self.terms is not None
        watchdog, limit_s = self._watchdog, self.terms.heartbeat.timeout_s
        with contextlib.suppress(ConnectionClosed):
            pong = await self._wire.ping()
            try:
                await within(self._clock, limit_s, pong, "a pong")
            except TimeoutError:
                watchdog.bite(limit_s)

    # State

    def _enter(self, state: SocketState) -> None:
        self.state = state
        self._transition.set()
        self._transition = asyncio.Event()
        for listener in self._on_state:
            listener(state)

    def _finish(self, error: Exception) -> None:
        """The end, once: everybody who waits is told why."""
        if self.state is not SocketState.CLOSED:
            self._error = error
            self._pending.fail_all(error)
            self._frames.close()
            self._enter(SocketState.CLOSED)

    def _ended(self) -> Exception:
        assert self._error is not None
        return self._error


def _failed_attempt(error: Exception) -> Ending:
    """An attempt that did not come as far as a connection: what may pass becomes an Ending, the rest is raised."""
    if isinstance(error, ApiError):
        if not error.retryable:
            raise error
        return Ending.of_failure(f"no token: {error.status} {error.code}", error.retry_after_s)
    if isinstance(error, InvalidStatus):
        status, headers = error.response.status_code, error.response.headers
        # Anything but "you are wrong" may pass: a proxy without its server, a hotel's sign-in page in between.
        if 400 <= status < 500 and status not in (408, 425, 429):
            raise Refused(status, error.response.reason_phrase) from None
        return Ending.of_failure(f"HTTP {status}", _seconds(headers.get("Retry-After")))
    return Ending.of_failure(type(error).__name__)


def _with_query(url: str, fields: Mapping[str, str | int]) -> str:
    """`url` with these fields in its query as well."""
    return url + ("&" if "?" in url else "?") + urlencode(fields) if fields else url


def _seconds(retry_after: str | None) -> float | None:
    """`Retry-After` in seconds; None for the form that is a date."""
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
