"""Calling others into a call that goes on."""

from __future__ import annotations

from collections.abc import Mapping

from server.calls.dialling import Dialling
from server.calls.model import view
from server.realtime import frames
from server.realtime.dispatch import Quick, Result, Slow
from server.realtime.session import Session
from server.rooms.rooms import Rooms


class Invitations:
    """``invite``; the answer has the call as it is then."""

    def __init__(self, rooms: Rooms, dialling: Dialling) -> None:
        self._rooms = rooms
        self._dialling = dialling
        self.quick: Mapping[type[frames.FromClient], Quick] = {}
        self.slow: Mapping[type[frames.FromClient], Slow] = {frames.Invite: self._invite}

    async def _invite(self, session: Session, frame: frames.Invite) -> Result:
        room, _ = self._rooms.place_of(session)
        call = await self._dialling.invite(session.who, room.call_id, frame.usernames)
        return {"call": view(call, session.who.user.id)}
