"""One room: what this node knows of one call and of whoever is in it."""

from __future__ import annotations

from typing import Any, Literal

from server.calls.model import Call, Leg
from server.realtime import frames
from server.realtime.bus import call_topic
from server.realtime.limits import TokenBucket
from server.realtime.session import Session
from server.rooms.chat_log import ChatLog

SILENT_MEDIA = {"audio": False, "video": False, "screen": False, "hand": False}
"""What a participant sends until their first ``media`` frame."""


class Room:
    """One call on this node: who is in it, what each sends, and which pairs see each other."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.topic = call_topic(call_id)
        self.call: Call | None = None  # the newest that was read or heard
        self.told: Call | None = None  # what the members were told last: who comes in may read more than they know
        self.members: dict[str, Session] = {}  # by leg id; a member's socket may be away
        self.leg_ids: dict[str, str] = {}  # by user id
        self.media: dict[str, dict[str, bool]] = {}  # by leg id
        self.paths: dict[tuple[str, str], frames.Connectivity] = {}  # (who says, about whom), leg ids
        self.opening = 0  # how many wait for the database to be let in
        self.lost: set[str] = set()  # legs whose resume window is over while others still hear them
        self.absent: dict[str, float] = {}  # legs in the call of which nothing was seen here, since (monotonic)
        self.chat = ChatLog()
        self.buckets: dict[tuple[str, str], TokenBucket] = {}  # by leg id and kind of frame

    def learn(self, call: Call) -> None:
        """Takes ``call`` if it is newer than what is known."""
        if self.call is None or call.rev > self.call.rev:
            self.call = call

    def known(self) -> Call:
        """The call; a room with members always knows it."""
        assert self.call is not None
        return self.call

    def leg(self, leg_id: str) -> Leg:
        """A member's leg."""
        leg = self.known().leg(leg_id)
        assert leg is not None
        return leg

    def participant(self, leg: Leg) -> dict[str, Any]:
        """A member as the others see them."""
        session = self.members[leg.leg_id]
        return {
            "leg_id": leg.leg_id,
            "user": leg.user,
            "rank": self.known().rank(leg.leg_id),
            "connection": _connection(session),
            "media": self.media.get(leg.leg_id, SILENT_MEDIA),
            "paths": {about: state for (who, about), state in self.paths.items() if who == leg.leg_id},
        }

    def others(self, leg_id: str) -> list[dict[str, Any]]:
        """Everybody in the room but one."""
        return [
            self.participant(leg) for leg in self.known().legs if leg.leg_id in self.members and leg.leg_id != leg_id
        ]

    def is_heard(self, leg_id: str) -> bool:
        """Whether somebody whose socket is there reports that media from this leg flows."""
        return any(
            about == leg_id and state == "connected" and self._is_here(who)
            for (who, about), state in self.paths.items()
        )

    def forget_media(self, leg_id: str) -> None:
        """The leg sends nothing known any more, and no path to or from it is known."""
        self.media.pop(leg_id, None)
        self.forget_paths(leg_id)

    def forget_paths(self, leg_id: str) -> None:
        """No path to or from the leg is known: it comes with another client."""
        self.paths = {pair: state for pair, state in self.paths.items() if leg_id not in pair}

    def _is_here(self, leg_id: str) -> bool:
        session = self.members.get(leg_id)
        return session is not None and session.connection is not None


def _connection(session: Session) -> Literal["connected", "reconnecting"]:
    # A newcomer whose ``connected`` is just being sent has no socket attached yet, and is there.
    return "reconnecting" if session.detached_at_s is not None else "connected"
