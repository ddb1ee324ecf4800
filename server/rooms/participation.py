"""What a participant says of themselves: what they send, and which of the others they see."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from server.calls.switchboard import Switchboard
from server.errors import BadRequest
from server.languages.sentences import N_
from server.realtime import frames
from server.realtime.background import Background
from server.realtime.dispatch import Quick, Result, Slow
from server.realtime.session import Session
from server.rooms.rooms import Rooms


class Participation:
    """``media`` and ``stats``; of the latter only that media flows for the first time is stored."""

    def __init__(self, rooms: Rooms, switchboard: Switchboard, background: Background) -> None:
        self._rooms = rooms
        self._switchboard = switchboard
        self._background = background
        self.quick: Mapping[type[frames.FromClient], Quick] = {frames.Media: self._media, frames.Stats: self._stats}
        self.slow: Mapping[type[frames.FromClient], Slow] = {}

    def _media(self, session: Session, frame: frames.Media) -> Result:
        room, mine = self._rooms.place_of(session)
        room.media[mine] = {
            "audio": frame.audio,
            "video": frame.video,
            "screen": frame.screen,
            "hand": frame.hand,
        }
        self._rooms.say_participant(room, room.leg(mine))
        return None

    def _stats(self, session: Session, frame: frames.Stats) -> Result:
        room, mine = self._rooms.place_of(session)
        if room.known().leg(frame.leg_id) is None or frame.leg_id == mine:
            raise BadRequest.of("leg_id", N_("another leg of this call"))
        if room.paths.get((mine, frame.leg_id)) != frame.connection:
            room.paths[mine, frame.leg_id] = frame.connection
            self._rooms.say_participant(room, room.leg(mine))
        if frame.connection == "connected" and room.leg(mine).media_at is None:
            self._background.start(partial(self._switchboard.media_connected, room.call_id, mine), "media_connected")
        return None
