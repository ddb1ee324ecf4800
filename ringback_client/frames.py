"""The frames that a socket has received and nobody has taken yet."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from .session import Frame

logger = logging.getLogger(__name__)

# A program may live on its socket's state alone and never take a frame. The newest 10,000 are kept for it, a few MB.
KEPT_FRAMES = 10_000


class FrameQueue:
    """Frames in the order they came. Taking one out of the middle leaves the others where they are."""

    def __init__(self, kept_frames: int = KEPT_FRAMES) -> None:
        self.dropped = 0  # how many the limit has cost; only a program that takes none ever loses one
        self._frames: deque[Frame] = deque(maxlen=kept_frames)
        self._closed = False
        self._changed = asyncio.Event()

    def put(self, frame: Frame) -> None:
        """Add a frame at the end."""
        if len(self._frames) == self._frames.maxlen:
            self.dropped += 1
            if self.dropped == 1:
                logger.warning(
                    "nobody takes the frames of this socket: only the newest %d are kept", self._frames.maxlen
                )
        self._frames.append(frame)
        self._changed.set()

    def close(self) -> None:
        """No frame will come any more; those that are there can still be taken."""
        self._closed = True
        self._changed.set()

    async def take(self, wanted: Callable[[Frame], bool]) -> Frame | None:
        """Take out the first frame that is wanted, now or when it comes; None when the queue is closed without it."""
        while True:
            found = next((frame for frame in self._frames if wanted(frame)), None)
            if found is not None:
                self._frames.remove(found)
                return found
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()

    def waiting(self) -> list[str]:
        """The types of the frames that wait, for a message about one that did not come."""
        return [str(frame["type"]) for frame in self._frames]
