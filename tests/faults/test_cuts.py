"""A connection may be cut anywhere: whoever comes back has missed nothing, and nothing comes twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest

from tests.faults.conftest import Through
from tests.faults.conversation import Conversation, Ledger
from tests.faults.cutting import AfterFrames
from tests.faults.proxy import End, Link, Proxy, Way
from tests.running import Running, Start

QUICK_CLOSE: dict[str, object] = {"sockets.close_timeout_s": 0.05}
"""Whoever hangs half-open does not answer a close."""


class Cutter:
    """Cuts the next link of a proxy in one direction after some frames, and no other."""

    def __init__(self, proxy: Proxy, direction: str) -> None:
        self._proxy = proxy
        self._direction = direction
        self.cut: AfterFrames | None = None
        proxy.prepare = self._prepare

    def arm(self, frames: int, more: int) -> AfterFrames:
        """The cut that the next link gets."""
        self.cut = AfterFrames(frames, more)
        return self.cut

    def _prepare(self, link: Link) -> None:
        way: Way = getattr(link, self._direction)
        way.stop, self.cut = self.cut, None


@pytest.mark.parametrize("more", [0, 1, 5], ids=["between frames", "in a header", "in a frame"])
@pytest.mark.parametrize("end_as", End, ids=lambda end: end.name.lower())
@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.gen_test(timeout=60)
async def test_a_cut_after_any_frame_of_a_conversation_loses_nothing(
    start: Start, through: Through, direction: str, end_as: End, more: int
) -> None:
    running = await start(QUICK_CLOSE)
    proxy = await through(running.port)
    conversation, ledger = await Conversation.begin(running, proxy.port), Ledger()
    cutter, proxy.end_as = Cutter(proxy, direction), end_as
    for frames in count():
        cut = cutter.arm(frames, more)
        proxy.links[-1].end(End.CUT)
        await conversation.turn()
        await conversation.settle()
        conversation.expect_all_heard_once()
        ledger.check(proxy.links[-3:])
        if not cut.has_cut:
            break
    assert frames > 8, "there were no frames to cut between"
    assert all(conversation.alice.resumed)
    await conversation.end()
