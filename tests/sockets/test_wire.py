"""The frame layer on real sockets, on uvloop and on asyncio: what really arrives on the wire, and what handlers see.

Every test ends with the checks of :func:`serve`: ``on_close`` came once for each connection that was opened, no task
and no socket is left, nothing was logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import logging
import os
import socket
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvloop
import websockets
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets, bind_unix_socket
from tornado.testing import AsyncHTTPSTestCase, AsyncHTTPTestCase, gen_test
from tornado.web import Application
from tornado.websocket import WebSocketClosedError, websocket_connect

from handlers.sockets.wire import MAX_WAITING_MESSAGES, MESSAGES_A_TURN, MIN_BUFFERED_BYTES, WireHandler
from server.realtime.framing import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, encode_text
from tests.sockets.raw import KEY, RawClient, masked, upgrade_request

LOOPS = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}

TEST_LIMIT_S = 30
"""A test that hangs fails on a slow machine, too, in this time."""

MIB = 1 << 20

KOSME = "κόσμε".encode()


def on_both_loops(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Runs an ``async def`` test once on uvloop and once on asyncio."""

    def run(loop_factory: Callable[[], asyncio.AbstractEventLoop], **arguments: Any) -> None:
        async def limited() -> None:
            async with asyncio.timeout(TEST_LIMIT_S):
                await test(**arguments)

        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(limited())

    parameter = inspect.Parameter("loop_factory", inspect.Parameter.KEYWORD_ONLY)
    signature = inspect.signature(test)
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*signature.parameters.values(), parameter]
    )
    run.__name__ = test.__name__
    run.__dict__.update(test.__dict__)
    parametrized: Callable[..., None] = pytest.mark.parametrize("loop_factory", LOOPS.values(), ids=LOOPS.keys())(run)
    return parametrized


class Echo(WireHandler):
    """Sends every message back, and tells the test what happens to it."""

    close_timeout_s = 2.0

    def initialize(self, server: Server) -> None:
        self.server = server

    def open(self) -> Awaitable[None] | None:
        self.server.opened.append(self)
        return None

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        self.write_message(message, isinstance(message, bytes))
        return None

    def on_handler_error(self, error: BaseException) -> None:
        self.server.errors.append(error)

    def on_close(self) -> None:
        self.server.on_close_calls[self] += 1
        self.server.closed.put_nowait(self)


class Server:
    """A running server and what its handlers did."""

    def __init__(self) -> None:
        self.port = 0
        self.opened: list[Echo] = []
        self.closed: asyncio.Queue[Echo] = asyncio.Queue()
        self.on_close_calls: Counter[Echo] = Counter()
        self.errors: list[BaseException] = []

    async def connect(self, **options: Any) -> RawClient:
        return await RawClient.connect(self.port, **options)

    async def handler(self) -> Echo:
        """The only connection's handler, as soon as there is one."""
        await until(lambda: bool(self.opened))
        return self.opened[0]


class LogLines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != "tornado.access":  # it warns of every 4xx
            self.lines.append(record.getMessage())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def open_sockets() -> int:
    """How many sockets this process has open; the loop opens other files as it likes."""
    count = 0
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the one of this listing is gone by now
            count += os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")
    return count


@contextlib.asynccontextmanager
async def serve(handler: type[WireHandler] = Echo, *, logs: bool = False, **settings: Any) -> AsyncIterator[Server]:
    """A server with ``handler`` at ``/``; see the module for what is checked in the end. ``logs``: it may log."""
    server, log = Server(), LogLines()
    sockets, tasks = open_sockets(), asyncio.all_tasks()
    http = HTTPServer(Application([("/", handler, {"server": server})], **settings))
    http.add_sockets(listeners := bind_sockets(0, "127.0.0.1"))
    server.port = listeners[0].getsockname()[1]
    logging.getLogger().addHandler(log)
    try:
        yield server
        for opened in server.opened:
            opened.wire.abort()
        await until(lambda: len(server.on_close_calls) == len(server.opened))
        http.stop()
        await http.close_all_connections()
        await until(lambda: open_sockets() <= sockets and asyncio.all_tasks() <= tasks)
    finally:
        http.stop()
        logging.getLogger().removeHandler(log)
    assert set(server.on_close_calls.values()) <= {1}
    assert logs or log.lines == []


def outcome(handler: WireHandler) -> tuple[str | None, int | None, int | None, bool]:
    wire = handler.wire
    return wire.initiator, wire.code_sent, wire.code_received, wire.clean


def close_frame(code: int, reason: bytes = b"") -> bytes:
    return masked(CLOSE, code.to_bytes(2, "big") + reason)


# The upgrade


@on_both_loops
async def test_the_upgrade_is_answered_as_rfc_6455_shows() -> None:
    async with serve() as server, await server.connect() as client:
        assert "Sec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in client.answer


@on_both_loops
async def test_frames_that_come_with_the_request_are_not_lost() -> None:
    async with serve() as server, await server.connect(early=masked(TEXT, b"early") + masked(TEXT, b"bird")) as client:
        assert await client.read_frame() == (TEXT, b"early")
        assert await client.read_frame() == (TEXT, b"bird")


@on_both_loops
async def test_a_frame_may_begin_in_the_packet_of_the_request() -> None:
    frame = masked(TEXT, b"early")
    async with serve() as server, await server.connect(early=frame[:4]) as client:
        await client.send(frame[4:])
        assert await client.read_frame() == (TEXT, b"early")


@pytest.mark.parametrize("version", ["8", "0", "14", "13, 8", None])
@on_both_loops
async def test_another_version_of_the_protocol_is_answered_with_426(version: str | None) -> None:
    async with serve() as server, await RawClient.dial(server.port) as client:
        await client.request(upgrade_request(headers={"Sec-WebSocket-Version": version}))
        assert (client.status, "Sec-Websocket-Version: 13" in client.answer) == (426, True)


@pytest.mark.parametrize("key", [None, "", "short", "AAAAAAAAAAAAAAAAAAAAAA", "!" * 24, KEY + KEY, f"{KEY}, {KEY}"])
@on_both_loops
async def test_a_missing_or_wrong_key_is_answered_with_400(key: str | None) -> None:
    async with serve() as server, await RawClient.dial(server.port) as client:
        await client.request(upgrade_request(headers={"Sec-WebSocket-Key": key}))
        assert client.status == 400


@pytest.mark.parametrize("header", ["Upgrade", "Connection"])
@on_both_loops
async def test_a_request_that_does_not_ask_for_an_upgrade_is_answered_with_400(header: str) -> None:
    async with serve() as server, await RawClient.dial(server.port) as client:
        await client.request(upgrade_request(headers={header: "something"}))
        assert client.status == 400


@on_both_loops
async def test_an_upgrade_by_http_1_0_is_answered_with_400() -> None:
    async with serve() as server, await RawClient.dial(server.port) as client:
        await client.request(upgrade_request(version="HTTP/1.0"))
        assert client.status == 400


@on_both_loops
async def test_no_extension_is_negotiated() -> None:
    class Compressing(Echo):
        def get_compression_options(self) -> dict[str, Any]:
            return {}

    async with serve(Compressing) as server, await RawClient.dial(server.port) as client:
        await client.request(upgrade_request(headers={"Sec-WebSocket-Extensions": "permessage-deflate"}))
        assert (client.status, "extensions" in client.answer.lower()) == (101, False)


