"""The socket under a WebSocket handler: a thin shell around :mod:`server.realtime.framing`.

Handlers stay ``tornado.websocket.WebSocketHandler`` subclasses, and Tornado does the handshake. After the 101 the TCP
socket leaves Tornado's IOStream for an ``asyncio.Protocol`` (uvloop's or asyncio's transport): no Future and no task
for a frame, no coroutine and no timer for a connection.
"""

from __future__ import annotations

import asyncio
import binascii
import contextlib
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, cast

from tornado.concurrent import Future
from tornado.escape import json_encode, utf8
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream, SSLIOStream, StreamClosedError
from tornado.log import app_log
from tornado.websocket import WebSocketClosedError, WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from server.realtime.framing import (
    BINARY,
    PING,
    PONG,
    TEXT,
    Event,
    FrameParser,
    ProtocolFailure,
    decode_close,
    encode_close,
    encode_frame,
    encode_text,
)

Initiator = Literal["client", "server", "network"]

POLICY_VIOLATION: Final = 1008
INTERNAL_ERROR: Final = 1011

MIN_BUFFERED_BYTES: Final = 1 << 20
"""What may wait for a slow reader: far more than a burst of signaling, little enough to lose for a dead peer."""

BUFFERED_MESSAGES: Final = 4
"""A handler that takes long messages will send long ones, too: so many of the longest may wait."""

MAX_WAITING_MESSAGES: Final = 32
MAX_WAITING_BYTES: Final = 1 << 20
"""Reading pauses when so much waits behind a handler's coroutine; one chunk of the transport's may come on top."""

MESSAGES_A_TURN: Final = 256
"""A chunk can hold tens of thousands of tiny messages: after so many it is the other connections' turn."""

# What a connection does with its input. OPEN: everything. CLOSING: our close frame is out, only the peer's is waited
# for. ENDED: how it ended is known; what still arrives is thrown away until the peer hangs up.
CONNECTING: Final = 0
OPEN: Final = 1
CLOSING: Final = 2
ENDED: Final = 3


class WireHandler(WebSocketHandler):
    """A ``WebSocketHandler`` on Ringback's frame layer; every callback and method of Tornado's keeps its meaning.

    What is different: nothing that a callback raises aborts the connection (1011 is sent); sending after a close has
    begun is no error; messages that arrive after ``close()`` are not handled; ``on_close`` comes once for every
    ``open`` that has run, after the last message. Handlers that want speed override ``on_text`` instead of
    ``on_message`` and send by ``wire``. Tornado's ``websocket_ping_interval`` has no effect: the heartbeat is not the
    frame layer's.
    """

    close_timeout_s: float = 5.0
    """How long the peer may take for its half of the close; then the connection is cut."""

    wire: WireProtocol

    @property
    def max_buffered_bytes(self) -> int | None:
        """How much may wait because the client does not read, in bytes; None: without a bound.

        What would go beyond it is not sent. 1 MiB, more only for handlers with a ``max_message_size`` over 256 KiB.
        """
        return max(MIN_BUFFERED_BYTES, BUFFERED_MESSAGES * self.max_message_size)

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        if self.request.headers.get("Sec-WebSocket-Version") != "13":
            return None  # Tornado answers 426
        self.wire = WireProtocol(self)
        return self.wire

    def on_text(self, data: bytes) -> Awaitable[None] | None:
        """A text message, as valid UTF-8. What it returns is awaited before the next message is handled."""
        return self.on_message(data.decode())

    def on_binary(self, data: bytes) -> Awaitable[None] | None:
        """A binary message."""
        return self.on_message(data)

    def on_violation(self, code: int, reason: str) -> None:
        """The peer broke the protocol. A last frame can be sent; what is not closed then is closed with ``code``."""

    def on_slow_consumer(self) -> None:
        """More than ``max_buffered_bytes`` wait. Called once; what is not closed then is closed with 1008."""

    def on_blocked(self) -> None:
        """More waits than a burst because the client does not read; see ``WireProtocol.blocked_since``.

        Called inside of a send, perhaps one to a whole room: to take note of it, not to act on it.
        """

    def on_handler_error(self, error: BaseException) -> None:
        """A callback raised ``error``. What is not closed then is closed with 1011."""
        self.log_exception(type(error), error, error.__traceback__)

    def write_message(self, message: bytes | str | dict[str, Any], binary: bool = False) -> Future[None]:
        """Sends a message; the Future is done when the client has read so far that more may be sent."""
        if self.ws_connection is None:
            raise WebSocketClosedError("the connection is not open yet")
        return self.wire.write_message(message, binary)

    def ping(self, data: str | bytes = b"") -> None:
        if self.ws_connection is None:
            raise WebSocketClosedError("the connection is not open yet")
        self.wire.ping(utf8(data))

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        if self.ws_connection is not None:
            self.wire.close(code, reason)

    def forget_request_headers(self) -> None:
        """Lets go of the request's headers, a third of an idle connection's memory, when nobody will ask for them."""
        self.request.headers = HTTPHeaders()

    def on_connection_close(self) -> None:
        """The client left before the upgrade: ``open`` has not run, so ``on_close`` does not."""


