"""What the host of a call may do with the others: ask one to mute, or send one away."""

from __future__ import annotations

from collections.abc import Mapping

from server.calls.switchboard import Switchboard
from server.errors import Forbidden
from server.realtime import frames
from server.realtime.dispatch import Quick, Result, Slow
from server.realtime.session import Session
from server.rooms.rooms import Rooms


class Hosting:
    """``mute_request`` and ``remove``; for everybody but the host they are refused."""

    def __init__(self, rooms: Rooms, switchboard: Switchboard) -> None:
        self._rooms = rooms
        self._switchboard = switchboard
        self.quick: Mapping[type[frames.FromClient], Quick] = {frames.MuteRequest: self._ask_to_mute}
        self.slow: Mapping[type[frames.FromClient], Slow] = {frames.Remove: self._remove}

    def _ask_to_mute(self, session: Session, frame: frames.MuteRequest) -> Result:
        room, mine = self._rooms.place_of(session)
        host = room.known().host
        if host is None or host.leg_id != mine:
            raise Forbidden("Only the host of the call can do that")
        asked = frames.MuteRequested(
            timestamp=self._rooms.timestamp(), call_id=room.call_id, user_id=session.who.user.id, from_=mine
        )
        self._rooms.say_to(room, mine, frame.to, asked)
        return None

    async def _remove(self, session: Session, frame: frames.Remove) -> Result:
        room, _ = self._rooms.place_of(session)
        await self._switchboard.remove(room.call_id, session.who, frame.leg_id)
        return None
