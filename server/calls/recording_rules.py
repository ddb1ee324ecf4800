"""The rules of recording with consent: plain functions of (call, event, now), as those of :mod:`server.calls.rules`.

    asked ──▶ on ⇄ paused ──▶ stopped
      └────────────────────▶ declined

A recording goes on only while everybody who is in the call agrees. Whoever comes later is asked, too, and until they
agree it is paused; the first who does not agree, or agrees no longer, ends it. Whoever comes back is somebody who comes
later. While the socket of whoever makes it is away it is paused, too: nobody could tell them that it has to end.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from server.calls.model import Call, Leg
from server.calls.recording import Consent, Recording, RecordingEnd
from server.errors import BadState, CallEnded, Forbidden
from server.languages.sentences import N_

MAX_RECORDINGS = 20
"""Of one call: each keeps its consents with the call for good."""


def live_recording(call: Call) -> Recording | None:
    """The recording of the call that goes on, or may."""
    newest = call.recordings[-1] if call.recordings else None
    return newest if newest is not None and newest.is_live else None


def awaited(call: Call, recording: Recording) -> list[Leg]:
    """Whoever is in the call and has not agreed."""
    legs = [leg for leg in call.legs if leg.is_in_call]
    return [leg for leg in legs if not agrees(recording, leg)]


def agrees(recording: Recording, leg: Leg) -> bool:
    """Whether that participant has agreed since they came in."""
    said = recording.consent_of(leg.leg_id)
    return said is not None and said.holds(leg.joined_at)


def ask(call: Call, user_id: str, recording_id: str, media: Literal["audio", "video"], now: datetime) -> Call:
    """The person asks the others whether the call may be recorded, and agrees with that themselves."""
    leg = _leg_in_call(call, user_id)
    if live_recording(call) is not None:
        raise BadState("This call is recorded already, or somebody has asked to")
    if len(call.recordings) >= MAX_RECORDINGS:
        raise BadState(N_("One call has at most %(count)s recordings", count=MAX_RECORDINGS))
    if not any(other.is_in_call for other in call.legs if other is not leg):
        raise BadState("Nobody else is in this call yet")
    recording = Recording(
        recording_id=recording_id,
        leg_id=leg.leg_id,
        by=leg.user,
        media=media if call.media == "video" else "audio",
        state="asked",
        asked_at=now,
        consents=(Consent(leg.leg_id, leg.user, agreed_at=now),),
    )
    return replace(call, recordings=(*call.recordings, recording), rev=call.rev + 1)


def consent(call: Call, user_id: str, recording_id: str, agree: bool, now: datetime) -> Call:
    """The person agrees to the recording, or does not, or not any longer."""
    leg = _leg_in_call(call, user_id)
    recording = _live(call, recording_id)
    if leg.leg_id == recording.leg_id:
        raise BadState("Whoever asked for the recording stops it instead")
    said = recording.consent_of(leg.leg_id) or Consent(leg.leg_id, leg.user)
    agreed = said.holds(leg.joined_at)
    if agree and agreed:
        return call
    given = replace(said, agreed_at=now) if agree else replace(said, refused_at=now)
    others = tuple(each for each in recording.consents if each.leg_id != leg.leg_id)
    recording = replace(recording, consents=(*others, given))
    if not agree:
        recording = _ended(recording, "withdrawn" if agreed else "declined", now)
    return replace(_with(call, recording), rev=call.rev + 1)


def withdrawn(recording: Recording, leg: Leg, now: datetime) -> Recording:
    """The recording while it is not stored yet that this participant does not agree: nothing is recorded."""
    said = recording.consent_of(leg.leg_id) or Consent(leg.leg_id, leg.user)
    others = tuple(each for each in recording.consents if each.leg_id != leg.leg_id)
    state = "paused" if recording.state == "on" else recording.state
    return replace(recording, state=state, consents=(*others, replace(said, refused_at=now)))


def stop(call: Call, user_id: str, reason: RecordingEnd, now: datetime) -> Call:
    """Whoever asked for the recording ends it; that there is none any more changes nothing."""
    recording = live_recording(call)
    if recording is None:
        return call
    if recording.by.id != user_id:
        raise Forbidden("Only whoever asked for the recording can stop it; you can withdraw your consent")
    return replace(_with(call, _ended(recording, reason, now)), rev=call.rev + 1)


def settled(call: Call, now: datetime) -> Call:
    """The call, its recording following who is in it. Applied to each change, and part of it: ``rev`` stays."""
    recording = live_recording(call)
    if recording is None:
        return call
    leg = call.leg(recording.leg_id)
    if call.is_over:
        return _with(call, _ended(recording, "call_ended", now))
    if leg is None or not leg.is_in_call:
        return _with(call, _ended(recording, "left", now))
    missing = leg.state == "reconnecting" or bool(awaited(call, recording))
    if recording.state == "on" and missing:
        return _with(call, replace(recording, state="paused"))
    if recording.state == "paused" and not missing:
        return _with(call, replace(recording, state="on"))
    # «Everybody agrees» means nothing where nobody else is there to be recorded.
    if recording.state == "asked" and not missing and any(each.is_in_call for each in call.legs if each is not leg):
        return _with(call, replace(recording, state="on", started_at=now))
    return call


def _leg_in_call(call: Call, user_id: str) -> Leg:
    if call.is_over:
        raise CallEnded()
    leg = call.leg_of(user_id)
    if leg is None or not leg.is_in_call:
        raise BadState("Not in this call")
    return leg


def _live(call: Call, recording_id: str) -> Recording:
    recording = live_recording(call)
    if recording is None or recording.recording_id != recording_id:
        raise BadState("That recording is over")
    return recording


def _ended(recording: Recording, reason: RecordingEnd, now: datetime) -> Recording:
    declined = reason == "declined" and recording.started_at is None
    return replace(recording, state="declined" if declined else "stopped", ended_at=now, reason=reason)


def _with(call: Call, recording: Recording) -> Call:
    recordings = tuple(each for each in call.recordings if each.recording_id != recording.recording_id)
    return replace(call, recordings=(*recordings, recording))
