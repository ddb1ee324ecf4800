"""Who is told what when a call has changed: a pure function of the call before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Literal

from server.calls.model import Call, Leg, all_see_the_same, looks_changed, view
from server.realtime.bus import CallNews, Message, ToDevices, call_topic, user_topic
from server.realtime.frames import CallChanged, Incoming, IncomingStopped, encode
from server.wire import rfc3339

Stopped = Literal["answered_elsewhere", "declined_elsewhere", "held_back", "cancelled", "no_answer"]


def notices(
    before: Call | None, after: Call, actor: str | None, now: datetime, by: str | None = None
) -> Iterator[tuple[str, Message]]:
    """The messages, each with its topic, for a call that was just stored.

    ``actor`` is the connection or sign-in that caused the change: it learns of it by ``call`` and is not told that its
    own answer was given elsewhere. ``by`` is the user id of the person who did it. Rooms hear first, so that whoever is
    in the call is never behind. Whoever has blocked the caller hears nothing, but that what rang already stops; the
    others hear nothing of that.
    """
    yield call_topic(after.call_id), CallNews(after, by)
    timestamp = rfc3339(now)
    changed = for_each_viewer(
        after,
        lambda shown: encode(CallChanged(timestamp=timestamp, call_id=after.call_id, call=shown, user_id=by)),
    )
    for leg in after.legs:
        topic = user_topic(leg.user.id)
        was = before.leg(leg.leg_id) if before else None
        if begins_to_ring(was, leg):
            yield topic, ToDevices(leg.user.id, incoming_frame(after, leg, now), rings=True)
            continue
        if was is not None and was.is_ringable and not leg.is_ringable:
            stopped = IncomingStopped(
                timestamp=timestamp, call_id=after.call_id, reason=why_it_stopped(leg), user_id=by
            )
            yield topic, ToDevices(leg.user.id, encode(stopped), skip=actor)
        if leg.state != "blocked" and leg_hears(was, leg, after) and looks_changed(before, after, leg.user.id):
            yield topic, ToDevices(leg.user.id, changed(leg.user.id))


def begins_to_ring(was: Leg | None, leg: Leg) -> bool:
    """Whether the person of ``leg`` is called by this change: for the first time, or back into the call."""
    return leg.is_ringable and (was is None or not was.is_ringable or was.invited_at != leg.invited_at)


def leg_hears(was: Leg | None, leg: Leg, after: Call) -> bool:
    """Whether the person of ``leg`` is told of the change: whoever is no longer in the call hears how they went, and
    that it has ended."""
    return after.is_over or leg.is_in_call or leg.is_awaited or leg != was


def for_each_viewer(call: Call, encoded: Callable[[dict[str, Any]], bytes]) -> Callable[[str], bytes]:
    """From a user id to what ``encoded`` makes of the call as that person sees it: made once if all see the same."""
    if not all_see_the_same(call):
        return lambda viewer_id: encoded(view(call, viewer_id))
    body = encoded(view(call, call.created_by.id))
    return lambda viewer_id: body


def incoming_frame(call: Call, leg: Leg, now: datetime) -> bytes:
    """The encoded ``incoming`` for the person of ``leg``."""
    return encode(
        Incoming(
            timestamp=rfc3339(now),
            call_id=call.call_id,
            user_id=call.inviter_of(leg).id,
            call=view(call, leg.user.id),
            expires_in_ms=expires_in_ms(call, leg, now),
        )
    )


def expires_in_ms(call: Call, leg: Leg, now: datetime) -> int:
    """How long it will still ring for that person, in milliseconds: a duration, because clocks of telephones are
    wrong."""
    return max(0, round((call.rings_until(leg) - now).total_seconds() * 1000))


def why_it_stopped(leg: Leg) -> Stopped:
    """Why devices of the person of ``leg`` no longer ring."""
    if leg.joined_at is not None:  # and perhaps left again, where several changes are told at once
        return "answered_elsewhere"
    if leg.state == "declined":
        return "declined_elsewhere"
    if leg.state in ("do_not_disturb", "busy", "blocked"):  # the person's own wish since it began to ring
        return "held_back"
    return "no_answer" if leg.reason in ("no_answer", "unreachable") else "cancelled"
