"""What else there is to say of a call beside its outcome: the kind, who ended it, how long it rang."""

from __future__ import annotations

from collections.abc import Iterator

from server.calls.model import Call, Leg, seen_by
from server.calls.outcomes import Translate, spoken_duration

FIRST_STRONG_ISOLATE, POP_DIRECTIONAL_ISOLATE = "\u2068", "\u2069"
"""Around a name within a sentence (Unicode UAX #9, 2.4), so that its direction of writing does not turn the rest."""

RANG_AT_LEAST_S = 1.0
"""What rang shorter is not worth a word."""


def details(call: Call, user_id: str, translate: Translate = str) -> str:
    """For the person who reads it, in their language: ``Video call · Bob hung up · Rang for 0:12``."""
    return " · ".join(_parts(seen_by(call, user_id), user_id, translate))


def _parts(call: Call, user_id: str, translate: Translate) -> Iterator[str]:
    yield translate("Video call") if call.media == "video" else translate("Audio call")
    if not call.is_over:
        return
    if call.ended_by is not None and call.end_reason in _ENDED_BY_HAND and not _gave_up(call, user_id):
        yield _who_ended_it(call, user_id, call.ended_by, translate)
    rang_s = _rang_s(call, user_id)
    if rang_s >= RANG_AT_LEAST_S:
        yield translate("Rang for %(duration)s") % {"duration": spoken_duration(rang_s)}


_ENDED_BY_HAND = frozenset({"hangup", "cancelled", "media_denied", "ice_failed"})
"""With other reasons nobody ended it, or the outcome has said who."""


def _gave_up(call: Call, user_id: str) -> bool:
    """Whether the reader hung up before anybody answered, as the outcome says already."""
    return call.answered_at is None and call.ended_by == user_id


def _who_ended_it(call: Call, user_id: str, ended_by: str, translate: Translate) -> str:
    leg = call.leg_of(ended_by)
    if ended_by == user_id or leg is None:
        return translate("You hung up")
    name = f"{FIRST_STRONG_ISOLATE}{leg.user.display_name}{POP_DIRECTIONAL_ISOLATE}"
    return translate("%(name)s hung up") % {"name": name}


def _rang_s(call: Call, user_id: str) -> float:
    """Seconds for which devices rang in vain: the reader's own, or for the caller those of the first who was called."""
    leg = call.leg_of(user_id)
    if leg is None or leg is call.caller:
        leg = call.legs[1]
    return _seconds_in_vain(leg) if call.answered_at is None or leg.user.id == user_id else 0.0


def _seconds_in_vain(leg: Leg) -> float:
    if leg.ringing_at is None or leg.left_at is None or leg.joined_at is not None or leg.state == "blocked":
        return 0.0
    return (leg.left_at - leg.ringing_at).total_seconds()
