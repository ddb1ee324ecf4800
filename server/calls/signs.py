"""What shows that somebody is there."""

from __future__ import annotations

from typing import NamedTuple


class Signs(NamedTuple):
    """What shows that somebody is there: a device that is connected, one that may ring, one that is in use, a call."""

    device: bool = False
    rings: bool = False
    active: bool = False
    in_call: bool = False

    def __or__(self, other: Signs) -> Signs:
        """What is seen here or there."""
        return Signs(*(one or another for one, another in zip(self, other, strict=True)))


NO_SIGN = Signs()
