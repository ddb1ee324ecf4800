"""The first frame of every connection, `connected`: who we are, and the terms the server sets."""

from __future__ import annotations

from typing import Any

import msgspec

from .model import User


class Heartbeat(msgspec.Struct, frozen=True):
    """A server lets no client go unspoken-to for longer than `interval_s`; silence past both together is a dead one."""

    interval_s: float
    timeout_s: float

    @property
    def longest_silence_s(self) -> float:
        """How long a living server can be silent."""
        return self.interval_s + self.timeout_s


class ResumeTerms(msgspec.Struct, frozen=True):
    """How long after a loss a session can be taken up again, in seconds."""

    window_s: float


class Limits(msgspec.Struct, frozen=True):
    """What a client may send. None where the server does not say."""

    max_frame_bytes: int | None = None
    max_sdp_bytes: int | None = None
    frames_per_s: float | None = None
    burst: int | None = None


class Connected(msgspec.Struct, frozen=True):
    """`connected`, as a value. The snapshot is everything a program needs to draw itself; its shape is the socket's."""

    connection_id: str
    epoch: str | int
    user: User
    heartbeat: Heartbeat
    resume: ResumeTerms
    limits: Limits
    snapshot: dict[str, Any]
