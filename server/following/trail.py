"""The events of one task in their order, however the news of them arrive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from server.realtime.background import Background
from server.tasks.model import TaskEvent

Read = Callable[[str, int], Awaitable[list[TaskEvent]]]
"""The stored events of a task after a number, in order."""
Tell = Callable[[TaskEvent, bytes], None]
"""Takes the next event, and the frame that says it."""


class Trail:
    """Tells each event once, without a gap: news that overtook others wait until those are read from the store.

    An event is stored before anybody hears of it, with the number after the last stored one. So whatever is missing
    before one that was heard of is in the store.
    """

    __slots__ = ("_background", "_early", "_encode", "_heard", "_read", "_reading", "_task_id", "_tell", "told")

    def __init__(
        self,
        task_id: str,
        read: Read,
        tell: Tell,
        encode: Callable[[TaskEvent], bytes],
        background: Background,
    ) -> None:
        """``encode`` makes the frame of an event that was read, not heard of."""
        self._task_id = task_id
        self._read = read
        self._tell = tell
        self._encode = encode
        self._background = background
        self.told: int | None = None  # the number of the last event that was told; None: nobody knows where it begins
        self._heard = 0
        self._early: list[tuple[TaskEvent, bytes]] = []
        self._reading = False

    def begin(self, number: int) -> None:
        """What comes after the event ``number`` is news. A trail begins once; later calls change nothing."""
        if self.told is not None:
            return
        self.told = number
        early, self._early = self._early, []
        for event, body in early:
            self.hear(event, body)

    def hear(self, event: TaskEvent, body: bytes) -> None:
        """``event`` has been stored; ``body`` is its frame, encoded."""
        if self.told is None:
            self._early.append((event, body))
            return
        self._heard = max(self._heard, event.number)
        if event.number == self.told + 1:
            self._next(event, body)
        if self._heard > self.told and not self._reading:
            self._background.start(self._fill, "task_events")

    async def _fill(self) -> None:
        """Tells what was stored and not heard of, up to what was."""
        if self._reading:
            return
        self._reading = True
        try:
            while self.told is not None and self.told < self._heard:
                events = await self._read(self._task_id, self.told)
                for event in events:
                    if event.number == self.told + 1:  # the others were heard of meanwhile
                        self._next(event, self._encode(event))
                if not events:
                    return  # removed with its account
        finally:
            self._reading = False

    def _next(self, event: TaskEvent, body: bytes) -> None:
        self.told = event.number
        self._tell(event, body)
