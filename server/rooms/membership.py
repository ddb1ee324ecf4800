"""Who is in a room: coming, coming back, being lost, and what the stored call has to do with it."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from server.calls.chats import Chats
from server.calls.model import Call, Leg, looks_changed
from server.calls.notices import for_each_viewer
from server.calls.switchboard import Switchboard
from server.clock import Clock
from server.close_codes import CloseCode
from server.realtime import frames
from server.realtime.background import Background
from server.realtime.bus import PRESENCE, Bus, CallNews, LegTaken, PresenceNews
from server.realtime.endpoint import Refused
from server.realtime.hub import Hub
from server.realtime.session import Session
from server.rooms.chat_log import KEPT_MESSAGES
from server.rooms.room import Room
from server.rooms.rooms import Rooms
from server.rooms.snapshot import snapshot


class Membership:
    """Lets participants in, notices when they are lost, and tells those who are there what has become of the call."""

    def __init__(
        self,
        rooms: Rooms,
        switchboard: Switchboard,
        chats: Chats,
        hub: Hub,
        bus: Bus,
        background: Background,
        clock: Clock,
        resume_window_s: float,
    ) -> None:
        self._rooms = rooms
        self._switchboard = switchboard
        self._chats = chats
        self._hub = hub
        self._bus = bus
        self._background = background
        self._now_s = clock.monotonic
        self._resume_window_s = resume_window_s
        rooms.on_leg_taken.append(self._on_leg_taken)
        rooms.on_news.append(self._on_news)

    # ── coming ──

    async def open(self, session: Session) -> dict[str, Any]:
        """Lets a participant in; the room listens before the call is read, so that no change is missed."""
        room = self._rooms.make(session.resource)
        room.opening += 1
        try:
            leg = await self._leg_in(room, session)
            await self._read_chat(room)
            self._enter(room, leg, session)
            return snapshot(room, leg)
        finally:
            room.opening -= 1
            self._rooms.close_if_empty(room)

    async def reopen(self, session: Session) -> dict[str, Any]:
        """The snapshot for a participant who comes back."""
        room = self._rooms.get(session.resource)
        if room is None:
            raise Refused(CloseCode.ENDED, "The call is over")
        return snapshot(room, await self._leg_in(room, session))

    def attached(self, session: Session) -> None:
        """The others hear ``join`` of a newcomer, and ``participant`` of somebody who has come back."""
        if not self._rooms.has(session):
            return
        room, leg_id = self._rooms.place_of(session)
        leg = room.leg(leg_id)
        if session.generation == 1:
            join = frames.Join(
                timestamp=self._rooms.timestamp(),
                call_id=room.call_id,
                user_id=leg.user.id,
                participant=room.participant(leg),
            )
            self._rooms.say(room, join, skip=leg_id)
        else:
            self._rooms.say_participant(room, leg)
        self._bus.publish(PRESENCE, PresenceNews(leg.user.id))
        self._match(leg, session)

    def _enter(self, room: Room, leg: Leg, session: Session) -> None:
        older = room.members.get(leg.leg_id)
        if older is not None and older.taken_at_s > session.taken_at_s:
            raise Refused(CloseCode.REPLACED)  # the client has come on a newer socket while this one was let in
        # By the bus, because the older one may hang on another node.
        self._bus.publish(room.topic, LegTaken(room.call_id, leg.leg_id, session.id))
        if not room.members:
            room.told = room.known()  # by the snapshot
        room.members[leg.leg_id] = session
        room.leg_ids[leg.user.id] = leg.leg_id
        room.lost.discard(leg.leg_id)
        room.forget_paths(leg.leg_id)  # what they send they go on sending, until they say otherwise
        self._hub.admit(session)

    async def _read_chat(self, room: Room) -> None:
        """What was written before, for the first to come into the room on this node; all others find it there. While
        nobody has answered nothing was: the caller's first way into the room asks for the call alone."""
        if not room.chat.is_read:
            answered = room.known().answered_at is not None
            room.chat.read(await self._chats.newest(room.call_id, KEPT_MESSAGES) if answered else [])

    async def _leg_in(self, room: Room, session: Session) -> Leg:
        """The session's leg; one read of the call. Raises :class:`Refused` for strangers and for an ended call."""
        call = await self._switchboard.find(room.call_id)
        if call is None:
            raise Refused(CloseCode.NOT_FOUND, "There is no such call")
        room.learn(call)
        call = room.known()
        leg = call.leg_of(session.who.user.id)
        if leg is None:
            raise Refused(CloseCode.FORBIDDEN, "Not a participant of this call")
        if call.is_over or not (leg.is_in_call or leg.is_ringable):
            raise Refused(CloseCode.ENDED, "The call is over")
        return leg

    def _on_leg_taken(self, room: Room, message: LegTaken) -> None:
        older = room.members.get(message.leg_id)
        if older is not None and older.id != message.session_id:
            # Out of the room first: the leg goes on with the newer session, so nobody is told that it left.
            del room.members[message.leg_id]
            room.leg_ids.pop(older.who.user.id, None)
            room.lost.discard(message.leg_id)
            for left in self._rooms.on_left:
                left(room, message.leg_id)
            self._hub.drop(older, CloseCode.REPLACED)
            self._rooms.close_if_empty(room)  # the newer one may be on another node

    # ── going ──

    def detached(self, session: Session) -> None:
        """A lost socket is not a lost call: the others see ``reconnecting``, unless they have seen the person leave."""
        if not self._rooms.has(session):
            return
        room, leg_id = self._rooms.place_of(session)
        leg = room.leg(leg_id)
        self._rooms.say_participant(room, leg)
        self._match(leg, session)

    def over(self, session: Session, code: CloseCode) -> None:
        """Nobody will come back for this session; whether the leg ends with it depends on why."""
        self._bus.publish(PRESENCE, PresenceNews(session.who.user.id))
        room = self._rooms.get(session.resource)
        leg_id = room.leg_ids.get(session.who.user.id) if room else None
        if room is None or leg_id is None or room.members.get(leg_id) is not session:
            return  # replaced by a newer one of the same person
        call = room.known()
        leg = call.leg(leg_id)
        if call.is_over or leg is None or not leg.is_in_call:
            self._remove(room, leg_id, leg.reason or "hangup" if leg else "hangup")
        elif code is CloseCode.HEARTBEAT_MISSED and room.is_heard(leg_id):
            room.lost.add(leg_id)
        elif code in (CloseCode.NORMAL, CloseCode.SIGNED_OUT):
            self._end_leg(room, leg_id, "hangup")
        else:
            self._end_leg(room, leg_id, "connection_lost")

    def sweep(self) -> int:
        """Ends the legs that were only kept because others heard them, and are heard no longer, and those that never
        came; returns how many."""
        ended = 0
        for room in self._rooms:
            for leg_id in [leg_id for leg_id in room.lost if not room.is_heard(leg_id)]:
                self._end_leg(room, leg_id, "connection_lost")
                ended += 1
            ended += self._end_absent(room)
        return ended

    def _end_absent(self, room: Room) -> int:
        """Whoever answered and is not in the room has as long as for a resume: their server was killed, say, and they
        did not come to this one."""
        call, now_s = room.call, self._now_s()
        if call is None or call.answered_at is None:
            return 0
        missing = {leg.leg_id for leg in call.legs if leg.is_in_call} - room.members.keys()
        room.absent = {leg_id: room.absent.get(leg_id, now_s) for leg_id in missing}
        late = [
            leg_id
            for leg_id, since_s in room.absent.items()
            if now_s - since_s >= self._resume_window_s and not room.is_heard(leg_id)
        ]
        for leg_id in late:
            del room.absent[leg_id]
            self._leave_soon(room, leg_id, "connection_lost", None)
        return len(late)

    def _end_leg(self, room: Room, leg_id: str, reason: Literal["hangup", "connection_lost"]) -> None:
        by = room.members[leg_id].who.user.id if reason == "hangup" else None
        self._remove(room, leg_id, reason)
        self._leave_soon(room, leg_id, reason, by)

    def _leave_soon(
        self, room: Room, leg_id: str, reason: Literal["hangup", "connection_lost"], by: str | None
    ) -> None:
        def is_gone() -> bool:
            now = self._rooms.get(room.call_id)
            return now is None or leg_id not in now.members

        self._switchboard.leave_soon(room.call_id, leg_id, reason, by, is_gone)

    def _remove(self, room: Room, leg_id: str, reason: str) -> None:
        session = room.members.pop(leg_id)
        user_id = session.who.user.id
        room.leg_ids.pop(user_id, None)
        room.lost.discard(leg_id)
        room.forget_media(leg_id)
        if not room.known().is_over:
            self._rooms.say(room, self._leave_notice(room, leg_id, user_id, reason))
        for left in self._rooms.on_left:
            left(room, leg_id)
        self._rooms.close_if_empty(room)

    def _leave_notice(self, room: Room, leg_id: str, user_id: str, reason: str) -> frames.LeaveNotice:
        return frames.LeaveNotice(
            timestamp=self._rooms.timestamp(), call_id=room.call_id, user_id=user_id, leg_id=leg_id, reason=reason
        )

    # ── the stored call ──

    def _match(self, leg: Leg, session: Session) -> None:
        """Lets the stored leg follow its socket, and the device on which that is. The database is the slower of the
        two, so this is asked again with each news of the call: a socket may be back before its loss was stored."""
        if leg.state == "joined" and session.detached_at_s is not None:
            self._background.start(partial(self._switchboard.socket_lost, session.resource, leg.leg_id), "socket_lost")
        elif leg.state == "reconnecting" and session.connection is not None:
            self._background.start(partial(self._switchboard.socket_back, session.resource, leg.leg_id), "socket_back")
        elif leg.is_in_call and leg.device is not None and leg.device.label != session.who.device:
            self._background.start(partial(self._switchboard.move, session.resource, leg.leg_id, session.who), "move")

    def _on_news(self, room: Room, news: CallNews) -> None:
        told, call = room.told, news.call
        if told is not None and call.rev <= told.rev:
            return
        room.learn(call)
        call = room.told = room.known()
        for listener in self._rooms.on_changed:
            listener(room, told, call)
        body = self._as_told(call, news.by)
        for session in list(room.members.values()):
            if looks_changed(told, call, session.who.user.id):
                session.deliver(body(session.who.user.id))
        for leg_id, session in list(room.members.items()):
            leg = room.leg(leg_id)
            if not call.is_over and (leg.is_in_call or leg.is_ringable):
                self._match(leg, session)
            else:
                self._part_from(room, leg, session)

    def _part_from(self, room: Room, leg: Leg, session: Session) -> None:
        """The leg, or the whole call, is over. Whoever only left is out of the room at once, for nobody hears them any
        more; their socket may wait for the answer to what they asked. Who is lost has none that could end."""
        is_over, is_removed = room.known().is_over, leg.reason == "removed"
        if not is_over and is_removed:
            session.deliver(frames.encode(self._leave_notice(room, leg.leg_id, leg.user.id, "removed")))
        if session.over or not is_over:
            self._remove(room, leg.leg_id, leg.reason or "hangup")
        self._hub.retire(session, CloseCode.ENDED if is_removed and not is_over else CloseCode.NORMAL)

    def _as_told(self, call: Call, by: str | None) -> Any:
        now = self._rooms.timestamp()
        frame = frames.Ended if call.is_over else frames.CallChanged
        return for_each_viewer(
            call,
            lambda shown: frames.encode(frame(timestamp=now, call_id=call.call_id, call=shown, user_id=by)),
        )
