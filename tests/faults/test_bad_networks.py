"""Networks that are slow, that lose everything, or that break again and again."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from server.close_codes import CloseCode
from tests.faults.conftest import Through
from tests.faults.conversation import Conversation, Ledger
from tests.faults.cutting import AfterFrames
from tests.faults.proxy import End, Link, Proxy
from tests.running import Running, Start

SEED = 20_261_120

QUICK_HEARTBEAT: dict[str, object] = {
    "sockets.call_heartbeat_interval_s": 0.5,
    "sockets.heartbeat_timeout_s": 0.8,
    "sockets.close_timeout_s": 0.05,
}
"""As low as the heartbeat's tick of half a second allows: whether somebody is heard is a matter of real time."""


@pytest.mark.gen_test
async def test_a_conversation_in_slices_of_one_byte_is_the_same(running: Running, through: Through) -> None:
    def slice_up(link: Link) -> None:
        link.up.slice_bytes = link.down.slice_bytes = 1

    proxy = await through(running.port)
    proxy.prepare = slice_up
    conversation = await Conversation.begin(running, proxy.port)
    await conversation.turn()
    await conversation.settle()
    conversation.expect_all_heard_once()
    assert (len(proxy.links), conversation.alice.resumed) == (1, [])
    await conversation.end()


@pytest.mark.gen_test
async def test_a_conversation_with_latency_is_the_same_and_slower(running: Running, through: Through) -> None:
    def delay(link: Link) -> None:
        link.up.latency_s = link.down.latency_s = 0.02

    proxy = await through(running.port)
    proxy.prepare = delay
    conversation = await Conversation.begin(running, proxy.port)
    began_s = asyncio.get_running_loop().time()
    await conversation.turn()
    await conversation.settle()
    conversation.expect_all_heard_once()
    # Alice has four of her own frames acknowledged, one after the other.
    assert asyncio.get_running_loop().time() - began_s > 0.9 * 4 * 2 * 0.02
    assert (len(proxy.links), conversation.alice.resumed) == (1, [])
    await conversation.end()


@pytest.mark.parametrize("ways", [("up",), ("down",), ("up", "down")], ids=" and ".join)
@pytest.mark.gen_test
async def test_a_black_hole_is_noticed_and_nothing_that_fell_into_it_is_lost(
    start: Start, through: Through, ways: tuple[str, ...]
) -> None:
    running = await start(QUICK_HEARTBEAT)
    proxy = await through(running.port)
    conversation, ledger = await Conversation.begin(running, proxy.port), Ledger()
    for way in ways:
        getattr(proxy.links[0], way).black_hole = True
    await conversation.turn()
    await conversation.settle()
    conversation.expect_all_heard_once()
    ledger.check(proxy.links)
    assert (len(proxy.links), conversation.alice.resumed) == (2, [True])
    await conversation.end()


@pytest.mark.gen_test
async def test_a_client_that_falls_silent_is_told_so_where_it_can_still_hear(start: Start, through: Through) -> None:
    running = await start(QUICK_HEARTBEAT)
    proxy = await through(running.port)
    conversation = await Conversation.begin(running, proxy.port)
    proxy.links[0].up.black_hole = True
    socket = conversation.alice.room.socket
    await running.until(lambda: socket.last_ending is not None)
    assert socket.last_ending is not None
    assert (socket.last_ending.code, socket.last_ending.announced) == (CloseCode.HEARTBEAT_MISSED, True)
    await conversation.settle()
    await conversation.end()


@pytest.mark.gen_test
async def test_the_other_one_in_the_call_sees_who_fell_silent_go_and_come_back(start: Start, through: Through) -> None:
    running = await start(QUICK_HEARTBEAT)
    proxy = await through(running.port)
    conversation = await Conversation.begin(running, proxy.port)
    bob = conversation.bob.room
    seen: list[str] = []
    bob.socket.on_frame(lambda frame: seen.append(frame["connection"]) if frame["type"] == "participant" else None)
    proxy.links[0].up.black_hole = True
    await running.until(lambda: seen == ["reconnecting", "connected"], f"{seen}")
    await conversation.settle()
    await conversation.end()


class Storm:
    """Ends every link after some frames in one direction or the other, in one way or another."""

    def __init__(self, proxy: Proxy, random: Random) -> None:
        self._random = random
        self.is_over = False
        proxy.prepare = self._prepare

    def _prepare(self, link: Link) -> None:
        if not self.is_over:
            random = self._random
            way = random.choice([link.up, link.down])
            way.stop = AfterFrames(random.randrange(8), random.randrange(6))
            link.end_as = random.choice(list(End))
            link.up.slice_bytes = link.down.slice_bytes = random.choice([3, 100, 65_536])


@pytest.mark.gen_test
async def test_two_people_on_networks_that_break_again_and_again_hear_each_other(
    start: Start, through: Through
) -> None:
    running = await start({"sockets.close_timeout_s": 0.05})
    proxies = [await through(running.port), await through(running.port)]
    conversation, ledger = await Conversation.begin(running, *(proxy.port for proxy in proxies)), Ledger()
    storms = [Storm(proxy, Random(SEED + index)) for index, proxy in enumerate(proxies)]
    for proxy in proxies:
        proxy.links[0].end(End.CUT)
    for _ in range(15):
        await conversation.turn()
    for storm in storms:
        storm.is_over = True
    await conversation.settle()
    conversation.expect_all_heard_once()
    for proxy in proxies:
        ledger.check(proxy.links)
        assert len(proxy.links) > 15
    await conversation.end()
