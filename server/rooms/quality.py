"""What participants have measured of the paths between them: told to the others, and kept with the call."""

from __future__ import annotations

from collections.abc import Mapping

from server.calls.quality_log import QualityLog
from server.errors import BadRequest
from server.languages.sentences import N_
from server.realtime import frames
from server.realtime.dispatch import Quick, Result, Slow
from server.realtime.session import Session
from server.rooms.pace import Pace
from server.rooms.room import Room
from server.rooms.rooms import Rooms


class Quality:
    """``quality``. Slow, because the first report of a leg asks the database; the others hear of it before that."""

    def __init__(self, rooms: Rooms, log: QualityLog, pace: Pace) -> None:
        self._rooms = rooms
        self._pace = pace
        self._log = log
        self.quick: Mapping[type[frames.FromClient], Quick] = {}
        self.slow: Mapping[type[frames.FromClient], Slow] = {frames.Quality: self._quality}
        rooms.on_left.append(self._on_left)

    async def _quality(self, session: Session, frame: frames.Quality) -> Result:
        room, mine = self._rooms.place_of(session)
        call = room.known()
        if any(call.leg(leg_id) is None or leg_id == mine for leg_id in frame.legs):
            raise BadRequest.of("legs", N_("ids of other legs of this call"))
        self._pace.count(room, mine, "quality")
        notice = frames.QualityNotice(
            timestamp=self._rooms.timestamp(),
            call_id=room.call_id,
            user_id=session.who.user.id,
            leg_id=mine,
            legs=frame.legs,
        )
        self._rooms.say(room, notice, skip=mine)
        await self._log.note(room.call_id, mine, frame.legs)
        if mine not in room.members:  # gone while the database was asked
            self._log.left(room.call_id, mine)
        return None

    def _on_left(self, room: Room, leg_id: str) -> None:
        self._log.left(room.call_id, leg_id)