class _Backlog:
    """What arrives while a callback's coroutine runs: the messages wait, in order."""

    __slots__ = ("bytes", "events", "paused", "task")

    def __init__(self) -> None:
        self.events: deque[Event] = deque()
        self.bytes = 0
        self.paused = False
        self.task: asyncio.Task[None] | None = None


class WireProtocol(WebSocketProtocol, asyncio.Protocol):
    """One WebSocket connection: Tornado's protocol object above, asyncio's below.

    Times are seconds of the loop's clock. How it ended (``initiator``, ``code_sent``, ``code_received``,
    ``reason_received``, ``clean``: both close frames seen) is settled before ``on_close`` runs; a code is None where a
    close frame had none or there was no close frame.
    """

    __slots__ = (
        "_backlog",
        "_blocked_bytes",
        "_blocked_since",
        "_deadline",
        "_drain_waiters",
        "_early",
        "_loop",
        "_max_buffered_bytes",
        "_parser",
        "_pongs",
        "_state",
        "_subprotocol",
        "_transport",
        "bytes_received",
        "bytes_sent",
        "clean",
        "client_terminated",
        "code_received",
        "code_sent",
        "dropped_after_close",
        "frames_sent",
        "handler",
        "initiator",
        "last_received",
        "reason_received",
        "server_terminated",
        "stream",
    )

    handler: WireHandler
    _transport: asyncio.Transport

    def __init__(self, handler: WireHandler) -> None:
        super().__init__(handler)
        self._loop = asyncio.get_running_loop()
        self._state = CONNECTING
        self._parser = FrameParser(handler.max_message_size)
        self._max_buffered_bytes = handler.max_buffered_bytes
        self._subprotocol: str | None = None
        self._early = b""  # frames that came in one packet with the request
        self._pongs: list[bytes] | None = None  # payloads of pings that are not answered yet
        self._backlog: _Backlog | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._drain_waiters: list[Future[None]] | None = None
        self._blocked_since: float | None = None
        self._blocked_bytes = 0
        self.last_received = self._loop.time()
        self.frames_sent = 0
        self.bytes_received = 0
        self.bytes_sent = 0
        self.dropped_after_close = 0
        self.initiator: Initiator | None = None
        self.code_sent: int | None = None
        self.code_received: int | None = None
        self.reason_received = ""
        self.clean = False

    # The upgrade

    async def accept_connection(self, handler: WebSocketHandler) -> None:
        """Answers the upgrade and takes the socket over from Tornado; 400 where the request is no valid upgrade."""
        request = handler.request
        key = request.headers.get("Sec-WebSocket-Key", "")
        if not _is_valid_key(key) or request.version == "HTTP/1.0":
            handler.set_status(400)
            handler.finish("Missing/Invalid WebSocket headers")
            return
        stream = cast(HTTP1Connection, request.connection).stream
        if isinstance(stream, SSLIOStream):
            raise RuntimeError("a TLS socket cannot be handed over: let the reverse proxy in front end TLS")
        self._answer(handler, key)
        if stream.writing():
            with contextlib.suppress(StreamClosedError):
                await stream.write(b"")  # done when the 101 is out
        if stream.closed():
            return
        handler._detach_stream()
        # What was for the HTTP answer only is let go of: 4 KiB that would stay as long as the connection.
        request.connection = request.server_connection = None
        handler._headers = HTTPHeaders()
        sock, self._early = _take_socket(stream)
        try:
            await self._loop.connect_accepted_socket(lambda: self, sock)
        except BaseException:
            sock.close()
            raise

    def _answer(self, handler: WebSocketHandler, key: str) -> None:
        header = handler.request.headers.get("Sec-WebSocket-Protocol", "")
        offered = [name.strip() for name in header.split(",")] if header else []
        self._subprotocol = handler.select_subprotocol(offered)
        if self._subprotocol:
            if self._subprotocol not in offered:
                raise ValueError(f"select_subprotocol: the client did not offer {self._subprotocol!r}")
            handler.set_header("Sec-WebSocket-Protocol", self._subprotocol)
        handler.clear_header("Content-Type")
        handler.set_status(101)
        handler.set_header("Upgrade", "websocket")
        handler.set_header("Connection", "Upgrade")
        handler.set_header("Sec-WebSocket-Accept", WebSocketProtocol13.compute_accept_value(key))
        handler.finish()

    @property
    def selected_subprotocol(self) -> str | None:
        return self._subprotocol

    # Sending

    def send_text(self, data: bytes) -> None:
        """Sends UTF-8 ``data`` as one text frame; like every sending dropped and counted after a close has begun."""
        self.send_frame(encode_text(data))

    def send_frame(self, frame: bytes) -> None:
        """Sends a frame as it is: one built once for a whole room."""
        if self._state != OPEN or self._transport.is_closing():
            self.dropped_after_close += 1
        elif self._blocked_since is None or not self._overflows(len(frame)):
            self._write(frame)

    def _write(self, data: bytes, frames: int = 1) -> None:
        self.frames_sent += frames
        self.bytes_sent += len(data)
        self._transport.write(data)

    def ping(self, data: bytes = b"") -> None:
        """Sends a ping. Raises ValueError for more than 125 bytes."""
        self.send_frame(encode_frame(PING, data))

    def write_ping(self, data: bytes) -> None:
        """Tornado's name for :meth:`ping`."""
        self.ping(data)

    def write_message(self, message: str | bytes | dict[str, Any], binary: bool = False) -> Future[None]:
        """Tornado's way to send; the Future is for flow control, and done at once while nothing is held up."""
        if isinstance(message, dict):
            message = json_encode(message)
        self.send_frame(encode_frame(BINARY if binary else TEXT, utf8(message)))
        done: Future[None] = self._loop.create_future()
        if self._blocked_since is None or self._state == ENDED:
            done.set_result(None)
        elif self._drain_waiters is None:
            self._drain_waiters = [done]
        else:
            self._drain_waiters.append(done)
        return done

    @property
    def buffered_bytes(self) -> int:
        """Bytes that wait in the transport because the peer does not read."""
        return 0 if self._state == CONNECTING else self._transport.get_write_buffer_size()

    @property
    def blocked_since(self) -> float | None:
        """Since when the oldest waiting byte has waited, at least; None while no more than a burst waits.

        It is as exact as it is asked often: what was written between two looks counts from the later one.
        """
        if self._blocked_since is not None and self.bytes_sent - self.buffered_bytes >= self._blocked_bytes:
            self._mark_blocked()  # all that waited then is gone; what waits now is younger
        return self._blocked_since

    def _mark_blocked(self) -> None:
        self._blocked_since = self._loop.time()
        self._blocked_bytes = self.bytes_sent

    def pause_writing(self) -> None:
        self._mark_blocked()
        self._call(self.handler.on_blocked)

    def resume_writing(self) -> None:
        self._blocked_since = None
        self._release_drain_waiters()
        if self._pongs:
            self._answer_pings()

    def _release_drain_waiters(self) -> None:
        waiters, self._drain_waiters = self._drain_waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def _overflows(self, size: int) -> bool:
        if self._max_buffered_bytes is None or self.buffered_bytes + size <= self._max_buffered_bytes:
            return False
        # Not at once: the sender may be in the middle of a room that the handler is about to leave.
        self._loop.call_soon(self._report_overflow)
        self.dropped_after_close += 1
        return True

    def _report_overflow(self) -> None:
        if self._state == OPEN:  # it closes, so that this is done once
            self._max_buffered_bytes = None  # what the handler says now still goes out
            self._call(self.handler.on_slow_consumer)
            self.close(POLICY_VIOLATION, "too slow a reader")

    # Receiving

    @property
    def frames_received(self) -> int:
        """Frames of every kind, each fragment counted."""
        return self._parser.frames_received

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._state = OPEN
        handler = self.handler
        running: Awaitable[None] | None = self._call(handler.open, *handler.open_args, **handler.open_kwargs)
        if running is not None:
            self._wait_for(running)
        if self._early:
            early, self._early = self._early, b""
            self.data_received(early)

    def data_received(self, data: bytes) -> None:
        self.last_received = self._loop.time()
        if self._state == ENDED:
            return
        self.bytes_received += len(data)
        events = self._parser.feed(data)
        if len(events) > MESSAGES_A_TURN and self._backlog is None:
            self._wait_for(asyncio.sleep(0))
        for opcode, payload in events:
            if opcode == PING:
                self._take_ping(payload)
                continue
            if self._pongs:
                self._answer_pings()
            if opcode <= BINARY:
                self._take_message(opcode, payload)
            elif opcode == PONG:
                self._take_pong(payload)
            else:
                self._take_close(payload)
        if self._pongs:
            self._answer_pings()
        if self._parser.failure is not None:
            self._take_failure(self._parser.failure)

    def _take_message(self, opcode: int, payload: bytes) -> None:
        if self._state != OPEN:
            return
        if self._backlog is not None:
            self._put_back(self._backlog, opcode, payload)
            return
        running = self._handle(opcode, payload)
        if running is not None:
            self._wait_for(running)

    def _handle(self, opcode: int, payload: bytes) -> Awaitable[None] | None:
        try:
            return self.handler.on_text(payload) if opcode == TEXT else self.handler.on_binary(payload)
        except (Exception, asyncio.CancelledError) as error:
            self._take_error(error)
            return None

    def _take_ping(self, payload: bytes) -> None:
        if self._state != OPEN:
            return
        if self._pongs is None or self._blocked_since is not None:
            self._pongs = [payload]  # a peer that does not read gets the latest one only (RFC 6455 §5.5.3)
        else:
            self._pongs.append(payload)
        self._call(self.handler.on_ping, payload)

    def _answer_pings(self) -> None:
        """Answers the pings in a row with one write, so that a flood of them costs no system call each."""
        if self._blocked_since is None and self._pongs is not None:
            pongs, self._pongs = self._pongs, None
            if not self.is_closing():
                self._write(b"".join([encode_frame(PONG, payload) for payload in pongs]), len(pongs))

    def _take_pong(self, payload: bytes) -> None:
        if self._state == OPEN:
            self._call(self.handler.on_pong, payload)

    # Callbacks: nothing that they raise gets past here

    def _call(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except (Exception, asyncio.CancelledError) as error:
            self._take_error(error)

    def _take_error(self, error: BaseException) -> None:
        try:
            self.handler.on_handler_error(error)
        except Exception:
            app_log.exception("on_handler_error failed")
        self.close(INTERNAL_ERROR, "internal error")

    def _wait_for(self, running: Awaitable[None]) -> None:
        self._backlog = backlog = _Backlog()
        backlog.task = self._loop.create_task(self._work(backlog, running))

    async def _work(self, backlog: _Backlog, running: Awaitable[None] | None) -> None:
        """Awaits a callback's coroutine, then handles what has arrived meanwhile."""
        try:
            while running is not None:
                await self._finish(running)
                running = self._handle_waiting(backlog)
        except asyncio.CancelledError:  # not the callback but this task was cancelled: the process is ending
            self.abort()
            raise
        finally:
            self._backlog = None
            if self._state == ENDED:
                self._report_close()

    async def _finish(self, running: Awaitable[None]) -> None:
        try:
            await running
        except Exception as error:
            self._take_error(error)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self._take_error(error)

    def _put_back(self, backlog: _Backlog, opcode: int, payload: bytes) -> None:
        backlog.events.append((opcode, payload))
        backlog.bytes += len(payload)
        if len(backlog.events) >= MAX_WAITING_MESSAGES or backlog.bytes >= MAX_WAITING_BYTES:
            backlog.paused = True
            self._transport.pause_reading()

    def _handle_waiting(self, backlog: _Backlog) -> Awaitable[None] | None:
        """Handles the waiting messages up to one that has to be awaited; returns what is to be awaited next."""
        for _ in range(MESSAGES_A_TURN):
            if not backlog.events:
                return None
            opcode, payload = backlog.events.popleft()
            backlog.bytes -= len(payload)
            if backlog.paused and not backlog.events:
                self._resume_reading(backlog)
            running = self._handle(opcode, payload)
            if running is not None:
                return running
        return asyncio.sleep(0)

    def _resume_reading(self, backlog: _Backlog) -> None:
        backlog.paused = False
        self._transport.resume_reading()

    # Closing

    def is_closing(self) -> bool:
        """Whether a close has begun, from either side, or the connection is lost."""
        return self._state != OPEN or self._transport.is_closing()

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Sends a close frame (once) and waits ``close_timeout_s`` for the peer's; a reason is cut to 123 bytes.

        Messages that have arrived but were not handled yet are dropped. Raises ValueError for a code that must not be
        sent.
        """
        if code is None and reason is not None:
            code = 1000
        frame = encode_close(code, reason or "")
        if not self.is_closing():
            self._send_close(frame, code, "server")
            backlog = self._backlog
            if backlog is not None:
                backlog.events.clear()
                self._resume_reading(backlog)

    def abort(self) -> None:
        """Cuts the connection, without a close frame if none has been sent."""
        if self._state == OPEN:
            self._state = CLOSING
            self.initiator = "server"
        if self._state != CONNECTING:
            self._transport.abort()

    def _send_close(self, frame: bytes, code: int | None, initiator: Initiator) -> None:
        self._write(frame)
        self._state = CLOSING
        self.code_sent = code
        self.initiator = initiator
        self._deadline = self._loop.call_later(self.handler.close_timeout_s, self._transport.abort)

    def _take_close(self, body: bytes) -> None:
        if self._transport.is_closing():
            return  # we have cut it: there is no close frame of ours
        self.code_received, self.reason_received = decode_close(body)
        if self._state == OPEN:
            self._send_close(encode_close(self.code_received), self.code_received, "client")
        self.clean = True
        self._hang_up()

    def _take_failure(self, failure: ProtocolFailure) -> None:
        if self._state == OPEN:
            self._call(self.handler.on_violation, failure.code, failure.reason)
            self.close(failure.code, failure.reason)
        self._hang_up()

    def _hang_up(self) -> None:
        """Half-closes and reads on: a socket closed over unread bytes sends a RST that can overtake the close frame."""
        try:
            if not self._transport.is_closing():
                self._transport.write_eof()
        except OSError:  # the peer is gone; asyncio's transport says so, uvloop's does not
            self._transport.abort()
        self._settle()

    def eof_received(self) -> None:
        """The peer sends no more; the transport closes when what waits is written, at the latest at the deadline."""
        if self._deadline is None:
            self._deadline = self._loop.call_later(self.handler.close_timeout_s, self._transport.abort)
        self._settle()

    def connection_lost(self, error: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._settle()
        self._release_drain_waiters()

    def _settle(self) -> None:
        """How it ended is known: ``on_close`` follows, after what had arrived before."""
        if self._state != ENDED:
            self._state = ENDED
            self.initiator = self.initiator or "network"
            if self._backlog is None:
                self._report_close()
            elif self._backlog.paused:
                self._resume_reading(self._backlog)

    def _report_close(self) -> None:
        handler = self.handler
        handler.close_code = self.code_received
        handler.close_reason = self.reason_received or None
        handler._on_close_called = True
        self._call(handler.on_close)
        handler._break_cycles()

    # The rest of what Tornado asks of a protocol

    def set_nodelay(self, x: bool) -> None:
        """Does nothing: the transports of asyncio and uvloop have set TCP_NODELAY, and it stays."""

    def start_pinging(self) -> None:
        raise NotImplementedError("the frame layer has no heartbeat")

    async def _receive_frame_loop(self) -> None:
        raise NotImplementedError("frames arrive by data_received")

    def _process_server_headers(self, key: str | bytes, headers: HTTPHeaders) -> None:
        raise NotImplementedError("this is the server's side only")


def _is_valid_key(key: str) -> bool:
    """Whether ``key`` is 16 bytes in base64 (RFC 6455 §4.1)."""
    try:
        return len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except ValueError:
        return False


def _take_socket(stream: IOStream) -> tuple[socket.socket, bytes]:
    """The stream's socket, with what the stream has read ahead of the handler; the stream is left closed."""
    early = bytes(stream._read_buffer)  # Tornado has no public way to it
    theirs = stream.socket
    stream.io_loop.remove_handler(theirs)
    sock = socket.socket(theirs.family, theirs.type, theirs.proto, fileno=theirs.detach())
    stream.close()  # its socket object is empty by now
    return sock, early
