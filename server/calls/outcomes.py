"""What became of a call, in one sentence for the person who reads it."""

from __future__ import annotations

from collections.abc import Callable

from server.calls.model import Call, Leg, duration_s, was_missed_by

Translate = Callable[[str], str]


def outcome(call: Call, user_id: str, translate: Translate = str) -> str:
    """The sentence for that person; ``translate`` gives it in their language."""
    if not call.is_over:
        return translate("In progress")
    if was_missed_by(call, user_id):
        return translate("Missed call")
    peer = peer_of(call, user_id).user.display_name
    if call.end_reason in ("hangup", "lonely") and call.answered_at is not None:
        return translate("Talked for %s") % spoken_duration(duration_s(call) or 0.0)
    outgoing = call.created_by.id == user_id
    reason = call.end_reason or "error"
    own = _OUTGOING if outgoing else _INCOMING
    sentence = translate(own.get(reason) or _BOTH.get(reason) or _BOTH["error"])
    return sentence % peer if "%s" in sentence else sentence


def peer_of(call: Call, user_id: str) -> Leg:
    """The other side of a call between two; for a caller of many, the first who was called."""
    return next((leg for leg in call.legs if leg.user.id != user_id), call.caller)


def spoken_duration(seconds: float) -> str:
    """``0:07``, ``3:12``, ``1:02:45``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


_OUTGOING = {
    "declined": "%s declined",
    "cancelled": "You hung up before %s answered",
    "no_answer": "%s did not answer",
    "blocked": "%s did not answer",
    "unreachable": "%s could not be reached",
    "busy": "%s is in another call",
    "do_not_disturb": "%s does not want to be disturbed now",
}
_INCOMING = {
    "declined": "You declined",
    "do_not_disturb": "Held back by your do-not-disturb",
    "unreachable": "None of your devices was there",
}
_BOTH = {
    "hangup": "Ended before it was answered",
    "cancelled": "Ended before it was answered",
    "media_denied": "Camera or microphone was not allowed",
    "ice_failed": "The connection between you could not be made",
    "connection_lost": "The connection was lost",
    "max_duration": "Ended after the longest time that a call may take",
    "admin_ended": "Ended by an administrator",
    "server_shutdown": "Ended because the server was shut down",
    "error": "Ended by a fault of the server",
}
