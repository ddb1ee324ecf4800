"""Recording with consent: asking, agreeing, stopping, and telling everybody in the room."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from server.calls import recording_rules
from server.calls.model import Call
from server.calls.recording import Recording, recording_view
from server.calls.switchboard import Rule, Switchboard
from server.clock import Clock
from server.errors import Forbidden, Unavailable
from server.ids import new_id
from server.realtime import frames
from server.realtime.background import Background
from server.realtime.dispatch import Quick, Result, Slow
from server.realtime.session import Session
from server.rooms.room import Room
from server.rooms.rooms import Rooms


class RecordingConsent:
    """``recording`` and ``consent``. What was agreed stands in the stored call; the sound never comes here."""

    def __init__(
        self, rooms: Rooms, switchboard: Switchboard, background: Background, clock: Clock, enabled: bool
    ) -> None:
        self._rooms = rooms
        self._switchboard = switchboard
        self._background = background
        self._clock = clock
        self._enabled = enabled
        self.quick: Mapping[type[frames.FromClient], Quick] = {}
        self.slow: Mapping[type[frames.FromClient], Slow] = {
            frames.RecordingFromClient: self._recording,
            frames.ConsentFromClient: self._consent,
        }
        rooms.on_changed.append(self._on_changed)

    async def _recording(self, session: Session, frame: frames.RecordingFromClient) -> Result:
        user_id = session.who.user.id
        if frame.action == "stop":
            await self._change(session, lambda call, now: recording_rules.stop(call, user_id, frame.reason, now))
            return None
        if not self._enabled:
            raise Forbidden("Calls cannot be recorded on this server")
        recording_id = new_id()
        await self._change(
            session, lambda call, now: recording_rules.ask(call, user_id, recording_id, frame.media, now)
        )
        return {"recording_id": recording_id}

    async def _consent(self, session: Session, frame: frames.ConsentFromClient) -> Result:
        user_id = session.who.user.id

        def rule(call: Call, now: datetime) -> Call:
            return recording_rules.consent(call, user_id, frame.recording_id, frame.agree, now)

        try:
            await self._change(session, rule)
        except Unavailable:
            if not frame.agree:
                self._withdraw_soon(session, frame.recording_id, rule)
            raise
        return None

    def _withdraw_soon(self, session: Session, recording_id: str, rule: Rule) -> None:
        """Nobody is recorded against their will because the database is away: whoever records hears of it now, and it
        is stored when that is back. The one who said so hears that it is not stored yet."""
        room, mine = self._rooms.place_of(session)
        call = room.known()
        recording = recording_rules.live_recording(call)
        if recording is None or recording.recording_id != recording_id or recording.leg_id == mine:
            return
        withdrawn = recording_rules.withdrawn(recording, room.leg(mine), self._clock.now())
        self._rooms.say(room, self._notice(room, withdrawn))
        user_id = session.who.user.id
        self._background.start(partial(self._switchboard.change, call.call_id, rule, None, user_id), "withdraw")

    async def _change(self, session: Session, rule: Rule) -> None:
        room, _ = self._rooms.place_of(session)
        user_id = session.who.user.id
        await self._switchboard.change(room.call_id, rule, None, user_id)

    def _on_changed(self, room: Room, before: Call | None, after: Call) -> None:
        """To the members on this node: each node hears the news of the call itself."""
        known = {recording.recording_id: recording for recording in before.recordings} if before else {}
        for recording in after.recordings:
            if recording != known.get(recording.recording_id):
                body = frames.encode(self._notice(room, recording))
                for leg_id, session in room.members.items():
                    leg = after.leg(leg_id)
                    if leg is not None and leg.took_part:  # and not whoever it only rings for
                        session.deliver(body)

    def _notice(self, room: Room, recording: Recording) -> frames.RecordingNotice:
        shown = recording_view(recording)
        return frames.RecordingNotice(
            timestamp=self._rooms.timestamp(),
            call_id=room.call_id,
            recording_id=recording.recording_id,
            state=recording.state,
            by=recording.by,
            consents=shown["consents"],
            reason=recording.reason,
        )
