"""The rooms: ``/ws/call/{call_id}``, where the participants of one call find and hear each other."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import msgspec

from server.calls.chat_log import ChatLog
from server.calls.model import Call, Leg, looks_changed, view
from server.calls.notices import for_each_viewer
from server.calls.switchboard import Switchboard
from server.clock import Clock
from server.close_codes import CloseCode
from server.errors import BadRequest, BadState, TooLarge
from server.ids import new_id
from server.languages.sentences import N_
from server.realtime import frames
from server.realtime.background import Background
from server.realtime.bus import PRESENCE, Bus, CallNews, LegTaken, Message, PresenceNews, ToLeg, ToRoom, call_topic
from server.realtime.dispatch import Commands, Result
from server.realtime.endpoint import Refused
from server.realtime.hub import Hub
from server.realtime.session import Session
from server.settings import SocketSettings
from server.wire import Stamp

SILENT_MEDIA = {"audio": False, "video": False, "screen": False, "hand": False}
"""What a participant sends until their first ``media`` frame."""


_Plain = str | int | float | bool | None
_candidates = msgspec.json.Decoder(list[dict[str, _Plain] | _Plain])
"""No deeper and with no larger numbers than every client can read: what one passes on must not end another's socket."""


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

    def learn(self, call: Call) -> None:
        """Takes ``call`` if it is newer than what is known."""
        if self.call is None or call.rev > self.call.rev:
            self.call = call

    def known(self) -> Call:
        """The call; a room with members always knows it."""
        assert self.call is not None
        return self.call

    def participant(self, leg: Leg) -> dict[str, Any]:
        """A member as the others see them."""
        session = self.members[leg.leg_id]
        return {
            "leg_id": leg.leg_id,
            "user": leg.user,
            "rank": self.known().rank(leg.leg_id),
            "connection": _connection(session),
            "media": self.media.get(leg.leg_id, SILENT_MEDIA),
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

    def _is_here(self, leg_id: str) -> bool:
        session = self.members.get(leg_id)
        return session is not None and session.connection is not None


class Rooms:
    """The endpoint ``call``: lets participants in, passes their signaling on, and notices when they are lost."""

    kind = "call"

    def __init__(
        self,
        switchboard: Switchboard,
        hub: Hub,
        bus: Bus,
        background: Background,
        clock: Clock,
        settings: SocketSettings,
    ) -> None:
        self._switchboard = switchboard
        self._hub = hub
        self._bus = bus
        self._background = background
        self._timestamp = Stamp(clock)
        self._now_s = clock.monotonic
        self._max_sdp_bytes = settings.max_sdp_bytes
        self._max_chat_characters = settings.max_chat_characters
        self.interval_s = settings.call_heartbeat_interval_s
        self.resume_window_s = settings.call_resume_window_s
        self._rooms: dict[str, Room] = {}
        self.commands = Commands(
            reader=frames.FrameReader(
                frames.Offer,
                frames.Answer,
                frames.Candidate,
                frames.Media,
                frames.ChatFromClient,
                frames.Stats,
                frames.Leave,
                frames.HangUp,
            ),
            quick={
                frames.Offer: self._offer,
                frames.Answer: self._answer,
                frames.Candidate: self._candidate,
                frames.Media: self._media,
                frames.ChatFromClient: self._chat,
                frames.Stats: self._stats,
            },
            slow={frames.Leave: self._leave, frames.HangUp: self._hang_up},
        )

    def __len__(self) -> int:
        return len(self._rooms)

    def get(self, call_id: str) -> Room | None:
        """The room of that call, if anybody is in it on this node."""
        return self._rooms.get(call_id)

    # ── coming ──

    async def open(self, session: Session) -> dict[str, Any]:
        """Lets a participant in; the room listens before the call is read, so that no change is missed."""
        room = self._rooms.get(session.resource)
        if room is None:
            room = self._rooms[session.resource] = Room(session.resource)
            self._bus.subscribe(room.topic, self._on_bus)
        room.opening += 1
        try:
            leg = await self._leg_in(room, session)
            self._enter(room, leg, session)
            return self._snapshot(room, leg)
        finally:
            room.opening -= 1
            self._close_if_empty(room)

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
        self._forget_media(room, leg.leg_id)
        self._hub.admit(session)

    async def reopen(self, session: Session) -> dict[str, Any]:
        """The snapshot for a participant who comes back."""
        room = self._rooms[session.resource]
        return self._snapshot(room, await self._leg_in(room, session))

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

    def _snapshot(self, room: Room, leg: Leg) -> dict[str, Any]:
        return {
            "call": view(room.known(), leg.user.id),
            "leg_id": leg.leg_id,
            "participants": room.others(leg.leg_id),
            "chat": room.chat.messages(),
        }

    def session_attached(self, session: Session) -> None:
        """The others hear ``join`` of a newcomer, and ``participant`` of somebody who has come back."""
        room, leg_id = self._place_of(session)
        leg = room.known().leg(leg_id)
        assert leg is not None
        if session.generation == 1:
            self._broadcast(
                room,
                frames.Join(
                    timestamp=self._timestamp(),
                    call_id=room.call_id,
                    user_id=leg.user.id,
                    participant=room.participant(leg),
                ),
                skip=leg_id,
            )
        else:
            self._broadcast_participant(room, leg)
        self._bus.publish(PRESENCE, PresenceNews(leg.user.id))
        self._match(leg, session)

    # ── going ──

    def session_detached(self, session: Session) -> None:
        """A lost socket is not a lost call: the others see ``reconnecting``."""
        room, leg_id = self._place_of(session)
        leg = room.known().leg(leg_id)
        assert leg is not None
        self._broadcast_participant(room, leg)
        self._match(leg, session)

    def _match(self, leg: Leg, session: Session) -> None:
        """Lets the stored leg follow its socket. The database is the slower of the two, so this is asked again with
        each news of the call: a socket may be back before its loss was stored."""
        if leg.state == "joined" and session.detached_at_s is not None:
            self._background.start(partial(self._switchboard.socket_lost, session.resource, leg.leg_id), "socket_lost")
        elif leg.state == "reconnecting" and session.connection is not None:
            self._background.start(partial(self._switchboard.socket_back, session.resource, leg.leg_id), "socket_back")

    def session_silenced(self, session: Session) -> None:
        """A room does not ring."""

    def session_over(self, session: Session, code: CloseCode) -> None:
        """Nobody will come back for this session; whether the leg ends with it depends on why."""
        self._bus.publish(PRESENCE, PresenceNews(session.who.user.id))
        room = self._rooms.get(session.resource)
        leg_id = room.leg_ids.get(session.who.user.id) if room else None
        if room is None or leg_id is None or room.members.get(leg_id) is not session:
            return  # replaced by a newer one of the same person
        call = room.known()
        leg = call.leg(leg_id)
        if call.is_over or leg is None or not leg.is_in_call:
            self._remove(room, leg_id, "hangup")
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
        for room in list(self._rooms.values()):
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
            if now_s - since_s >= self.resume_window_s and not room.is_heard(leg_id)
        ]
        for leg_id in late:
            del room.absent[leg_id]
            leave = partial(self._switchboard.leave, room.call_id, leg_id, "connection_lost", None)
            self._background.start(leave, "leave")
        return len(late)

    def _end_leg(self, room: Room, leg_id: str, reason: Literal["hangup", "connection_lost"]) -> None:
        by = room.members[leg_id].who.user.id if reason == "hangup" else None
        self._remove(room, leg_id, reason)
        self._switchboard.leave_soon(room.call_id, leg_id, reason, by)

    def _remove(self, room: Room, leg_id: str, reason: str) -> None:
        session = room.members.pop(leg_id)
        user_id = session.who.user.id
        room.leg_ids.pop(user_id, None)
        room.lost.discard(leg_id)
        self._forget_media(room, leg_id)
        if not room.known().is_over:
            self._broadcast(
                room,
                frames.LeaveNotice(
                    timestamp=self._timestamp(),
                    call_id=room.call_id,
                    user_id=user_id,
                    leg_id=leg_id,
                    reason=reason,
                ),
            )
        self._close_if_empty(room)

    def _forget_media(self, room: Room, leg_id: str) -> None:
        room.media.pop(leg_id, None)
        room.paths = {pair: state for pair, state in room.paths.items() if leg_id not in pair}

    def _close_if_empty(self, room: Room) -> None:
        if not room.members and not room.opening and self._rooms.get(room.call_id) is room:
            del self._rooms[room.call_id]
            self._bus.unsubscribe(room.topic, self._on_bus)

    # ── signaling: nothing here touches the database ──

    def _offer(self, session: Session, frame: frames.Offer) -> Result:
        self._require_sdp(frame.sdp)
        room, mine = self._place_of(session)
        relayed = frames.RelayedOffer(
            timestamp=self._timestamp(), call_id=room.call_id, user_id=session.who.user.id, from_=mine, sdp=frame.sdp
        )
        return self._relay(room, mine, frame.to, relayed)

    def _answer(self, session: Session, frame: frames.Answer) -> Result:
        self._require_sdp(frame.sdp)
        room, mine = self._place_of(session)
        relayed = frames.RelayedAnswer(
            timestamp=self._timestamp(), call_id=room.call_id, user_id=session.who.user.id, from_=mine, sdp=frame.sdp
        )
        return self._relay(room, mine, frame.to, relayed)

    def _candidate(self, session: Session, frame: frames.Candidate) -> Result:
        try:
            _candidates.decode(frame.candidates)
        except (msgspec.MsgspecError, RecursionError):
            raise BadRequest.of("candidates", N_("a list of RTCIceCandidateInit")) from None
        room, mine = self._place_of(session)
        relayed = frames.RelayedCandidate(
            timestamp=self._timestamp(),
            call_id=room.call_id,
            user_id=session.who.user.id,
            from_=mine,
            candidates=frame.candidates,
        )
        return self._relay(room, mine, frame.to, relayed)

    def _relay(self, room: Room, mine: str, to: str, frame: frames.ToClient) -> Result:
        if to not in room.members or to == mine:
            if to != mine and room.known().leg(to) is not None:
                raise BadState("That participant is not in the room")
            raise BadRequest.of("to", N_("another leg of this call"))
        self._bus.publish(room.topic, ToLeg(room.call_id, to, frames.encode(frame)))
        return None

    def _require_sdp(self, sdp: msgspec.Raw) -> None:
        raw = bytes(sdp)
        if raw[:1] != b'"':
            raise BadRequest.of("sdp", N_("a string"))
        # The escaped form is the longer one, so most are judged without being decoded.
        if len(raw) > self._max_sdp_bytes and len(msgspec.json.decode(raw).encode()) > self._max_sdp_bytes:
            raise TooLarge.of("sdp", N_("at most %(count)s bytes", count=self._max_sdp_bytes))

    def _media(self, session: Session, frame: frames.Media) -> Result:
        room, mine = self._place_of(session)
        room.media[mine] = {
            "audio": frame.audio,
            "video": frame.video,
            "screen": frame.screen,
            "hand": frame.hand,
        }
        leg = room.known().leg(mine)
        assert leg is not None
        self._broadcast_participant(room, leg)
        return None

    def _chat(self, session: Session, frame: frames.ChatFromClient) -> Result:
        if len(frame.text) > self._max_chat_characters:
            raise TooLarge.of("text", N_("at most %(count)s characters", count=self._max_chat_characters))
        room, _ = self._place_of(session)
        now = self._timestamp()
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

    def _stats(self, session: Session, frame: frames.Stats) -> Result:
        room, mine = self._place_of(session)
        if room.known().leg(frame.leg_id) is None or frame.leg_id == mine:
            raise BadRequest.of("leg_id", N_("another leg of this call"))
        room.paths[mine, frame.leg_id] = frame.connection
        leg = room.known().leg(mine)
        if frame.connection == "connected" and leg is not None and leg.media_at is None:
            self._background.start(partial(self._switchboard.media_connected, room.call_id, mine), "media_connected")
        return None

    async def _leave(self, session: Session, frame: frames.Leave) -> Result:
        room, mine = self._place_of(session)
        call = await self._switchboard.leave(room.call_id, mine, "hangup", session.who.user.id)
        leg = call.leg(mine)
        if leg is not None and leg.is_ringable:  # came in to look before answering: it rings on, and nothing is stored
            self._hub.retire(session, CloseCode.NORMAL)
        return None

    async def _hang_up(self, session: Session, frame: frames.HangUp) -> Result:
        await self._switchboard.hang_up(session.resource, session.who, frame.reason)
        return None

    # ── news ──

    def _on_bus(self, message: Message) -> None:
        if isinstance(message, ToLeg):
            session = self._rooms[message.call_id].members.get(message.leg_id)
            if session is not None:
                session.deliver(message.body)
        elif isinstance(message, ToRoom):
            for leg_id, session in list(self._rooms[message.call_id].members.items()):
                if leg_id != message.skip_leg_id:
                    session.deliver(message.body)
        elif isinstance(message, LegTaken):
            self._on_leg_taken(self._rooms[message.call_id], message)
        elif isinstance(message, CallNews):
            self._on_news(self._rooms[message.call.call_id], message.call, message.by)

    def _on_leg_taken(self, room: Room, message: LegTaken) -> None:
        older = room.members.get(message.leg_id)
        if older is not None and older.id != message.session_id:
            # Out of the room first: the leg goes on with the newer session, so nobody is told that it left.
            del room.members[message.leg_id]
            self._hub.drop(older, CloseCode.REPLACED)

    def _on_news(self, room: Room, call: Call, by: str | None) -> None:
        told = room.told
        if told is not None and call.rev <= told.rev:
            return
        room.learn(call)
        call = room.told = room.known()
        now = self._timestamp()
        frame = frames.Ended if call.is_over else frames.CallChanged
        body = for_each_viewer(
            call,
            lambda shown: frames.encode(frame(timestamp=now, call_id=call.call_id, call=shown, user_id=by)),
        )
        for leg_id, session in list(room.members.items()):
            if looks_changed(told, call, session.who.user.id):
                session.deliver(body(session.who.user.id))
            leg = call.leg(leg_id)
            if call.is_over or leg is None or not (leg.is_in_call or leg.is_ringable):
                self._hub.retire(session, CloseCode.NORMAL)
            else:
                self._match(leg, session)

    def _broadcast(self, room: Room, frame: frames.ToClient, skip: str | None = None) -> None:
        self._bus.publish(room.topic, ToRoom(room.call_id, frames.encode(frame), skip))

    def _broadcast_participant(self, room: Room, leg: Leg) -> None:
        shown = room.participant(leg)
        self._broadcast(
            room,
            frames.Participant(
                timestamp=self._timestamp(),
                call_id=room.call_id,
                user_id=leg.user.id,
                leg_id=leg.leg_id,
                connection=shown["connection"],
                media=shown["media"],
            ),
            skip=leg.leg_id,
        )

    def _place_of(self, session: Session) -> tuple[Room, str]:
        room = self._rooms.get(session.resource)
        leg_id = room.leg_ids.get(session.who.user.id) if room else None
        if room is None or leg_id is None or room.members.get(leg_id) is not session:
            raise BadState("No longer in this call")
        return room, leg_id


def _connection(session: Session) -> Literal["connected", "reconnecting"]:
    # A newcomer whose ``connected`` is just being sent has no socket attached yet, and is there.
    return "reconnecting" if session.detached_at_s is not None else "connected"
