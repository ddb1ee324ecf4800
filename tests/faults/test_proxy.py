"""The proxy itself: what it is told to do to a connection is what both ends see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.faults.conftest import Through
from tests.faults.cutting import after_bytes
from tests.faults.proxy import End, Link, Proxy
from tests.peer import PATIENCE_S

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """A server that says everything back. ``pieces`` is what it read; ``ending`` how its one connection ended."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.ending: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the client ends."""
        try:
            while piece := await reader.read(1000):
                self.pieces.append(piece)
                writer.write(piece)
            self.ending.set_result(None)
        except OSError as error:
            self.ending.set_result(error)
        writer.close()


@asynccontextmanager
async def connection(
    through: Through, prepare: Callable[[Link], None] = lambda link: None, end_as: End = End.CUT
) -> AsyncIterator[tuple[Echo, Proxy, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client's connection to an echo through a proxy."""
    echo = Echo()
    async with await asyncio.start_server(echo.serve, "127.0.0.1", 0) as server:
        proxy = await through(server.sockets[0].getsockname()[1])
        proxy.prepare, proxy.end_as = prepare, end_as
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        try:
            async with asyncio.timeout(PATIENCE_S):
                yield echo, proxy, reader, writer
        finally:
            writer.close()


@pytest.mark.gen_test
async def test_without_a_fault_everything_passes_both_ways_and_the_end_too(through: Through) -> None:
    async with connection(through) as (echo, _, reader, writer):
        writer.write(b"x" * 200_000)
        writer.write_eof()
        assert await reader.read() == b"x" * 200_000
        assert await echo.ending is None


@pytest.mark.gen_test
async def test_a_slice_arrives_by_itself(through: Through) -> None:
    def slice_up(link: Link) -> None:
        link.up.slice_bytes = 2

    async with connection(through, slice_up) as (echo, _, reader, writer):
        writer.write(b"abcde")
        assert await reader.readexactly(5) == b"abcde"
        assert echo.pieces == [b"ab", b"cd", b"e"]


@pytest.mark.gen_test
async def test_latency_holds_each_way_back(through: Through) -> None:
    def delay(link: Link) -> None:
        link.up.latency_s = link.down.latency_s = 0.05

    async with connection(through, delay) as (_, _, reader, writer):
        began_s = asyncio.get_running_loop().time()
        writer.write(b"x")
        await reader.readexactly(1)
        assert asyncio.get_running_loop().time() - began_s > 0.09  # the loop's clock counts whole milliseconds


@pytest.mark.gen_test
async def test_a_cut_comes_after_exactly_so_many_bytes_up(through: Through) -> None:
    def cut(link: Link) -> None:
        link.up.stop = after_bytes(3)

    async with connection(through, cut) as (echo, proxy, reader, writer):
        writer.write(b"abcde")
        await reader.read()
        await echo.ending
        assert (b"".join(echo.pieces), bytes(proxy.links[0].up.carried)) == (b"abc", b"abc")


@pytest.mark.gen_test
async def test_a_cut_comes_after_exactly_so_many_bytes_down(through: Through) -> None:
    def cut(link: Link) -> None:
        link.down.stop = after_bytes(3)

    async with connection(through, cut) as (_, _, reader, writer):
        writer.write(b"ab")
        assert await reader.readexactly(2) == b"ab"
        writer.write(b"cde")
        assert await reader.read() == b"c"


@pytest.mark.gen_test
async def test_a_reset_is_seen_as_one_by_both(through: Through) -> None:
    def reset(link: Link) -> None:
        link.down.stop = after_bytes(1)

    async with connection(through, reset, End.RESET) as (echo, _, reader, writer):
        writer.write(b"x")
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(2)
        assert isinstance(await echo.ending, ConnectionResetError)


@pytest.mark.gen_test
async def test_a_half_open_link_is_over_for_the_client_alone(through: Through) -> None:
    def leave_open(link: Link) -> None:
        link.down.stop = after_bytes(1)

    async with connection(through, leave_open, End.HALF_OPEN) as (echo, _, reader, writer):
        writer.write(b"x")
        assert await reader.read() == b"x"
        assert not echo.ending.done()


@pytest.mark.gen_test
async def test_a_black_hole_swallows_one_way(through: Through) -> None:
    def swallow(link: Link) -> None:
        link.down.black_hole = True

    async with connection(through, swallow) as (echo, proxy, _, writer):
        writer.write(b"x")
        writer.write_eof()
        assert await echo.ending is None
        assert (echo.pieces, bytes(proxy.links[0].down.carried)) == ([b"x"], b"")
