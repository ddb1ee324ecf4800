"""Quiet hours: the part of each day in which a person does not want to be disturbed, by the clock on their wall."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from server.errors import BadRequest
from server.languages.sentences import N_

TIME_OF_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
TIME_OF_DAY_RULE = N_("a time of day from 00:00 to 23:59, as HH:MM")
TIME_ZONE_RULE = N_("the name of a time zone (IANA), as Europe/Berlin")


class QuietHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From ``start`` to before ``end``, both ``HH:MM`` in ``time_zone``, past midnight where ``end`` is the earlier."""

    start: str
    end: str
    time_zone: str


def is_quiet(hours: QuietHours | None, now: datetime) -> bool:
    """Whether ``now`` (aware) lies in ``hours``; never without any, nor in a time zone that is no longer known."""
    zone = _zone(hours.time_zone) if hours else None
    if hours is None or zone is None:
        return False
    wall = now.astimezone(zone).strftime("%H:%M")
    if hours.start < hours.end:
        return hours.start <= wall < hours.end
    return wall >= hours.start or wall < hours.end


def require_good(hours: QuietHours) -> None:
    """Raises :class:`BadRequest` that names the field which breaks its rule."""
    for name in ("start", "end"):
        if not TIME_OF_DAY.fullmatch(getattr(hours, name)):
            raise _refusal(name, TIME_OF_DAY_RULE)
    if hours.start == hours.end:
        raise _refusal("end", N_("another time than start; for all day use do_not_disturb"))
    if _zone(hours.time_zone) is None:
        raise _refusal("time_zone", TIME_ZONE_RULE)


def _refusal(name: str, rule: str) -> BadRequest:
    return BadRequest.of(f"quiet_hours.{name}", rule)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # none of that name; not a name at all; a folder of names, or too long
        return None
