"""How many missed calls were not yet seen: counted aside, told in order."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from server.calls.unread import UnreadCounts
from server.errors import Unavailable
from server.realtime.background import Background
from server.realtime.bus import LocalBus, Message, ToDevices, user_topic
from server.store.calls import CallStore
from tests.clock import ManualClock
from tests.helpers import ALICE, BOB, frame_in, until


class Ledger:
    """A store that counts only when the test lets it, and gives the number as it was when it was asked."""

    def __init__(self) -> None:
        self.missed = 0
        self.asked = 0
        self.is_away = False
        self.open = asyncio.Event()

    async def count_unread(self, user_id: str) -> int:
        self.asked += 1
        missed = self.missed
        await self.open.wait()
        if self.is_away:
            raise Unavailable()
        return missed


class Desk:
    """Counts of a ledger, and what Bob's devices are told of them."""

    def __init__(self) -> None:
        self.ledger, self.background = Ledger(), Background()
        self.told: list[int] = []
        bus = LocalBus()
        bus.subscribe(user_topic(BOB.id), self._hear)
        self.counts = UnreadCounts(cast(CallStore, self.ledger), bus, self.background, ManualClock())

    def _hear(self, message: Message) -> None:
        assert isinstance(message, ToDevices)
        assert message.coalesce_key == "unread:missed"
        frame = frame_in(message)
        assert frame["type"] == "unread" and "voicemail" not in frame
        self.told.append(frame["missed"])

    async def settle(self) -> None:
        self.ledger.open.set()
        await until(lambda: len(self.background) == 0)


@pytest.mark.gen_test
async def test_a_change_is_counted_and_told() -> None:
    desk = Desk()
    desk.ledger.missed = 3
    desk.counts.changed([BOB.id])
    await desk.settle()
    assert desk.told == [3]


@pytest.mark.gen_test
async def test_nobody_else_is_told() -> None:
    desk = Desk()
    desk.counts.changed([ALICE.id])
    await desk.settle()
    assert desk.told == []


@pytest.mark.gen_test
async def test_many_changes_at_once_are_two_counts_and_the_last_is_the_newest() -> None:
    desk = Desk()
    for _ in range(50):
        desk.counts.changed([BOB.id])
    await until(lambda: desk.ledger.asked == 1)
    desk.ledger.missed = 50
    await desk.settle()
    assert (desk.ledger.asked, desk.told) == (2, [0, 50])


@pytest.mark.gen_test
async def test_a_count_that_failed_is_made_up_for() -> None:
    desk = Desk()
    desk.ledger.is_away = True
    desk.counts.changed([BOB.id])
    await desk.settle()
    desk.ledger.is_away, desk.ledger.missed = False, 1
    await desk.background.catch_up()
    assert desk.told == [1]
