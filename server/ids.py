"""Ids: UUIDv7 strings, which sort by the time they were made."""

from __future__ import annotations

import re
from datetime import datetime

import uuid_utils

# RFC 9562, section 5.7: version 7, variant 10; only the lower-case text form, so that one id has one spelling.
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new_id() -> str:
    """A new id: a UUIDv7 in its 36-character lower-case form."""
    return str(uuid_utils.uuid7())


def lowest_id_at(moment: datetime) -> str:
    """A text that every id of ``moment`` or later is above, and every id of an earlier millisecond below."""
    ms = f"{round(moment.timestamp() * 1000):012x}"  # RFC 9562, section 5.7: the first 48 bits
    return f"{ms[:8]}-{ms[8:]}-7000-8000-000000000000"


def is_id(text: str) -> bool:
    """Whether ``text`` is an id as ``new_id`` makes them; a cheap test before a database is asked."""
    return _UUID7.fullmatch(text) is not None
