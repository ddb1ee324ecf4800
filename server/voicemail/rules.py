"""Who may leave a message to whom, and when: plain functions, without I/O and without a clock of their own."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.calls.model import Call, Leg
from server.errors import BadRequest, BadState, NotFound
from server.languages.sentences import N_

NOT_TAKEN = frozenset({"missed", "unreachable", "busy", "do_not_disturb", "declined", "blocked"})
"""States of a leg whose person did not take the call."""

MAX_LEVELS = 128
"""Values of a waveform: more than a page shows of one message."""
HIGHEST_LEVEL = 100
LATE_STOP_MS = 2_000
"""A recorder that stops by itself at the longest time stops a little after it."""


def recipient(call: Call, user_id: str, now: datetime, window_s: float) -> Leg:
    """The leg of the one whom ``user_id`` may leave a message for this call.

    Raises :class:`NotFound` for a call that is not theirs, as if there were none, and :class:`BadState`, which says
    why, for one after which they may not: only the caller may, once the call is over and for ``window_s`` seconds, and
    only if the one who was called did not take it.
    """
    if call.leg_of(user_id) is None:
        raise NotFound("There is no such call")
    if call.caller.user.id != user_id:
        raise BadState("Only the caller can leave a message")
    if len(call.legs) != 2:
        raise BadState("A message can be left after a call to one person; this call was to several")
    if not call.is_over or call.ended_at is None:
        raise BadState("A message can be left once the call is over")
    leg = call.legs[1]
    if leg.state not in NOT_TAKEN:
        raise BadState("A message can be left after a call that was not taken; this one was")
    if now >= call.ended_at + timedelta(seconds=window_s):
        raise BadState(N_("A message can be left within %(count)s minutes after the call", count=f"{window_s / 60:g}"))
    return leg


def duration_ms(text: str, max_s: int) -> int:
    """The length that a caller says their message has; raises :class:`BadRequest`, which names the rule."""
    most = max_s * 1000 + LATE_STOP_MS
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise BadRequest.of("duration_ms", N_("a whole number of milliseconds from 1 to %(most)s", most=most))
    return min(int(text), max_s * 1000)


def waveform(text: str) -> tuple[int, ...]:
    """The levels in ``3,12,40``; nothing is a message whose waveform nobody knows. Raises :class:`BadRequest`."""
    levels = text.split(",") if text else []
    if len(levels) > MAX_LEVELS or not all(_is_level(level) for level in levels):
        rule = N_("at most %(count)s whole numbers from 0 to %(most)s", count=MAX_LEVELS, most=HIGHEST_LEVEL)
        raise BadRequest.of("waveform", rule)
    return tuple(int(level) for level in levels)


def _is_level(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= HIGHEST_LEVEL
