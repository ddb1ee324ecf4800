"""What became of a call, in one sentence for the person who reads it."""

from __future__ import annotations

from collections.abc import Callable

from server.calls.model import Call, Leg, duration_s, seen_by

Translate = Callable[[str], str]


def outcome(call: Call, user_id: str, translate: Translate = str) -> str:
    """The sentence for that person; ``translate`` gives it in their language."""
    if not call.is_over:
        return translate("In progress")
    call = seen_by(call, user_id)
    sentence = _sentence(call, call.leg_of(user_id) or call.caller)
    if sentence == _TALKED:
        return translate(sentence) % spoken_duration(duration_s(call) or 0.0)
    sentence = translate(sentence)
    return sentence % peer_of(call, user_id).user.display_name if "%s" in sentence else sentence


def _sentence(call: Call, leg: Leg) -> str:
    """What became of the call for the person of ``leg``: first why they were not in it, then why it ended."""
    if leg.state in _NEVER_THERE:
        return _NEVER_THERE[leg.state]
    reason = call.end_reason or "error"
    if call.answered_at is None and reason in _UNANSWERED:
        return _UNANSWERED[reason]
    return _BROKEN_OFF.get(reason, _TALKED)


def peer_of(call: Call, user_id: str) -> Leg:
    """The other side of a call between two; for a caller of many, the first who was called."""
    return next((leg for leg in call.legs if leg.user.id != user_id), call.caller)


def spoken_duration(seconds: float) -> str:
    """``0:07``, ``3:12``, ``1:02:45``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


_TALKED = "Talked for %s"
_NEVER_THERE = {
    "missed": "Missed call",
    "declined": "You declined",
    "busy": "You were in another call",
    "do_not_disturb": "Held back by your do-not-disturb",
    "blocked": "You have blocked %s",
    "unreachable": "None of your devices was there",
}
"""By the state of a leg whose person did not take part."""
_UNANSWERED = {
    "hangup": "Ended before it was answered",
    "declined": "%s declined",
    "cancelled": "You hung up before %s answered",
    "no_answer": "%s did not answer",
    "blocked": "%s did not answer",
    "unreachable": "%s could not be reached",
    "busy": "%s is in another call",
    "do_not_disturb": "%s does not want to be disturbed now",
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
