"""The newest of what was written in a call, kept with its room for whoever comes in."""

from __future__ import annotations

from bisect import insort
from typing import Any

import msgspec

from server.calls.chat import ChatMessage, shown

KEPT_MESSAGES = 50
KEPT_BYTES = 262_144
"""The log travels in a snapshot, which is one frame: a quarter of the 1 MiB that may wait for a connection."""


class ChatLog:
    """The newest messages of a room in the order of their ids, bounded in number and bytes."""

    def __init__(self) -> None:
        self.is_read = False
        """Whether what was written before is in it."""
        self._messages: list[ChatMessage] = []
        self._sizes: dict[str, int] = {}  # bytes as JSON, by message id

    def add(self, message: ChatMessage) -> bool:
        """Keeps ``message``, and the oldest make room for it; false if it is there already."""
        if message.message_id in self._sizes:
            return False
        self._sizes[message.message_id] = len(msgspec.json.encode(shown(message)))
        insort(self._messages, message, key=lambda each: each.message_id)
        while len(self._messages) > KEPT_MESSAGES or sum(self._sizes.values()) > KEPT_BYTES:
            del self._sizes[self._messages.pop(0).message_id]
        return True

    def read(self, messages: list[ChatMessage]) -> None:
        """Takes what was written before anybody was here."""
        for message in messages:
            self.add(message)
        self.is_read = True

    def messages(self) -> list[dict[str, Any]]:
        """What is kept, oldest first, as it crosses the wire."""
        return [shown(message) for message in self._messages]
