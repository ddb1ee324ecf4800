"""Which bytes a ``Range`` asks for (RFC 9110, section 14): players jump to a place in a recording with it."""

from __future__ import annotations

import re

from server.errors import RangeNotSatisfiable
from server.languages.sentences import N_

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


def wanted_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """The first byte and the one after the last that ``header`` asks for, of something of that size.

    ``None``: send everything, because there is no header, or one that may be ignored: another unit, several ranges, or
    one that is malformed (section 14.2). Raises :class:`RangeNotSatisfiable` for what lies behind the end.
    """
    found = _ONE_RANGE.fullmatch(header.strip()) if header else None
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        begin, end = max(0, size_bytes - int(found[2])), size_bytes
    else:
        begin, end = int(found[1]), min(size_bytes, int(found[2]) + 1) if found[2] else size_bytes
        if found[2] and int(found[2]) < begin:
            return None
    if begin >= size_bytes:
        raise RangeNotSatisfiable(N_("There are %(count)s bytes", count=size_bytes))
    return begin, end