@on_both_loops
async def test_a_subprotocol_is_negotiated_as_with_tornado() -> None:
    class Chatting(Echo):
        def select_subprotocol(self, subprotocols: list[str]) -> str | None:
            return subprotocols[-1]

    async with serve(Chatting) as server, await RawClient.dial(server.port) as client:
        await client.request(upgrade_request(headers={"Sec-WebSocket-Protocol": "soup, chat"}))
        assert "Sec-Websocket-Protocol: chat" in client.answer
        assert (await server.handler()).selected_subprotocol == "chat"


@on_both_loops
async def test_a_subprotocol_that_was_not_offered_is_an_error_of_ours(expect_error: Callable[[str], None]) -> None:
    class Wrong(Echo):
        def select_subprotocol(self, subprotocols: list[str]) -> str | None:
            return "chat"

    expect_error("Uncaught exception")
    expect_error("500 GET /")
    async with serve(Wrong, logs=True) as server, await RawClient.dial(server.port) as client:
        await client.request(upgrade_request(headers={"Sec-WebSocket-Protocol": "soup"}))
        assert client.status == 500


@on_both_loops
async def test_a_client_that_leaves_before_the_upgrade_opens_nothing() -> None:
    ready = asyncio.Event()

    class Slow(Echo):
        async def prepare(self) -> None:
            await ready.wait()

    async with serve(Slow) as server:
        client = await RawClient.dial(server.port)
        await client.send(upgrade_request())
        await asyncio.sleep(0.01)
        client.reset()
        await asyncio.sleep(0.01)
        ready.set()
    assert server.opened == []


class Wordy(Echo):
    """Answers the upgrade with more than the sockets hold."""

    def prepare(self) -> None:
        stream = self.request.connection.stream  # type: ignore[union-attr]
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        self.set_header("Words", "*" * 60_000)


@on_both_loops
async def test_the_socket_is_taken_over_when_the_whole_answer_is_out() -> None:
    async with serve(Wordy) as server, await RawClient.dial(server.port, receive_buffer_bytes=1) as client:
        await client.request(upgrade_request() + masked(TEXT, b"early"))
        assert "*" * 60_000 in client.answer
        assert await client.read_frame() == (TEXT, b"early")


@on_both_loops
async def test_a_client_that_leaves_in_the_middle_of_the_answer_opens_nothing() -> None:
    async with serve(Wordy) as server:
        client = await RawClient.dial(server.port, receive_buffer_bytes=1)
        client.stop_reading()
        await client.send(upgrade_request())
        await asyncio.sleep(0.01)
        client.reset()
    assert server.opened == []


@on_both_loops
async def test_small_frames_are_not_held_back_by_nagle() -> None:
    async with serve() as server, await server.connect():
        handler = await server.handler()
        handler.set_nodelay(False)  # it stays
        sock = handler.wire._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@on_both_loops
async def test_a_unix_socket_works_too() -> None:
    server = Server()
    with tempfile.TemporaryDirectory() as directory:
        http = HTTPServer(Application([("/", Echo, {"server": server})]))
        http.add_socket(bind_unix_socket(f"{directory}/ringback"))
        async with websockets.unix_connect(f"{directory}/ringback", "ws://localhost/") as client:
            await client.send("hello")
            assert await client.recv() == "hello"
        await server.closed.get()
        http.stop()


@on_both_loops
async def test_what_only_http_knows_is_refused_after_the_upgrade() -> None:
    async with serve() as server, await server.connect():
        handler = await server.handler()
        for method in (handler.finish, handler.flush, lambda: handler.set_header("Name", "value")):
            with pytest.raises(RuntimeError):
                method()


@on_both_loops
async def test_the_request_stays_until_it_is_let_go_of() -> None:
    async with serve() as server, await server.connect():
        handler = await server.handler()
        assert handler.request.headers["Host"] == "127.0.0.1"
        handler.forget_request_headers()
        assert list(handler.request.headers) == []


# What is received


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 128, 65535, 65536, MIB])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@on_both_loops
async def test_a_message_of_any_length_comes_back(opcode: int, length: int) -> None:
    async with serve() as server, await server.connect() as client:
        await client.send(masked(opcode, b"*" * length))
        assert await client.read_frame() == (opcode, b"*" * length)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@on_both_loops
async def test_a_message_of_16_mib_comes_back(opcode: int) -> None:  # Autobahn 9
    async with serve(websocket_max_message_size=16 * MIB) as server, await server.connect() as client:
        await client.send(masked(opcode, b"*" * 16 * MIB))
        assert await client.read_frame() == (opcode, b"*" * 16 * MIB)


