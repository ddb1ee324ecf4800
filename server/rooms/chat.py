"""What is written in a call."""

from __future__ import annotations

from collections.abc import Mapping

from server.calls.chats import Chats
from server.errors import TooLarge
from server.languages.sentences import N_
from server.realtime import frames
from server.realtime.dispatch import Quick, Result, Slow
from server.realtime.session import Session
from server.rooms.pace import Pace
from server.rooms.rooms import Rooms


class Chat:
    """``chat``: a message to everybody in the room, the writer too, once it is stored."""

    def __init__(self, rooms: Rooms, chats: Chats, pace: Pace, max_characters: int) -> None:
        self._rooms = rooms
        self._pace = pace
        self._chats = chats
        self._max_characters = max_characters
        self.quick: Mapping[type[frames.FromClient], Quick] = {}
        self.slow: Mapping[type[frames.FromClient], Slow] = {frames.ChatFromClient: self._chat}

    async def _chat(self, session: Session, frame: frames.ChatFromClient) -> Result:
        if len(frame.text) > self._max_characters:
            raise TooLarge.of("text", N_("at most %(count)s characters", count=self._max_characters))
        room, mine = self._rooms.place_of(session)
        self._pace.count(room, mine, "chat")
        message = await self._chats.write(room.call_id, session.who.user, frame.text, frame.client_id)
        return {"message_id": message.message_id}
