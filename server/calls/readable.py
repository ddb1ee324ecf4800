"""Until when somebody may read what was said, written and recorded in a call."""

from __future__ import annotations

from datetime import datetime

from server.calls.model import Call, has_gone
from server.errors import Forbidden


def readable_until(call: Call, user_id: str) -> datetime | None:
    """The moment at which the person was in the call last; None: all of it is theirs, for they are in it, or were when
    it ended.

    Raises :class:`Forbidden` for whoever was called and never came.
    """
    leg = call.leg_of(user_id)
    if leg is None or not leg.took_part:
        raise Forbidden("Only for people who took part in the call")
    if leg.joined_at is None:  # called back, and not there again
        return leg.left_before or leg.invited_at
    return leg.left_at if has_gone(call, leg) else None