@on_both_loops
async def test_a_long_message_in_small_fragments_comes_back() -> None:
    fragment = masked(CONTINUATION, b"*" * 64, fin=False)
    async with serve() as server, await server.connect() as client:
        await client.send(masked(BINARY, fin=False) + fragment * (4 * MIB // 64) + masked(CONTINUATION))
        assert await client.read_frame() == (BINARY, b"*" * 4 * MIB)


@on_both_loops
async def test_a_message_that_arrives_byte_by_byte_comes_back() -> None:
    async with serve() as server, await server.connect() as client:
        await client.send_slowly(masked(TEXT, KOSME * 30))
        assert await client.read_frame() == (TEXT, KOSME * 30)


@on_both_loops
async def test_many_messages_in_one_packet_come_back_in_order() -> None:
    texts = [b"%d" % number for number in range(MESSAGES_A_TURN * 3)]
    async with serve() as server, await server.connect() as client:
        await client.send(b"".join(masked(TEXT, text) for text in texts))
        assert [(await client.read_frame()).payload for _ in texts] == texts


@on_both_loops
async def test_many_messages_in_one_packet_leave_the_loop_its_turns() -> None:
    turns = 0

    def take_turns() -> None:
        nonlocal turns
        turns += 1
        asyncio.get_running_loop().call_soon(take_turns)

    class First(Echo):
        def on_message(self, message: str | bytes) -> None:
            if message == "first":
                take_turns()
            if message == "last":
                self.write_message(str(turns))

    sent = masked(TEXT, b"first") + masked(TEXT, b"") * 20 * MESSAGES_A_TURN + masked(TEXT, b"last")
    async with serve(First) as server, await server.connect() as client:
        await client.send(sent)
        assert int((await client.read_frame()).payload) >= 20


@on_both_loops
async def test_control_frames_between_fragments_are_answered_before_the_message() -> None:  # Autobahn 5.19
    sent = [masked(TEXT, b"a", fin=False), masked(PING, b"1"), masked(CONTINUATION, b"b", fin=False)]
    async with serve() as server, await server.connect() as client:
        await client.send(b"".join([*sent, masked(PING, b"2"), masked(PONG, b"?"), masked(CONTINUATION, b"c")]))
        assert [await client.read_frame() for _ in range(3)] == [(PONG, b"1"), (PONG, b"2"), (TEXT, b"abc")]


@pytest.mark.parametrize("payload", [b"", b"hello", b"\x00\xff\xfe" * 41, b"\xfe" * 125])
@on_both_loops
async def test_a_ping_is_answered_with_its_payload(payload: bytes) -> None:
    async with serve() as server, await server.connect() as client:
        await client.send(masked(PING, payload))
        assert await client.read_frame() == (PONG, payload)


@pytest.mark.parametrize("slowly", [False, True])
@on_both_loops
async def test_a_row_of_pings_is_answered_in_order(slowly: bool) -> None:  # Autobahn 2.10 and 2.11
    payloads = [b"%d" % number for number in range(10)]
    async with serve() as server, await server.connect() as client:
        pings = b"".join(masked(PING, payload) for payload in payloads)
        await (client.send_slowly(pings) if slowly else client.send(pings))
        assert [await client.read_frame() for _ in payloads] == [(PONG, payload) for payload in payloads]


@on_both_loops
async def test_pings_and_messages_are_answered_in_the_order_they_came() -> None:
    async with serve() as server, await server.connect() as client:
        await client.send(masked(PING, b"1") + masked(TEXT, b"2") + masked(PING, b"3") + close_frame(1000))
        assert [await client.read_frame() for _ in range(4)] == [
            (PONG, b"1"),
            (TEXT, b"2"),
            (PONG, b"3"),
            (CLOSE, b"\x03\xe8"),
        ]


@on_both_loops
async def test_a_flood_of_pings_from_a_peer_that_does_not_read_is_answered_once_it_reads() -> None:
    async with serve() as server, await server.connect(receive_buffer_bytes=4096) as client:
        handler = await server.handler()
        handler.wire.send_text(bytes(4 * MIB))  # fills what the sockets hold
        assert handler.wire.blocked_since is not None
        waiting = handler.wire.buffered_bytes
        await client.send(b"".join(masked(PING, b"%d" % number) for number in range(5000)))
        await until(lambda: handler.wire.frames_received == 5000)
        assert handler.wire.buffered_bytes <= waiting
        assert (await client.read_frame()).opcode == TEXT
        assert await client.read_frame() == (PONG, b"4999")


@on_both_loops
async def test_pings_and_pongs_reach_their_callbacks() -> None:
    heard: list[bytes] = []

    class Listening(Echo):
        def on_ping(self, data: bytes) -> None:
            heard.append(b"ping " + data)

        def on_pong(self, data: bytes) -> None:
            heard.append(b"pong " + data)

    async with serve(Listening) as server, await server.connect() as client:
        await client.send(masked(PING, b"1") + masked(PONG, b"2") + masked(TEXT, b"done"))
        assert [await client.read_frame() for _ in range(2)] == [(PONG, b"1"), (TEXT, b"done")]
    assert heard == [b"ping 1", b"pong 2"]


@on_both_loops
async def test_text_is_str_and_binary_is_bytes() -> None:
    seen: list[str | bytes] = []

    class Seeing(Echo):
        def on_message(self, message: str | bytes) -> None:
            seen.append(message)
            self.write_message("seen")

    async with serve(Seeing) as server, await server.connect() as client:
        await client.send(masked(TEXT, KOSME) + masked(BINARY, KOSME))
        assert [await client.read_frame() for _ in range(2)] == [(TEXT, b"seen")] * 2
    assert seen == ["κόσμε", KOSME]


@on_both_loops
async def test_the_fast_way_gets_and_sends_bytes() -> None:
    class Fast(Echo):
        def on_text(self, data: bytes) -> None:
            self.wire.send_text(data)

        def on_binary(self, data: bytes) -> None:
            self.wire.send_frame(encode_text(data.hex().encode()))

    async with serve(Fast) as server, await server.connect() as client:
        await client.send(masked(TEXT, KOSME) + masked(BINARY, b"\xff"))
        assert [await client.read_frame() for _ in range(2)] == [(TEXT, KOSME), (TEXT, b"ff")]


@on_both_loops
async def test_any_byte_is_a_sign_of_life() -> None:
    async with serve() as server, await server.connect() as client:
        wire = (await server.handler()).wire
        before = wire.last_received
        await asyncio.sleep(0.01)
        await client.send(masked(TEXT, b"not yet whole")[:3])
        await until(lambda: wire.bytes_received == 3)
        assert before < wire.last_received <= asyncio.get_running_loop().time()


@on_both_loops
async def test_frames_and_bytes_are_counted() -> None:
    async with serve() as server, await server.connect() as client:
        sent = masked(TEXT, b"ab", fin=False) + masked(PING) + masked(CONTINUATION, b"cd")
        await client.send(sent)
        assert [await client.read_frame() for _ in range(2)] == [(PONG, b""), (TEXT, b"abcd")]
        wire = (await server.handler()).wire
        assert (wire.frames_received, wire.bytes_received, wire.frames_sent, wire.bytes_sent) == (3, len(sent), 2, 8)


# What is refused

WRONG: dict[str, tuple[bytes, int]] = {
    **{f"reserved bits {bits:#x}": (masked(TEXT, b"*", reserved=bits), 1002) for bits in range(0x10, 0x80, 0x10)},
    **{f"reserved bits {bits:#x} in a ping": (masked(PING, reserved=bits), 1002) for bits in (0x10, 0x20, 0x40)},
    "reserved bits in a close": (masked(CLOSE, b"\x03\xe8", reserved=0x70), 1002),
    **{f"opcode {opcode}": (masked(opcode), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    **{f"opcode {opcode} with a payload": (masked(opcode, b"*"), 1002) for opcode in (3, 7, 11, 15)},
    **{f"unmasked {opcode}": (masked(opcode, mask=None), 1002) for opcode in (TEXT, BINARY, CLOSE, PING, PONG)},
    "unmasked continuation": (masked(TEXT, fin=False) + masked(CONTINUATION, mask=None), 1002),
    **{f"fragmented {opcode}": (masked(opcode, fin=False), 1002) for opcode in (CLOSE, PING, PONG)},
    "fragmented ping and its continuation": (masked(PING, b"a", fin=False) + masked(CONTINUATION, b"b"), 1002),
    **{f"long {opcode}": (masked(opcode, bytes(126)), 1002) for opcode in (CLOSE, PING, PONG)},
    "very long ping": (masked(PING, bytes(65536)), 1002),
    "continuation of nothing": (masked(CONTINUATION), 1002),
    "unfinished continuation of nothing": (masked(CONTINUATION, fin=False), 1002),
    "text inside a fragmented text": (masked(TEXT, b"a", fin=False) + masked(TEXT, b"b"), 1002),
    "binary inside a fragmented text": (masked(TEXT, b"a", fin=False) + masked(BINARY, b"b", fin=False), 1002),
    "short length in 16 bits": (masked(TEXT, b"*", form=126), 1002),
    "short length in 64 bits": (masked(TEXT, b"*" * 300, form=127), 1002),
    "highest bit of the length": (b"\x82\xff\xff" + bytes(7), 1002),
    "declared length too big": (b"\x82\xff" + (1 << 40).to_bytes(8, "big"), 1009),
    "declared length one too big": (b"\x81\xff" + (MIB + 1).to_bytes(8, "big"), 1009),
    "whole message too big": (masked(TEXT, b"*" * (MIB + 1)), 1009),
    "fragments too big together": (masked(BINARY, bytes(MIB), fin=False) + masked(CONTINUATION, b"*"), 1009),
    "invalid UTF-8": (masked(TEXT, KOSME + b"\xed\xa0\x80"), 1007),
    "invalid UTF-8 in a fragment": (masked(TEXT, KOSME, fin=False) + masked(CONTINUATION, b"\xff", fin=False), 1007),
    "invalid UTF-8 in a part of a frame": (masked(TEXT, KOSME + b"\xf4\x90" + bytes(99))[: 6 + len(KOSME) + 2], 1007),
    "incomplete UTF-8": (masked(TEXT, KOSME[:-1]), 1007),
    "incomplete UTF-8 in the last fragment": (masked(TEXT, fin=False) + masked(CONTINUATION, KOSME[:-1]), 1007),
    "close body of one byte": (masked(CLOSE, b"\x03"), 1002),
    "close reason not UTF-8": (close_frame(1000, b"\xce\xba\xe1\xbd"), 1007),
    **{
        f"close code {code}": (close_frame(code), 1002)
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
}


@pytest.mark.parametrize(("sent", "code"), [pytest.param(*case, id=name) for name, case in WRONG.items()])
@on_both_loops
async def test_a_violation_is_told_its_code_and_harms_nobody_else(sent: bytes, code: int) -> None:
    async with serve(websocket_max_message_size=MIB) as server, await server.connect() as other:
        async with await server.connect() as client:
            await client.send(sent)
            assert (await client.read_close())[0] == code
            await client.read_end()
            assert outcome(await server.closed.get()) == ("server", code, None, False)
        await other.send(masked(TEXT, b"alive"))
        assert await other.read_frame() == (TEXT, b"alive")


@on_both_loops
async def test_what_came_before_a_violation_is_answered_and_what_comes_after_is_not() -> None:  # Autobahn 3.2 and 4.1.3
    async with serve() as server, await server.connect() as client:
        await client.send(masked(TEXT, b"good") + masked(PING, b"!") + masked(3) + masked(TEXT, b"bad") + masked(PING))
        assert [await client.read_frame() for _ in range(2)] == [(TEXT, b"good"), (PONG, b"!")]
        assert (await client.read_close())[0] == 1002
        await client.read_end()


@pytest.mark.parametrize("code", [1002, 1007, 1009])
@on_both_loops
async def test_a_close_frame_arrives_although_the_client_goes_on_sending(code: int) -> None:
    wrong = {1002: masked(3), 1007: masked(TEXT, b"\xff"), 1009: masked(BINARY, bytes(MIB + 1))}[code]
    async with serve(websocket_max_message_size=MIB) as server, await server.connect() as client:
        await client.send(wrong + bytes(8 * MIB))
        await asyncio.sleep(0.01)
        assert (await client.read_close())[0] == code
        await client.read_end()


@on_both_loops
async def test_a_client_that_does_not_hang_up_after_a_violation_is_cut_off() -> None:
    class Impatient(Echo):
        close_timeout_s = 0.05

    async with serve(Impatient) as server, await server.connect() as client:
        handler = await server.handler()
        await client.send(masked(3))
        await client.read_close()
        await until(handler.wire._transport.is_closing)


@on_both_loops
async def test_on_close_does_not_wait_for_a_wrong_client_to_hang_up() -> None:
    async with serve() as server, await server.connect() as client:
        await client.send(masked(3))
        handler = await server.closed.get()
        assert not handler.wire._transport.is_closing()


@on_both_loops
async def test_a_violation_can_be_explained_before_it_is_closed() -> None:
    class Explaining(Echo):
        def on_violation(self, code: int, reason: str) -> None:
            self.wire.send_text(b"bye %d" % code)
            self.wire.close(code, reason)
            self.wire.send_text(b"too late")

    async with serve(Explaining) as server, await server.connect() as client:
        await client.send(masked(TEXT, b"\xff"))
        assert await client.read_frame() == (TEXT, b"bye 1007")
        assert await client.read_close() == (1007, "text must be UTF-8")
        await client.read_end()


# Closing, begun by the client


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])
@on_both_loops
async def test_a_legal_close_code_is_echoed(code: int) -> None:
    async with serve() as server, await server.connect() as client:
        await client.send(close_frame(code, KOSME))
        assert await client.read_close() == (code, "")
        await client.read_end()
        handler = await server.closed.get()
        assert outcome(handler) == ("client", code, code, True)
        assert (handler.close_code, handler.close_reason, handler.wire.reason_received) == (code, "κόσμε", "κόσμε")


@on_both_loops
async def test_a_close_without_a_code_is_answered_without_one() -> None:
    async with serve() as server, await server.connect() as client:
        await client.send(masked(CLOSE))
        assert await client.read_close() == (None, "")
        handler = await server.closed.get()
        assert (outcome(handler), handler.close_code) == (("client", None, None, True), None)
        assert handler.close_reason is None


@on_both_loops
async def test_a_reason_of_123_bytes_is_accepted() -> None:
    async with serve() as server, await server.connect() as client:
        await client.send(close_frame(1000, b"*" * 123))
        assert await client.read_close() == (1000, "")
        assert (await server.closed.get()).close_reason == "*" * 123


@pytest.mark.parametrize("late", [masked(TEXT, b"late"), masked(PING), close_frame(1001), b"\xff\xff", bytes(MIB)])
@on_both_loops
async def test_what_follows_a_close_is_not_answered(late: bytes) -> None:  # Autobahn 7.1
    async with serve() as server, await server.connect() as client:
        await client.send(close_frame(1000) + late)
        assert await client.read_close() == (1000, "")
        await client.read_end()


@on_both_loops
async def test_a_close_in_the_middle_of_a_message_is_answered() -> None:
    async with serve() as server, await server.connect() as client:
        await client.send(masked(TEXT, b"unfinished", fin=False) + close_frame(1000))
        assert await client.read_close() == (1000, "")


@on_both_loops
async def test_a_client_that_hangs_up_without_a_close_is_a_matter_of_the_network() -> None:
    async with serve() as server, await server.connect() as client:
        await client.hang_up()
        assert outcome(await server.closed.get()) == ("network", None, None, False)


@on_both_loops
async def test_a_client_that_only_stops_sending_is_hung_up_on() -> None:
    async with serve() as server, await server.connect() as client:
        client.shut_down_writing()
        await client.read_end()
        assert outcome(await server.closed.get()) == ("network", None, None, False)


@on_both_loops
async def test_a_client_that_stops_sending_and_reading_is_cut_off_at_the_deadline() -> None:
    class Impatient(Echo):
        close_timeout_s = 0.05

    async with serve(Impatient) as server, await server.connect(receive_buffer_bytes=4096) as client:
        handler = await server.handler()
        handler.wire.send_text(bytes(8 * MIB))
        client.shut_down_writing()
        await server.closed.get()
        waiting = handler.wire.buffered_bytes
        await until(lambda: handler.wire.buffered_bytes == 0)
        assert waiting > 0


@on_both_loops
async def test_a_connection_that_is_reset_is_a_matter_of_the_network() -> None:
    async with serve() as server:
        client = await server.connect()
        await server.handler()
        client.reset()
        assert outcome(await server.closed.get()) == ("network", None, None, False)


@on_both_loops
async def test_sending_much_to_a_reset_connection_logs_nothing() -> None:
    class Chatty(Echo):
        def on_message(self, message: str | bytes) -> None:
            for _ in range(100):
                self.write_message(b"*" * 1000)

    async with serve(Chatty) as server:
        client = await server.connect()
        handler = await server.handler()
        handler.wire._transport.pause_reading()  # so that the server learns of the RST by writing
        client.reset()
        await asyncio.sleep(0.01)
        handler.on_message("now")
        handler.close(4001)  # cannot be sent any more
        assert outcome(await server.closed.get()) == ("network", None, None, False)
        assert handler.wire.dropped_after_close > 0


# Closing, begun by the server


@on_both_loops
async def test_a_close_of_ours_waits_for_the_client_s() -> None:
    async with serve() as server, await server.connect() as client:
        (await server.handler()).close(4001, "draining")
        assert await client.read_close() == (4001, "draining")
        await client.send(close_frame(4001))
        await client.read_end()
        assert outcome(await server.closed.get()) == ("server", 4001, 4001, True)


@on_both_loops
async def test_a_close_with_a_reason_only_means_1000() -> None:
    async with serve() as server, await server.connect() as client:
        (await server.handler()).close(reason="enough")
        assert await client.read_close() == (1000, "enough")


@on_both_loops
async def test_a_close_without_code_and_reason_is_empty() -> None:
    async with serve() as server, await server.connect() as client:
        (await server.handler()).close()
        assert await client.read_close() == (None, "")


@on_both_loops
async def test_a_long_reason_is_cut_between_two_characters() -> None:
    async with serve() as server, await server.connect() as client:
        (await server.handler()).close(1000, "ä" * 100)
        assert await client.read_close() == (1000, "ä" * 61)


@on_both_loops
async def test_an_illegal_code_is_not_sent() -> None:
    async with serve() as server, await server.connect() as client:
        handler = await server.handler()
        with pytest.raises(ValueError, match="1005"):
            handler.close(1005)
        await client.send(masked(TEXT, b"still open"))
        assert await client.read_frame() == (TEXT, b"still open")


@on_both_loops
async def test_only_the_first_close_is_sent() -> None:
    async with serve() as server, await server.connect() as client:
        handler = await server.handler()
        handler.close(4001, "first")
        handler.close(4002, "second")
        assert await client.read_close() == (4001, "first")
        await client.send(close_frame(4001))
        await client.read_end()
        handler.close(4003, "third")


@on_both_loops
async def test_what_is_sent_after_a_close_is_dropped_and_counted() -> None:
    async with serve() as server, await server.connect() as client:
        handler = await server.handler()
        handler.close(1000)
        handler.wire.send_text(b"late")
        handler.wire.ping()
        handler.ping(b"late")
        await handler.write_message("late")
        assert (handler.wire.is_closing(), handler.wire.dropped_after_close) == (True, 4)
        assert await client.read_close() == (1000, "")
        await client.hang_up()
        await server.closed.get()
        await handler.write_message("later")
        assert handler.wire.dropped_after_close == 5


@on_both_loops
async def test_what_arrives_after_our_close_is_not_handled() -> None:
    class Leaving(Echo):
        def on_message(self, message: str | bytes) -> None:
            self.server.errors.append(Exception(message))
            self.close(1000)

        def on_ping(self, data: bytes) -> None:
            self.on_message(data)

        def on_pong(self, data: bytes) -> None:
            self.on_message(data)

    async with serve(Leaving) as server, await server.connect() as client:
        late = [masked(TEXT, b"2"), masked(BINARY, b"3"), masked(PING, b"4"), masked(PONG, b"5"), close_frame(1000)]
        await client.send(masked(TEXT, b"1") + b"".join(late))
        assert await client.read_close() == (1000, "")
        await client.read_end()
        assert outcome(await server.closed.get()) == ("server", 1000, 1000, True)
        assert [str(error) for error in server.errors] == ["1"]


@on_both_loops
async def test_a_client_that_does_not_answer_a_close_is_cut_off_at_the_deadline() -> None:
    class Impatient(Echo):
        close_timeout_s = 0.05

    async with serve(Impatient) as server, await server.connect() as client:
        (await server.handler()).close(4001)
        assert await client.read_close() == (4001, "")
        assert outcome(await server.closed.get()) == ("server", 4001, None, False)


@on_both_loops
async def test_a_client_that_answers_a_close_with_junk_gets_no_second_one() -> None:
    async with serve() as server, await server.connect() as client:
        (await server.handler()).close(4001)
        assert await client.read_close() == (4001, "")
        await client.send(masked(3))
        await client.read_end()
        assert outcome(await server.closed.get()) == ("server", 4001, None, False)


@on_both_loops
async def test_a_client_that_answers_a_close_with_junk_and_a_reset_is_no_error() -> None:
    async with serve() as server:
        client = await server.connect()
        (await server.handler()).close(4001)
        await client.read_close()
        await client.send(masked(3))
        client.reset()
        assert outcome(await server.closed.get()) == ("server", 4001, None, False)


@on_both_loops
async def test_a_client_that_hangs_up_on_our_close_leaves_it_ours() -> None:
    async with serve() as server, await server.connect() as client:
        (await server.handler()).close(4001)
        await client.read_close()
        await client.hang_up()
        assert outcome(await server.closed.get()) == ("server", 4001, None, False)


@on_both_loops
async def test_an_aborted_connection_has_no_code() -> None:
    async with serve() as server, await server.connect():
        (await server.handler()).wire.abort()
        assert outcome(await server.closed.get()) == ("server", None, None, False)


@on_both_loops
async def test_messages_after_an_abort_are_not_handled() -> None:
    class Cutting(Echo):
        def on_message(self, message: str | bytes) -> None:
            self.server.errors.append(Exception(message))
            self.wire.abort()

    async with serve(Cutting) as server, await server.connect() as client:
        await client.send(masked(TEXT, b"1") + masked(TEXT, b"2") + close_frame(1000))
        assert outcome(await server.closed.get()) == ("server", None, None, False)
        assert [str(error) for error in server.errors] == ["1"]


@on_both_loops
async def test_nothing_can_be_sent_before_the_upgrade() -> None:
    class Hasty(Echo):
        def prepare(self) -> None:
            self.close(1000)
            for send in (self.write_message, self.ping):
                with pytest.raises(WebSocketClosedError):
                    send("early")

    async with serve(Hasty) as server, await server.connect() as client:
        await client.send(masked(TEXT, b"now"))
        assert await client.read_frame() == (TEXT, b"now")


# Callbacks that take their time


class Waiting(Echo):
    """Handles ``wait`` for as long as the test wants, and tells what it does."""

    def initialize(self, server: Server) -> None:
        super().initialize(server)
        self.go_on = asyncio.Event()
        self.handled: list[str | bytes] = []

    async def on_message(self, message: str | bytes) -> None:
        if message == "wait":
            await self.go_on.wait()
        self.handled.append(message)
        self.write_message(message)


@on_both_loops
async def test_messages_wait_for_the_one_before_them() -> None:
    async with serve(Waiting) as server, await server.connect() as client:
        handler = await server.handler()
        assert isinstance(handler, Waiting)
        await client.send(masked(TEXT, b"wait") + masked(TEXT, b"2") + masked(TEXT, b"3"))
        await until(lambda: handler.wire.frames_received == 3)
        assert handler.handled == []
        handler.go_on.set()
        assert [(await client.read_frame()).payload for _ in range(3)] == [b"wait", b"2", b"3"]


@on_both_loops
async def test_a_ping_is_answered_while_a_message_is_handled() -> None:
    async with serve(Waiting) as server, await server.connect() as client:
        await client.send(masked(TEXT, b"wait") + masked(TEXT, b"2"))
        await client.send(masked(PING, b"alive?"))
        assert await client.read_frame() == (PONG, b"alive?")
        (await server.handler()).go_on.set()  # type: ignore[attr-defined]
        assert await client.read_frame() == (TEXT, b"wait")


@on_both_loops
async def test_a_close_is_answered_while_a_message_is_handled_and_on_close_comes_after_it() -> None:
    async with serve(Waiting) as server, await server.connect() as client:
        handler = await server.handler()
        assert isinstance(handler, Waiting)
        await client.send(masked(TEXT, b"wait") + masked(TEXT, b"hangup") + close_frame(1000))
        assert await client.read_close() == (1000, "")
        await client.read_end()
        assert (handler.handled, server.closed.qsize()) == ([], 0)
        handler.go_on.set()
        assert await server.closed.get() is handler
        assert handler.handled == ["wait", "hangup"]


@on_both_loops
async def test_messages_that_wait_are_dropped_by_our_close() -> None:
    async with serve(Waiting) as server, await server.connect() as client:
        handler = await server.handler()
        assert isinstance(handler, Waiting)
        await client.send(masked(TEXT, b"wait") + masked(TEXT, b"never"))
        await until(lambda: handler.wire.frames_received == 2)
        handler.close(4001)
        handler.go_on.set()
        assert await client.read_close() == (4001, "")
        await client.hang_up()
        await server.closed.get()
        assert handler.handled == ["wait"]


@on_both_loops
async def test_a_violation_is_answered_while_a_message_is_handled() -> None:
    async with serve(Waiting) as server, await server.connect() as client:
        await client.send(masked(TEXT, b"wait") + masked(3))
        assert (await client.read_close())[0] == 1002
        await client.read_end()
        (await server.handler()).go_on.set()  # type: ignore[attr-defined]
        assert outcome(await server.closed.get()) == ("server", 1002, None, False)


@pytest.mark.parametrize("message", [masked(TEXT, b"*"), masked(TEXT, b"*" * 100_000)], ids=["many", "much"])
@on_both_loops
async def test_reading_pauses_while_too_much_waits(message: bytes) -> None:
    async with serve(Waiting) as server, await server.connect() as client:
        handler = await server.handler()
        assert isinstance(handler, Waiting)
        await client.send(masked(TEXT, b"wait"))
        for _ in range(MAX_WAITING_MESSAGES):
            await client.send(message)
        await until(lambda: not handler.wire._transport.is_reading())
        received = handler.wire.bytes_received
        assert received < 3 * MIB
        sending = asyncio.create_task(client.send(message * 10))
        await asyncio.sleep(0.02)
        assert handler.wire.bytes_received == received
        handler.go_on.set()
        for _ in range(1 + MAX_WAITING_MESSAGES + 10):
            assert (await client.read_frame()).opcode == TEXT
        await sending


async def pause_reading(client: RawClient, handler: Echo, *last: bytes) -> None:
    """Makes the server pause reading with a packet that ends with ``last``."""
    await client.send(masked(TEXT, b"wait") + masked(TEXT, b"*") * MAX_WAITING_MESSAGES + b"".join(last))
    await until(lambda: handler.wire.frames_received == 1 + MAX_WAITING_MESSAGES + len(last))


@on_both_loops
async def test_a_close_of_ours_while_reading_is_paused_still_hears_the_client_s() -> None:
    async with serve(Waiting) as server, await server.connect() as client:
        handler = await server.handler()
        await pause_reading(client, handler)
        handler.close(4001)
        assert await client.read_close() == (4001, "")
        await client.send(close_frame(4001))
        await client.read_end()
        handler.go_on.set()  # type: ignore[attr-defined]
        assert outcome(await server.closed.get()) == ("server", 4001, 4001, True)


@on_both_loops
async def test_a_client_that_hangs_up_after_its_close_is_noticed_although_reading_was_paused() -> None:
    class Patient(Waiting):
        close_timeout_s = 2.0 * TEST_LIMIT_S

    async with serve(Patient) as server, await server.connect() as client:
        handler = await server.handler()
        await pause_reading(client, handler, close_frame(1000))
        assert await client.read_close() == (1000, "")
        await client.hang_up()
        await until(handler.wire._transport.is_closing)
        handler.go_on.set()  # type: ignore[attr-defined]


@on_both_loops
async def test_messages_wait_until_open_has_returned() -> None:
    go_on = asyncio.Event()

    class Opening(Echo):
        async def open(self) -> None:
            super().open()
            await go_on.wait()
            self.write_message("opened")

    async with serve(Opening) as server, await server.connect() as client:
        await client.send(masked(TEXT, b"hello") + masked(PING))
        assert await client.read_frame() == (PONG, b"")
        go_on.set()
        assert [await client.read_frame() for _ in range(2)] == [(TEXT, b"opened"), (TEXT, b"hello")]


@on_both_loops
async def test_on_close_waits_until_open_has_returned() -> None:
    go_on = asyncio.Event()

    class Opening(Echo):
        async def open(self) -> None:
            super().open()
            await go_on.wait()

    async with serve(Opening) as server:
        client = await server.connect()
        await server.handler()
        await client.hang_up()
        await asyncio.sleep(0.01)
        assert server.closed.qsize() == 0
        go_on.set()
        assert outcome(await server.closed.get()) == ("network", None, None, False)


@on_both_loops
async def test_a_connection_ends_with_the_task_of_its_callback() -> None:
    async with serve(Waiting) as server, await server.connect() as client:
        await client.send(masked(TEXT, b"wait"))
        await until(lambda: bool(server.opened) and server.opened[0].wire.frames_received == 1)
        backlog = server.opened[0].wire._backlog
        assert backlog is not None and backlog.task is not None
        await asyncio.sleep(0)
        backlog.task.cancel()
        assert outcome(await server.closed.get()) == ("server", None, None, False)


# Callbacks that fail


class Mistake(Exception):
    """What the handlers below raise."""


class Failing(Echo):
    def on_message(self, message: str | bytes) -> None:
        raise Mistake


class FailingLater(Echo):
    async def on_message(self, message: str | bytes) -> None:
        await asyncio.sleep(0)
        raise Mistake


class FailingByCancellation(Echo):
    async def on_message(self, message: str | bytes) -> None:
        raise asyncio.CancelledError


class FailingText(Echo):
    def on_text(self, data: bytes) -> None:
        raise Mistake


class FailingPing(Echo):
    def on_ping(self, data: bytes) -> None:
        raise Mistake


class FailingPong(Echo):
    def on_pong(self, data: bytes) -> None:
        raise Mistake


class FailingOpen(Echo):
    def open(self) -> None:
        super().open()
        raise Mistake


class FailingOpenLater(Echo):
    async def open(self) -> None:
        super().open()
        await asyncio.sleep(0)
        raise Mistake


@pytest.mark.parametrize(
    "handler",
    [
        Failing,
        FailingLater,
        FailingByCancellation,
        FailingText,
        FailingPing,
        FailingPong,
        FailingOpen,
        FailingOpenLater,
    ],
)
@on_both_loops
async def test_a_callback_that_raises_ends_only_its_connection_with_1011(handler: type[Echo]) -> None:
    async with serve(handler) as server, await server.connect() as client:
        await client.send(masked(PONG) + masked(PING) + masked(TEXT, b"go"))
        while (frame := await client.read_frame()).opcode == PONG:
            pass
        assert frame == (CLOSE, (1011).to_bytes(2, "big") + b"internal error")
        await client.send(close_frame(1011))
        await client.read_end()
        assert outcome(await server.closed.get()) == ("server", 1011, 1011, True)
        assert [type(error) for error in server.errors] in ([Mistake], [asyncio.CancelledError])


@on_both_loops
async def test_an_error_can_be_explained_before_1011() -> None:
    class Explaining(Failing):
        def on_handler_error(self, error: BaseException) -> None:
            self.wire.send_text(b"our fault")
            self.wire.close(1011, "request 7")

    async with serve(Explaining) as server, await server.connect() as client:
        await client.send(masked(TEXT, b"go"))
        assert await client.read_frame() == (TEXT, b"our fault")
        assert await client.read_close() == (1011, "request 7")


@on_both_loops
async def test_an_error_is_logged_with_its_traceback(expect_error: Callable[[str], None]) -> None:
    class Logging(Failing):
        on_handler_error = WireHandler.on_handler_error

    expect_error("Uncaught exception GET /")
    async with serve(Logging, logs=True) as server, await server.connect() as client:
        await client.send(masked(TEXT, b"go"))
        assert (await client.read_close())[0] == 1011


@on_both_loops
async def test_an_error_in_the_error_s_own_callback_still_ends_with_1011(expect_error: Callable[[str], None]) -> None:
    class Hopeless(Failing):
        def on_handler_error(self, error: BaseException) -> None:
            raise Mistake

    expect_error("on_handler_error failed")
    async with serve(Hopeless, logs=True) as server, await server.connect() as client:
        await client.send(masked(TEXT, b"go"))
        assert (await client.read_close())[0] == 1011


@pytest.mark.parametrize("hook", ["on_violation", "on_slow_consumer", "on_close"])
@on_both_loops
async def test_an_error_in_a_hook_is_told_like_any_other(hook: str) -> None:
    def fail(self: Echo, *arguments: Any) -> None:
        if hook == "on_close":
            Echo.on_close(self)
        raise Mistake

    handler = type("FailingHook", (Echo,), {hook: fail, "max_buffered_bytes": 0})
    async with serve(handler) as server, await server.connect(receive_buffer_bytes=4096) as client:
        if hook == "on_slow_consumer":
            for _ in range(2):
                (await server.handler()).wire.send_text(bytes(8 * MIB))
        else:
            await client.send(masked(3))
        await until(lambda: bool(server.errors))
    assert [type(error) for error in server.errors] == [Mistake]


# Readers that do not read


class Bounded(Echo):
    max_buffered_bytes = MIB
    close_timeout_s = 10.0

    def on_slow_consumer(self) -> None:
        self.server.errors.append(Exception("slow"))


class Unbounded(Echo):
    max_buffered_bytes = None


async def fill(handler: Echo) -> None:
    """Sends until a frame is dropped."""
    while not handler.wire.dropped_after_close:
        handler.wire.send_text(bytes(10_000))
        await asyncio.sleep(0)


@on_both_loops
async def test_a_slow_reader_is_told_once_and_closed_with_1008() -> None:
    async with serve(Bounded) as server, await server.connect(receive_buffer_bytes=4096) as client:
        handler = await server.handler()
        await fill(handler)
        assert MIB - 20_000 < handler.wire.buffered_bytes <= MIB
        await asyncio.sleep(0)
        await fill(handler)
        assert [str(error) for error in server.errors] == ["slow"]
        while (frame := await client.read_frame()).opcode == TEXT:
            pass
        assert frame == (CLOSE, (1008).to_bytes(2, "big") + b"too slow a reader")
        await client.send(close_frame(1008))
        await client.read_end()


@on_both_loops
async def test_a_slow_reader_can_be_told_why_before_it_is_closed() -> None:
    class Explaining(Bounded):
        def on_slow_consumer(self) -> None:
            self.wire.send_text(b"bye")
            self.wire.close(4004, "slow consumer")

    async with serve(Explaining) as server, await server.connect(receive_buffer_bytes=4096) as client:
        await fill(await server.handler())
        while len((frame := await client.read_frame()).payload) > 100:
            pass
        assert frame == (TEXT, b"bye")
        assert await client.read_close() == (4004, "slow consumer")


@on_both_loops
async def test_a_reader_that_never_reads_is_cut_off_at_the_deadline() -> None:
    class Impatient(Bounded):
        close_timeout_s = 0.05

    async with serve(Impatient) as server, await server.connect(receive_buffer_bytes=4096):
        await fill(await server.handler())
        assert outcome(await server.closed.get()) == ("server", 1008, None, False)


@on_both_loops
async def test_the_hook_for_slow_readers_does_not_run_inside_a_send() -> None:
    class Sending(Bounded):
        sending = False

        def on_slow_consumer(self) -> None:
            self.server.errors.append(Exception(self.sending))

    async with serve(Sending) as server, await server.connect(receive_buffer_bytes=4096):
        handler = await server.handler()
        assert isinstance(handler, Sending)
        handler.sending = True
        while not handler.wire.dropped_after_close:
            handler.wire.send_text(bytes(10_000))
        handler.sending = False
        await until(handler.wire.is_closing)
    assert [str(error) for error in server.errors] == ["False"]


@on_both_loops
async def test_a_server_close_gets_through_to_a_reader_over_the_bound() -> None:
    async with serve(Bounded) as server, await server.connect(receive_buffer_bytes=4096) as client:
        handler = await server.handler()
        while not handler.wire.dropped_after_close:
            handler.wire.send_text(bytes(10_000))
        handler.close(4005)
        while (frame := await client.read_frame()).opcode == TEXT:
            pass
        assert (frame, server.errors) == ((CLOSE, b"\x0f\xa5"), [])


@on_both_loops
async def test_without_a_bound_everything_waits() -> None:
    async with serve(Unbounded) as server, await server.connect(receive_buffer_bytes=4096) as client:
        handler = await server.handler()
        for _ in range(20):
            handler.wire.send_text(bytes(MIB))
        assert [len((await client.read_frame()).payload) for _ in range(20)] == [MIB] * 20


@pytest.mark.parametrize(("longest", "bound"), [(64 << 10, MIN_BUFFERED_BYTES), (10 * MIB, 40 * MIB)])
@on_both_loops
async def test_the_bound_grows_with_the_longest_message(longest: int, bound: int) -> None:
    async with serve(websocket_max_message_size=longest) as server, await server.connect():
        assert (await server.handler()).max_buffered_bytes == bound


@on_both_loops
async def test_a_blocked_connection_says_since_when() -> None:
    async with serve(Bounded) as server, await server.connect(receive_buffer_bytes=4096) as client:
        wire = (await server.handler()).wire
        seen = [wire.blocked_since]
        begun = wire.last_received
        wire.send_text(bytes(8 * MIB))
        seen.append(wire.blocked_since)
        await asyncio.sleep(0.02)
        assert seen[0] is None
        assert begun <= (seen[1] or 0.0) == wire.blocked_since
        await client.read_frame()
        await until(lambda: wire.blocked_since is None)
        assert wire.buffered_bytes == 0


@on_both_loops
async def test_a_handler_is_told_when_its_connection_is_blocked() -> None:
    class Noting(Unbounded):
        def on_blocked(self) -> None:
            self.server.errors.append(Exception(self.wire.blocked_since is not None))

    async with serve(Noting) as server, await server.connect(receive_buffer_bytes=4096) as client:
        wire = (await server.handler()).wire
        for _ in range(2):
            for _ in range(8):
                wire.send_text(bytes(MIB))
            for _ in range(8):
                await client.read_frame()
            await until(lambda: wire.blocked_since is None)
    assert [str(error) for error in server.errors] == ["True"] * 2


@on_both_loops
async def test_a_slow_reader_that_reads_on_is_blocked_only_since_what_still_waits() -> None:
    async with serve(Unbounded) as server, await server.connect(receive_buffer_bytes=4096) as client:
        wire = (await server.handler()).wire
        wire.send_text(bytes(8 * MIB))
        first = wire.blocked_since
        assert first is not None
        await asyncio.sleep(0.02)
        wire.send_text(bytes(8 * MIB))
        await client.read_frame()
        await until(lambda: wire.bytes_sent - wire.buffered_bytes > 8 * MIB + 100_000)
        assert (wire.blocked_since or 0.0) > first


@on_both_loops
async def test_a_write_can_be_waited_for() -> None:
    async with serve(Unbounded) as server, await server.connect(receive_buffer_bytes=4096) as client:
        handler = await server.handler()
        assert handler.write_message("goes out at once").done()
        waiting = [handler.write_message(bytes(8 * MIB)), handler.write_message("behind it")]
        await asyncio.sleep(0.01)
        assert [written.done() for written in waiting] == [False, False]
        assert [(await client.read_frame()).opcode for _ in range(3)] == [TEXT] * 3
        await asyncio.gather(*waiting)


@on_both_loops
async def test_waiting_for_a_write_ends_with_the_connection() -> None:
    async with serve(Unbounded) as server, await server.connect(receive_buffer_bytes=4096) as client:
        handler = await server.handler()
        written = handler.write_message(bytes(8 * MIB))
        client.reset()
        await written
        await handler.write_message("late")


# Many connections


@on_both_loops
async def test_connections_leave_nothing_behind() -> None:
    async with serve() as server:
        sockets, tasks = open_sockets(), len(asyncio.all_tasks())
        for number in range(100):
            client = await server.connect()
            await client.send([close_frame(1000), masked(3), masked(TEXT, b"*")[:4]][number % 3])
            if number % 2:
                await client.hang_up()
            else:
                client.reset()
        for _ in range(100):
            await server.closed.get()
        await until(lambda: open_sockets() <= sockets and len(asyncio.all_tasks()) <= tasks)


@on_both_loops
async def test_an_idle_connection_has_no_task_and_no_timer() -> None:
    async with serve() as server:
        tasks = len(asyncio.all_tasks())
        clients = [await server.connect() for _ in range(10)]
        await until(lambda: len(asyncio.all_tasks()) <= tasks)
        assert [opened.wire._deadline for opened in server.opened] == [None] * 10
        for client in clients:
            await client.hang_up()


@on_both_loops
async def test_no_timer_outlives_its_connection() -> None:
    async with serve() as server, await server.connect() as client:
        handler = await server.handler()
        handler.close(4001)
        deadline = handler.wire._deadline
        await client.hang_up()
        await until(lambda: handler.wire._deadline is None)
        assert deadline is not None and deadline.cancelled()


@on_both_loops
async def test_the_loop_s_debug_mode_finds_no_fault() -> None:
    asyncio.get_running_loop().set_debug(True)
    async with serve() as server, await server.connect() as client:
        await client.send(masked(TEXT, b"hello") + close_frame(1000))
        assert await client.read_frame() == (TEXT, b"hello")
        assert await client.read_close() == (1000, "")


def test_an_idle_connection_is_small() -> None:
    """What Python holds for one; the socket of the test's own client is in it."""

    async def measure() -> float:
        async with serve() as server:
            tasks = asyncio.all_tasks()
            tracemalloc.start()
            socks = []
            for _ in range(100):
                socks.append(sock := socket.create_connection(("127.0.0.1", server.port)))
                sock.sendall(upgrade_request())
            await until(lambda: len(server.opened) == 100 and asyncio.all_tasks() <= tasks)
            gc.collect()  # of the HTTP request some cycles are left
            size = tracemalloc.get_traced_memory()[0] / 100
            tracemalloc.stop()
            for sock in socks:
                sock.close()
            return size

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(measure()) < 8192


@on_both_loops
async def test_an_independent_client_understands_every_message_and_the_close() -> None:
    async with serve() as server, websockets.connect(f"ws://127.0.0.1:{server.port}/") as client:
        for message in ("", "κόσμε", b"\xff" * 70000, "*" * 700):
            await client.send(message)
            assert await client.recv() == message
        await (await client.ping())
        await client.close(4321, "done")
        assert (client.close_code, outcome(await server.closed.get())) == (4321, ("client", 4321, 4321, True))


class TestBehindTls(AsyncHTTPSTestCase):
    """TLS ends at the reverse proxy; a socket that has it cannot be handed over."""

    @pytest.fixture(autouse=True)
    def _expect_error(self, expect_error: Callable[[str], None]) -> None:
        self.expect_error = expect_error

    def get_app(self) -> Application:
        return Application([("/", Echo, {"server": Server()})])

    @gen_test
    async def test_an_upgrade_is_refused_with_the_reason_in_the_log(self) -> None:
        self.expect_error("Uncaught exception GET /")
        self.expect_error("500 GET /")
        request = HTTPRequest(f"wss://127.0.0.1:{self.get_http_port()}/", validate_cert=False)
        with pytest.raises(HTTPClientError, match="500"):
            await websocket_connect(request)


class TestInTornadosHarness(AsyncHTTPTestCase):
    """The handlers work where Tornado's own are tested."""

    def get_app(self) -> Application:
        self.server = Server()
        return Application([("/", Echo, {"server": self.server})])

    @gen_test
    async def test_tornados_client_gets_its_message_back(self) -> None:
        client = await websocket_connect(f"ws://127.0.0.1:{self.get_http_port()}/")
        await client.write_message("hello")
        assert await client.read_message() == "hello"
        client.close(1000, "bye")
        handler = await self.server.closed.get()
        assert (handler.close_code, handler.close_reason) == (1000, "bye")
        await until(handler.wire._transport.is_closing)
