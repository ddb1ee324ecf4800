"""What was said in a call, as the captions of its participants have it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from server.calls.model import Call
from server.wire import rfc3339

MAX_LINES = 10_000
"""Of one call: two people who talk for twelve hours without a pause say about as much."""


class TranscriptLine(msgspec.Struct, frozen=True):
    """What one participant said in one breath. ``line_id`` sorts by when it was said; ``segment`` is the name that the
    captions of that participant had for it."""

    line_id: str
    call_id: str
    leg_id: str
    segment: str
    text: str
    said_at: datetime


def line_view(call: Call, line: TranscriptLine) -> dict[str, Any]:
    """A line as the wire has it."""
    leg = call.leg(line.leg_id)
    return {
        "line_id": line.line_id,
        "leg_id": line.leg_id,
        "segment": line.segment,
        "user": leg.user if leg else None,
        "text": line.text,
        "said_at": rfc3339(line.said_at),
    }
