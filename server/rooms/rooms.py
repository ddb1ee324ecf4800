"""The rooms of this node: which there are, where somebody is, and how something is said in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from server.calls.chat import ChatMessage
from server.calls.model import Call, Leg
from server.clock import Clock
from server.errors import BadRequest, BadState
from server.languages.sentences import N_
from server.realtime import frames
from server.realtime.bus import Bus, CallNews, ChatWritten, LegTaken, Message, ToLeg, ToRoom
from server.realtime.dispatch import Quick, Slow
from server.realtime.session import Session
from server.rooms.room import Room
from server.wire import Stamp, rfc3339


class RoomPart(Protocol):
    """What participants may do in a room, of one kind: the frames that it understands, quick and slow ones."""

    quick: Mapping[type[frames.FromClient], Quick]
    slow: Mapping[type[frames.FromClient], Slow]


class Rooms:
    """Every room with somebody in it, or somebody about to come in."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._rooms: dict[str, Room] = {}
        self.timestamp = Stamp(clock)
        self.on_leg_taken: list[Callable[[Room, LegTaken], None]] = []
        self.on_news: list[Callable[[Room, CallNews], None]] = []
        self.on_changed: list[Callable[[Room, Call | None, Call], None]] = []
        """Told (room, before, after) of each change of the call, just before the members are."""
        self.on_left: list[Callable[[Room, str], None]] = []
        """Told the room and the leg id of whoever is no longer in it."""

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[Room]:
        return iter(list(self._rooms.values()))

    def __getitem__(self, call_id: str) -> Room:
        return self._rooms[call_id]

    def get(self, call_id: str) -> Room | None:
        """The room of that call, if anybody is in it on this node."""
        return self._rooms.get(call_id)

    def make(self, call_id: str) -> Room:
        """The room of that call; a new one listens at once. :meth:`close_if_empty` ends it."""
        room = self._rooms.get(call_id)
        if room is None:
            room = self._rooms[call_id] = Room(call_id)
            self._bus.subscribe(room.topic, self._on_bus)
        return room

    def close_if_empty(self, room: Room) -> None:
        """Forgets a room in which nobody is, and into which nobody comes."""
        if not room.members and not room.opening and self._rooms.get(room.call_id) is room:
            del self._rooms[room.call_id]
            self._bus.unsubscribe(room.topic, self._on_bus)

    def place_of(self, session: Session) -> tuple[Room, str]:
        """Where somebody is: the room and their leg id; raises :class:`BadState` when they are not in it any more."""
        place = self._find(session)
        if place is None:
            raise BadState("No longer in this call")
        return place

    def has(self, session: Session) -> bool:
        """Whether that session is in its room; its socket may be away, or wait for a last answer when it is not."""
        return self._find(session) is not None

    def _find(self, session: Session) -> tuple[Room, str] | None:
        room = self._rooms.get(session.resource)
        leg_id = room.leg_ids.get(session.who.user.id) if room else None
        if room is None or leg_id is None or room.members.get(leg_id) is not session:
            return None
        return room, leg_id

    # ── saying something ──

    def say(self, room: Room, frame: frames.ToClient, skip: str | None = None) -> None:
        """To everybody in the room, on every node, but the leg ``skip``."""
        self._bus.publish(room.topic, ToRoom(room.call_id, frames.encode(frame), skip))

    def say_to(self, room: Room, mine: str, to: str, frame: frames.ToClient, field: str = "to") -> None:
        """From one leg to another alone; raises :class:`BadRequest` of ``field`` where ``to`` is no other leg of the
        call, and :class:`BadState` when they are not in the room."""
        if to not in room.members or to == mine:
            if to != mine and room.known().leg(to) is not None:
                raise BadState("That participant is not in the room")
            raise BadRequest.of(field, N_("another leg of this call"))
        self._bus.publish(room.topic, ToLeg(room.call_id, to, frames.encode(frame)))

    def say_participant(self, room: Room, leg: Leg) -> None:
        """Shows a member, as they are now, to the others."""
        shown = room.participant(leg)
        frame = frames.Participant(
            timestamp=self.timestamp(),
            call_id=room.call_id,
            user_id=leg.user.id,
            leg_id=leg.leg_id,
            connection=shown["connection"],
            media=shown["media"],
            paths=shown["paths"],
        )
        self.say(room, frame, skip=leg.leg_id)

    # ── hearing it ──

    def _on_bus(self, message: Message) -> None:
        if isinstance(message, ToLeg):
            session = self._rooms[message.call_id].members.get(message.leg_id)
            if session is not None:
                session.deliver(message.body)
        elif isinstance(message, ToRoom):
            for leg_id, session in list(self._rooms[message.call_id].members.items()):
                if leg_id != message.skip_leg_id:
                    session.deliver(message.body)
        elif isinstance(message, ChatWritten):
            self._on_chat(self._rooms[message.message.call_id], message.message)
        elif isinstance(message, LegTaken):
            for taken in self.on_leg_taken:
                taken(self._rooms[message.call_id], message)
        elif isinstance(message, CallNews):
            for heard in self.on_news:
                heard(self._rooms[message.call.call_id], message)

    def _on_chat(self, room: Room, message: ChatMessage) -> None:
        if not room.chat.add(message):
            return
        frame = frames.Chat(
            timestamp=self.timestamp(),
            call_id=message.call_id,
            user_id=message.user.id,
            message_id=message.message_id,
            user=message.user,
            text=message.text,
            sent_at=rfc3339(message.sent_at),
            client_id=message.client_id,
        )
        body = frames.encode(frame)
        for session in list(room.members.values()):
            session.deliver(body)
