"""Going on purpose: leaving a call, or ending it for everybody."""

from __future__ import annotations

from collections.abc import Mapping

from server.calls.switchboard import Switchboard
from server.close_codes import CloseCode
from server.realtime import frames
from server.realtime.dispatch import Quick, Result, Slow
from server.realtime.hub import Hub
from server.realtime.session import Session
from server.rooms.rooms import Rooms


class Departure:
    """``leave`` and ``hangup``: what follows is told by the news of the call."""

    def __init__(self, rooms: Rooms, switchboard: Switchboard, hub: Hub) -> None:
        self._rooms = rooms
        self._switchboard = switchboard
        self._hub = hub
        self.quick: Mapping[type[frames.FromClient], Quick] = {}
        self.slow: Mapping[type[frames.FromClient], Slow] = {
            frames.Leave: self._leave,
            frames.HangUp: self._hang_up,
        }

    async def _leave(self, session: Session, frame: frames.Leave) -> Result:
        room, mine = self._rooms.place_of(session)
        call = await self._switchboard.leave(room.call_id, mine, frame.reason, session.who.user.id)
        leg = call.leg(mine)
        if leg is not None and leg.is_ringable:  # came in to look before answering: it rings on, and nothing is stored
            self._hub.retire(session, CloseCode.NORMAL)
        return None

    async def _hang_up(self, session: Session, frame: frames.HangUp) -> Result:
        await self._switchboard.hang_up(session.resource, session.who, frame.reason)
        return None
