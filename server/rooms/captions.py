"""What participants say, as text: shown to everybody while it is said, and kept as the transcript when it has been."""

from __future__ import annotations

from collections.abc import Mapping

from server.calls.transcript import MAX_LINES, TranscriptLine
from server.clock import Clock
from server.ids import new_id
from server.realtime import frames
from server.realtime.dispatch import Quick, Result, Slow
from server.realtime.session import Session
from server.rooms.pace import Pace
from server.rooms.rooms import Rooms
from server.store.transcripts import TranscriptStore


class Captions:
    """``caption``. Everybody reads it before it is stored: a caption that is late is none."""

    def __init__(self, rooms: Rooms, transcripts: TranscriptStore, pace: Pace, clock: Clock) -> None:
        self._rooms = rooms
        self._pace = pace
        self._transcripts = transcripts
        self._clock = clock
        self.quick: Mapping[type[frames.FromClient], Quick] = {}
        self.slow: Mapping[type[frames.FromClient], Slow] = {frames.Caption: self._caption}

    async def _caption(self, session: Session, frame: frames.Caption) -> Result:
        room, mine = self._rooms.place_of(session)
        self._pace.count(room, mine, "caption" if frame.final else "interim_caption")
        notice = frames.CaptionNotice(
            timestamp=self._rooms.timestamp(),
            call_id=room.call_id,
            user_id=session.who.user.id,
            leg_id=mine,
            segment=frame.segment,
            text=frame.text,
            final=frame.final,
        )
        self._rooms.say(room, notice)
        if frame.final and frame.text.strip():
            await self._keep(room.call_id, mine, frame)
        return None

    async def _keep(self, call_id: str, leg_id: str, frame: frames.Caption) -> None:
        if await self._transcripts.count(call_id) < MAX_LINES:
            text = frame.text.strip()
            await self._transcripts.add(
                TranscriptLine(new_id(), call_id, leg_id, frame.segment, text, self._clock.now())
            )
