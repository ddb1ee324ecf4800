"""What is written in a call."""

from __future__ import annotations

from collections.abc import Mapping

from server.errors import TooLarge
from server.ids import new_id
from server.languages.sentences import N_
from server.realtime import frames
from server.realtime.bus import Bus, ToRoom
from server.realtime.dispatch import Quick, Result, Slow
from server.realtime.session import Session
from server.rooms.rooms import Rooms


class Chat:
    """``chat``: a message to everybody in the room, the writer too."""

    def __init__(self, rooms: Rooms, bus: Bus, max_characters: int) -> None:
        self._rooms = rooms
        self._bus = bus
        self._max_characters = max_characters
        self.quick: Mapping[type[frames.FromClient], Quick] = {frames.ChatFromClient: self._chat}
        self.slow: Mapping[type[frames.FromClient], Slow] = {}

    def _chat(self, session: Session, frame: frames.ChatFromClient) -> Result:
        if len(frame.text) > self._max_characters:
            raise TooLarge.of("text", N_("at most %(count)s characters", count=self._max_characters))
        room, _ = self._rooms.place_of(session)
        now = self._rooms.timestamp()
        user, message_id = session.who.user, new_id()
        body = frames.encode(
            frames.Chat(
                timestamp=now,
                call_id=room.call_id,
                user_id=user.id,
                message_id=message_id,
                user=user,
                text=frame.text,
                sent_at=now,
            )
        )
        room.chat.add({"message_id": message_id, "user": user, "text": frame.text, "sent_at": now}, len(body))
        self._bus.publish(room.topic, ToRoom(room.call_id, body))
        return {"message_id": message_id}
