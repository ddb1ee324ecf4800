"""What was written in a call, kept for whoever comes in later."""

from __future__ import annotations

from collections import deque
from typing import Any

KEPT_MESSAGES = 200
KEPT_BYTES = 262_144
"""The log travels in a snapshot, which is one frame: a quarter of the 1 MiB that may wait for a connection."""


class ChatLog:
    """The last messages of a room, bounded in number and bytes."""

    def __init__(self) -> None:
        self._messages: deque[tuple[dict[str, Any], int]] = deque()
        self._bytes = 0

    def add(self, message: dict[str, Any], size_bytes: int) -> None:
        """Keeps ``message``, which is ``size_bytes`` long as JSON; the oldest make room for it."""
        self._messages.append((message, size_bytes))
        self._bytes += size_bytes
        while len(self._messages) > KEPT_MESSAGES or self._bytes > KEPT_BYTES:
            self._bytes -= self._messages.popleft()[1]

    def messages(self) -> list[dict[str, Any]]:
        """What is kept, oldest first."""
        return [message for message, _ in self._messages]
