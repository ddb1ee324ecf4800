"""What is written in a call, as a value."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from server.realtime.frames import UserRef
from server.wire import rfc3339


class ChatMessage(msgspec.Struct, frozen=True):
    """One message; ``user`` is whoever wrote it, as they were called then. The order of messages is that of their ids.

    ``client_id`` is the writer's own name for it: written again under that name, it is the same message.
    """

    message_id: str
    call_id: str
    user: UserRef
    text: str
    sent_at: datetime
    client_id: str | None = None


def shown(message: ChatMessage) -> dict[str, Any]:
    """The message as it crosses the wire."""
    return {
        "message_id": message.message_id,
        "user": message.user,
        "text": message.text,
        "sent_at": rfc3339(message.sent_at),
        "client_id": message.client_id,
    }
