"""What a participant is shown first: the call, who is in it, and what was written."""

from __future__ import annotations

from typing import Any

from server.calls.model import Leg, view
from server.rooms.room import Room


def snapshot(room: Room, leg: Leg) -> dict[str, Any]:
    """The room as the person of ``leg`` may see it (``docs/protocol.md``, «The call socket»)."""
    return {
        "call": view(room.known(), leg.user.id),
        "leg_id": leg.leg_id,
        "media": room.media.get(leg.leg_id),
        "participants": room.others(leg.leg_id),
        "chat": room.chat.messages(),
    }
