"""``/ws/call/{call_id}``, where the participants of one call find and hear each other."""

from __future__ import annotations

from typing import Any

from server.calls.chats import Chats
from server.calls.dialling import Dialling
from server.calls.quality_log import QualityLog
from server.calls.switchboard import Switchboard
from server.clock import Clock
from server.close_codes import CloseCode
from server.realtime import frames
from server.realtime.background import Background
from server.realtime.bus import Bus
from server.realtime.dispatch import Commands, Quick, Slow
from server.realtime.hub import Hub
from server.realtime.session import Session
from server.rooms.captions import Captions
from server.rooms.chat import Chat
from server.rooms.departure import Departure
from server.rooms.hosting import Hosting
from server.rooms.invitations import Invitations
from server.rooms.membership import Membership
from server.rooms.pace import Pace
from server.rooms.participation import Participation
from server.rooms.quality import Quality
from server.rooms.recording import RecordingConsent
from server.rooms.rooms import RoomPart, Rooms
from server.rooms.signaling import Signaling
from server.settings import SocketSettings
from server.store.transcripts import TranscriptStore


class CallEndpoint:
    """The endpoint ``call``: its parts put together; each frame has its part."""

    kind = "call"

    def __init__(
        self,
        switchboard: Switchboard,
        quality: QualityLog,
        transcripts: TranscriptStore,
        dialling: Dialling,
        chats: Chats,
        hub: Hub,
        bus: Bus,
        background: Background,
        clock: Clock,
        settings: SocketSettings,
        records: bool,
    ) -> None:
        """``records``: whether calls may be recorded."""
        self.interval_s = settings.call_heartbeat_interval_s
        self.resume_window_s = settings.call_resume_window_s
        self._rooms = rooms = Rooms(bus, clock)
        pace = Pace(clock, settings.chats_per_minute)
        self._membership = Membership(rooms, switchboard, chats, hub, bus, background, clock, self.resume_window_s)
        self.commands = commands_of(
            Signaling(rooms, settings.max_sdp_bytes),
            Participation(rooms, switchboard, background),
            Chat(rooms, chats, pace, settings.max_chat_characters),
            Quality(rooms, quality, pace),
            Invitations(rooms, dialling),
            Hosting(rooms, switchboard),
            RecordingConsent(rooms, switchboard, background, clock, records),
            Captions(rooms, transcripts, pace, clock),
            Departure(rooms, switchboard, hub),
        )

    def __len__(self) -> int:
        return len(self._rooms)

    async def open(self, session: Session) -> dict[str, Any]:
        """Lets a participant in; raises :class:`~server.realtime.endpoint.Refused` for strangers and ended calls."""
        return await self._membership.open(session)

    async def reopen(self, session: Session) -> dict[str, Any]:
        """The snapshot for a participant who comes back."""
        return await self._membership.reopen(session)

    def session_attached(self, session: Session) -> None:
        """See :meth:`Membership.attached`."""
        self._membership.attached(session)

    def session_detached(self, session: Session) -> None:
        """See :meth:`Membership.detached`."""
        self._membership.detached(session)

    def session_silenced(self, session: Session) -> None:
        """A room does not ring."""

    def session_over(self, session: Session, code: CloseCode) -> None:
        """See :meth:`Membership.over`."""
        self._membership.over(session, code)

    def sweep(self) -> int:
        """See :meth:`Membership.sweep`."""
        return self._membership.sweep()


def commands_of(*parts: RoomPart) -> Commands:
    """What all the parts understand together."""
    quick: dict[type[frames.FromClient], Quick] = {}
    slow: dict[type[frames.FromClient], Slow] = {}
    for part in parts:
        quick |= part.quick
        slow |= part.slow
    return Commands(reader=frames.FrameReader(*quick, *slow), quick=quick, slow=slow)
