"""How many calls somebody has missed and not yet seen, told to their devices whenever that changes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from server.clock import Clock
from server.realtime.background import Background
from server.realtime.bus import Bus, ToDevices, user_topic
from server.realtime.frames import Unread, encode
from server.store.calls import CallStore
from server.wire import rfc3339


class UnreadCounts:
    """Counts in the background, so that no call waits for it, and one count a person at a time: the number that is told
    last is the newest. Whatever changes while it is counted is counted once more, however much that is."""

    def __init__(self, calls: CallStore, bus: Bus, background: Background, clock: Clock) -> None:
        self._calls = calls
        self._bus = bus
        self._background = background
        self._clock = clock
        self._once_more: dict[str, bool] = {}  # by user id, while somebody's calls are counted

    def changed(self, user_ids: Iterable[str]) -> None:
        """The number of these people may have changed."""
        for user_id in user_ids:
            self._background.start(partial(self._tell, user_id), "unread")

    async def _tell(self, user_id: str) -> None:
        if user_id in self._once_more:
            self._once_more[user_id] = True
            return
        self._once_more[user_id] = True
        try:
            while self._once_more[user_id]:
                self._once_more[user_id] = False
                self._publish(user_id, await self._calls.count_unread(user_id))
        finally:
            del self._once_more[user_id]

    def _publish(self, user_id: str, missed: int) -> None:
        body = encode(Unread(timestamp=rfc3339(self._clock.now()), missed=missed))
        self._bus.publish(user_topic(user_id), ToDevices(user_id, body, coalesce_key="unread:missed"))
