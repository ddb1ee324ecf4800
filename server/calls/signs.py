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
        return Signs(
            self.device or other.device,
            self.rings or other.rings,
            self.active or other.active,
            self.in_call or other.in_call,
        )


NO_SIGN = Signs()
