"""What became of a call, in one sentence for the person who reads it.

The page of a call says the same, from the call alone: ``static/js/strings/ringing.js``. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable

from server.calls.model import Call, Leg, has_gone, seen_by, talked_s
from server.languages.bidi import isolated

Translate = Callable[[str], str]


def outcome(call: Call, user_id: str, translate: Translate = str) -> str:
    """The sentence for that person; ``translate`` gives it in their language."""
    call = seen_by(call, user_id)
    leg = call.leg_of(user_id) or call.caller
    if not call.is_over and not has_gone(call, leg):
        return translate("In progress")
    peer = peer_of(call, user_id)
    values = {"name": isolated(peer.user.display_name), "duration": spoken_duration(talked_s(call, leg) or 0.0)}
    sentence = _why_not_there(leg) or _why_not_answered(call, peer) or _BROKEN_OFF.get(_why_over(call, leg), _TALKED)
    return translate(sentence) % values


def _why_not_there(leg: Leg) -> str | None:
    """For somebody who did not take part: why. Whoever did, and was called back in vain, has talked."""
    if leg.took_part:
        return None
    if leg.reason == "contacts_only":
        return _HELD_BACK_FROM_STRANGERS
    return _NEVER_THERE.get(leg.state)


def _why_over(call: Call, leg: Leg) -> str:
    """The reason for that person: of their own going, if they went before the others."""
    return leg.reason or "" if has_gone(call, leg) else call.end_reason or ""


def _why_not_answered(call: Call, peer: Leg) -> str | None:
    """For the caller of a call that nobody took: why."""
    if call.answered_at is not None:
        return None
    if call.end_reason == "do_not_disturb" and peer.reason == "contacts_only":
        return _CONTACTS_ONLY
    if call.end_reason == "declined" and peer.call_waiting:
        return _DECLINED_IN_CALL
    return _UNANSWERED.get(call.end_reason or "")


def peer_of(call: Call, user_id: str) -> Leg:
    """The other side of a call between two; for whoever was called the one who did, for a caller of many the first."""
    own = call.leg_of(user_id)
    inviter = call.leg_of(own.invited_by) if own and own.invited_by else None
    return inviter or next((leg for leg in call.legs if leg.user.id != user_id), call.caller)


def spoken_duration(seconds: float) -> str:
    """``0:07``, ``3:12``, ``1:02:45``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


_TALKED = "Talked for %(duration)s"
_HELD_BACK_FROM_STRANGERS = "Held back: you take calls from contacts only"
_NEVER_THERE = {
    "missed": "Missed call",
    "declined": "You declined",
    "busy": "Missed while you were in another call",
    "do_not_disturb": "Held back by your do-not-disturb",
    "blocked": "You have blocked %(name)s",
    "unreachable": "None of your devices was there",
}
"""By the state of a leg whose person did not take part."""
_CONTACTS_ONLY = "%(name)s takes calls from contacts only"
_DECLINED_IN_CALL = "%(name)s is in another call and declined"
_UNANSWERED = {
    "hangup": "Ended before it was answered",
    "declined": "%(name)s declined",
    "cancelled": "You hung up before %(name)s answered",
    "no_answer": "%(name)s did not answer",
    "unreachable": "%(name)s could not be reached",
    "busy": "%(name)s is in another call",
    "do_not_disturb": "%(name)s does not want to be disturbed now",
    "lonely": "Ended before it was answered",
}
"""By the reason, for the caller."""
_BROKEN_OFF = {
    "media_denied": "Camera or microphone was not allowed",
    "ice_failed": "The connection between you could not be made",
    "connection_lost": "The connection was lost",
    "max_duration": "Ended after the longest time that a call may take",
    "admin_ended": "Ended by an administrator",
    "server_shutdown": "Ended because the server was shut down",
    "error": "Ended by a fault of the server",
}
"""By the reason, for everybody, whether the call was answered or not."""
