"""What a recording of a call is: who asked for it, who agreed to it and when, how far it is. It stays with the call."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from server.realtime.frames import RecordingState, UserRef
from server.wire import optional_rfc3339, rfc3339

RecordingEnd = Literal["stopped", "declined", "withdrawn", "left", "call_ended", "interrupted", "full"]
"""Why it is over: whoever asked stopped it; somebody did not agree, or agreed no longer; whoever asked has left; the
call has ended; their page was loaded anew; there was no room for more."""

LIVE: frozenset[str] = frozenset({"asked", "on", "paused"})
"""States of a recording that goes on, or may."""


class Consent(msgspec.Struct, frozen=True):
    """What one person said to a recording. With both moments they agreed first and withdrew that later."""

    leg_id: str
    user: UserRef
    agreed_at: datetime | None = None
    refused_at: datetime | None = None

    def holds(self, since: datetime | None) -> bool:
        """Whether the person agrees, who is in the call ``since`` then. Whoever has left and comes back is in another
        talk: what they said to the one before says nothing about it."""
        if self.agreed_at is None or self.refused_at is not None:
            return False
        return since is None or self.agreed_at >= since


class Recording(msgspec.Struct, frozen=True):
    """One recording of one call. ``leg_id`` is the leg of whoever asked for it, in whose browser it is made."""

    recording_id: str
    leg_id: str
    by: UserRef
    media: Literal["audio", "video"]
    state: RecordingState
    asked_at: datetime
    consents: tuple[Consent, ...]
    started_at: datetime | None = None
    """When everybody had agreed for the first time."""
    ended_at: datetime | None = None
    reason: RecordingEnd | None = None

    @property
    def is_live(self) -> bool:
        """Whether it goes on, or may when everybody has agreed."""
        return self.state in LIVE

    def consent_of(self, leg_id: str) -> Consent | None:
        """What that participant said."""
        return next((consent for consent in self.consents if consent.leg_id == leg_id), None)


def recording_view(recording: Recording) -> dict[str, Any]:
    """The recording as it crosses the wire (``docs/protocol.md``, «Recordings»)."""
    return {
        "recording_id": recording.recording_id,
        "leg_id": recording.leg_id,
        "by": recording.by,
        "media": recording.media,
        "state": recording.state,
        "asked_at": rfc3339(recording.asked_at),
        "started_at": optional_rfc3339(recording.started_at),
        "ended_at": optional_rfc3339(recording.ended_at),
        "reason": recording.reason,
        "consents": [
            {
                "leg_id": consent.leg_id,
                "user": consent.user,
                "agreed_at": optional_rfc3339(consent.agreed_at),
                "refused_at": optional_rfc3339(consent.refused_at),
            }
            for consent in recording.consents
        ],
    }
