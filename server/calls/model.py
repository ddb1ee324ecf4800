"""What a call is: one value that is replaced as a whole with each change."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from server.calls.recording import Recording, recording_view
from server.realtime.frames import UserRef
from server.wire import optional_rfc3339, rfc3339

MediaKind = Literal["audio", "video"]
CallState = Literal["inviting", "ringing", "connecting", "active", "ended"]
LegState = Literal[
    "invited",
    "ringing",
    "joined",
    "reconnecting",
    "left",
    "declined",
    "missed",
    "busy",
    "do_not_disturb",
    "blocked",
    "unreachable",
]
EndReason = Literal[
    "hangup",
    "declined",
    "cancelled",
    "no_answer",
    "busy",
    "do_not_disturb",
    "blocked",
    "unreachable",
    "media_denied",
    "ice_failed",
    "connection_lost",
    "lonely",
    "max_duration",
    "admin_ended",
    "server_shutdown",
    "error",
]

CallWaiting = Literal["ring", "busy"]
"""Whether a second call rings (softly) while the person is in one, or finds them busy."""

RINGABLE: frozenset[str] = frozenset({"invited", "ringing"})
"""States of a leg for which devices ring."""
IN_CALL: frozenset[str] = frozenset({"joined", "reconnecting"})
"""States of a leg whose person takes part."""
MISSED: frozenset[str] = frozenset({"missed", "unreachable", "busy", "do_not_disturb"})
"""States of a leg whose person was called in vain, and did not say themselves that they would not take the call."""


class Device(msgspec.Struct, frozen=True):
    """What answered: ``id`` is the connection or the sign-in that acted, ``label`` what the person calls it."""

    id: str
    label: str


class Leg(msgspec.Struct, frozen=True):
    """One person in one call. The first leg is the caller's."""

    leg_id: str
    user: UserRef
    state: LegState
    invited_at: datetime
    device: Device | None = None
    reason: str | None = None
    reached: bool = False
    """Whether any device of this person was connected while the call rang."""
    call_waiting: bool = False
    """Whether the person takes part in another call meanwhile: their devices ring softly, and the caller reads it."""
    invited_by: str | None = None
    """User id of whoever called this person; None for the caller, unless they were called back in."""
    rings_for: str | None = None
    """User id of whoever's call rings really, where that of ``invited_by`` is held back by a block: only the person
    themselves is told."""
    ring_deadline: datetime | None = None
    """When it rings no longer, of somebody called into a call that went on; None: with the call's first ring."""
    was_in: bool = False
    """Whether the person had taken part before they were called in again."""
    talked_before_s: float = 0.0
    """Seconds for which they had taken part before they were called in again."""
    left_before: datetime | None = None
    """When they had left before they were called in again."""
    seen: bool = False
    """Whether the person has seen in their history that they missed this, while the call goes on."""
    seems_ringing_at: datetime | None = None
    """Of a leg that is ``blocked``: when it begins to look to the others as if it rang."""
    unseen: int = 0
    """How many changes of this leg the others must not notice: in the ``rev`` that they see these do not count."""
    ringing_at: datetime | None = None
    joined_at: datetime | None = None
    media_at: datetime | None = None
    """When this participant first reported that media flows."""
    connect_deadline: datetime | None = None
    """Until when they may have none while others talk; None for whoever has yet to be answered."""
    left_at: datetime | None = None

    @property
    def is_ringable(self) -> bool:
        """Whether devices of this person ring, or should."""
        return self.state in RINGABLE

    @property
    def is_awaited(self) -> bool:
        """Whether the others wait for this person: also where nothing rings because of a block, of which none of them
        learns."""
        return self.is_ringable or (self.state == "blocked" and self.left_at is None)

    @property
    def is_in_call(self) -> bool:
        """Whether the person takes part, even while their socket is away."""
        return self.state in IN_CALL

    @property
    def took_part(self) -> bool:
        """Whether the person is or was in the call."""
        return self.joined_at is not None or self.was_in


class Call(msgspec.Struct, frozen=True):
    """One call. ``rev`` grows by one with each change; ``deadline`` is when the state ends by itself."""

    call_id: str
    state: CallState
    media: MediaKind
    created_by: UserRef
    created_at: datetime
    ring_deadline: datetime
    deadline: datetime | None
    legs: tuple[Leg, ...]
    rev: int = 1
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    ended_by: str | None = None
    """User id of whoever ended it; None when a deadline or the server did."""
    client_key: str | None = None
    lonely_s: float = 60.0
    """For how long somebody may be alone in it, once more than two people have to do with it."""
    alone_until: datetime | None = None
    """While somebody is alone in it and nobody rings any more: when it ends."""
    lease_until: datetime | None = None
    """While people talk: renewed by the nodes that hold their sockets. When it runs out, those nodes are dead."""
    recordings: tuple[Recording, ...] = ()
    """Whoever asked to record the call, and who agreed: oldest first, and only the last one may go on."""

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        return self.state == "ended"

    @property
    def caller(self) -> Leg:
        """The leg of the person who placed the call."""
        return self.legs[0]

    @property
    def due_at(self) -> datetime | None:
        """When the call changes by itself, the lease apart: its state ends, devices stop ringing, one that is blocked
        begins to seem to ring, or somebody whose media never came is given up; None: never."""
        if self.deadline is None:
            return None
        moments = [self.deadline] if self.alone_until is None else [self.deadline, self.alone_until]
        moments += [leg.connect_deadline for leg in self.unconnected if leg.connect_deadline is not None]
        for leg in self.legs:
            if leg.is_awaited:
                moments.append(self.rings_until(leg))
                if leg.seems_ringing_at is not None:
                    moments.append(leg.seems_ringing_at)
        return min(moments)

    @property
    def unconnected(self) -> tuple[Leg, ...]:
        """Those whose media has yet to come while others talk. Whoever is alone waits for somebody, not for media, and
        whoever has lost their socket is waited for like anybody else."""
        if self.state != "active" or sum(leg.is_in_call for leg in self.legs) < 2:
            return ()
        return tuple(leg for leg in self.legs if leg.state == "joined" and leg.media_at is None)

    @property
    def host(self) -> Leg | None:
        """The leg that may ask others to mute, remove them, and end a call of many: the caller's while they are in it,
        then that of whoever has been in it longest; None when nobody is."""
        if self.caller.is_in_call:
            return self.caller
        present = [leg for leg in self.legs if leg.is_in_call and leg.joined_at is not None]
        return min(present, key=lambda leg: (leg.joined_at, leg.leg_id), default=None)

    def rings_until(self, leg: Leg) -> datetime:
        """When devices of that person ring no longer."""
        return leg.ring_deadline or self.ring_deadline

    def inviter_of(self, leg: Leg) -> UserRef:
        """Who called that person, and whom their devices name."""
        by = leg.rings_for or leg.invited_by
        inviter = self.leg_of(by) if by else None
        return inviter.user if inviter else self.created_by

    def leg(self, leg_id: str) -> Leg | None:
        """The leg with that id."""
        return next((leg for leg in self.legs if leg.leg_id == leg_id), None)

    def leg_of(self, user_id: str) -> Leg | None:
        """The leg of that person."""
        return next((leg for leg in self.legs if leg.user.id == user_id), None)

    def rank(self, leg_id: str) -> int:
        """The place of the leg in the call (caller 0): of two legs the one with the higher rank is polite."""
        return next(index for index, leg in enumerate(self.legs) if leg.leg_id == leg_id)

    def user_ids(self) -> tuple[str, ...]:
        """Everybody in the call, the caller first."""
        return tuple(leg.user.id for leg in self.legs)


def talked_s(call: Call, leg: Leg) -> float | None:
    """Seconds for which the person was in the answered call, to the millisecond; ``None`` while they are in it or are
    called back, and for whoever never was."""
    if call.answered_at is None or not leg.took_part or leg.is_in_call or leg.is_awaited:
        return None
    now_s = 0.0
    if leg.joined_at is not None and leg.left_at is not None:
        now_s = (leg.left_at - max(leg.joined_at, call.answered_at)).total_seconds()
    return round(leg.talked_before_s + max(0.0, now_s), 3)


def has_gone(call: Call, leg: Leg) -> bool:
    """Whether the person has no more to do with the call, which goes on or went on without them."""
    if leg.is_in_call or leg.is_awaited or leg.left_at is None:
        return False
    return call.ended_at is None or leg.left_at < call.ended_at


def all_see_the_same(call: Call) -> bool:
    """Whether the call looks the same to everybody."""
    if hides_a_block(call) or any(has_gone(call, leg) for leg in call.legs):
        return False
    if call.recordings and not all(leg.took_part for leg in call.legs):
        return False
    return not call.is_over or len(call.legs) == 2  # of more, each was in it for their own time


def hides_a_block(call: Call) -> bool:
    """Whether there is a block in the call of which the others must not learn."""
    return call.end_reason == "blocked" or any(leg.state == "blocked" or leg.unseen for leg in call.legs)


def seen_by(call: Call, viewer_id: str) -> Call:
    """The call as that person may see it, on every way by which they can.

    Whoever has blocked the caller is called as it seems: their leg rings, and is missed after the whole time. Only they
    themselves see that they have. Whoever is no longer in it sees it as it was when they went, and learns only that it
    has ended. ``rev`` grows with what that person sees: where it is the same, nothing has changed.
    """
    own = call.leg_of(viewer_id)
    shown = _without_blocks(call, own) if hides_a_block(call) else call
    if own is None or own.left_at is None or not has_gone(call, own):
        return shown
    return _as_it_was(shown, own, own.left_at)


def _without_blocks(call: Call, own: Leg | None) -> Call:
    has_blocked = own is not None and own.state == "blocked"
    return replace(
        call,
        legs=tuple(leg if leg is own else _unblocked(leg) for leg in call.legs),
        end_reason="no_answer" if call.end_reason == "blocked" and not has_blocked else call.end_reason,
        rev=call.rev - sum(leg.unseen for leg in call.legs if leg is not own),
    )


def _as_it_was(call: Call, own: Leg, at: datetime) -> Call:
    """``call`` without what has come ``at`` that moment or later; those who were in it then are seen to leave when it
    is over."""
    there = (leg for leg in call.legs if leg is own or leg.invited_at <= at or leg.was_in)
    return replace(
        call,
        legs=tuple(leg if leg is own else _leg_as_it_was(call, leg, at) for leg in there),
        answered_at=call.answered_at if call.answered_at is not None and call.answered_at <= at else None,
        alone_until=None,
        recordings=tuple(recording for recording in call.recordings if recording.asked_at <= at),
    )


def _leg_as_it_was(call: Call, leg: Leg, at: datetime) -> Leg:
    if leg.left_at is not None and leg.left_at <= at:
        return leg
    if leg.invited_at > at:  # had been in it, and was called back: how it was then is not known
        return replace(leg, state="left", reason=None, joined_at=None, left_at=None)
    was_in = leg.joined_at is not None and leg.joined_at <= at
    state: LegState = "joined" if was_in else "ringing" if leg.ringing_at and leg.ringing_at <= at else "invited"
    if call.is_over:
        state = "left" if was_in else "missed"
    return replace(
        leg,
        state=state,
        reason=None,
        device=leg.device if was_in else None,
        joined_at=leg.joined_at if was_in else None,
        left_at=call.ended_at,
    )


def looks_changed(before: Call | None, after: Call, viewer_id: str) -> bool:
    """Whether that person sees that the call has changed since ``before``."""
    return before is None or seen_by(before, viewer_id).rev != seen_by(after, viewer_id).rev


def _unblocked(leg: Leg) -> Leg:
    if leg.state != "blocked":
        return leg
    state: LegState = "missed" if leg.left_at else "ringing" if leg.ringing_at else "invited"
    return replace(leg, state=state, seems_ringing_at=None)


def view(call: Call, viewer_id: str) -> dict[str, Any]:
    """The call as it crosses the wire to that person (``docs/protocol.md``, «A call»); see :func:`seen_by`."""
    call = seen_by(call, viewer_id)
    own, host = call.leg_of(viewer_id) or call.caller, call.host
    return {
        "call_id": call.call_id,
        "state": call.state,
        "media": call.media,
        "created_by": call.created_by,
        "created_at": rfc3339(call.created_at),
        "ring_deadline": rfc3339(max(call.rings_until(leg) for leg in call.legs)),
        "answered_at": optional_rfc3339(call.answered_at),
        "ended_at": optional_rfc3339(call.ended_at),
        "duration_s": talked_s(call, own),
        "end_reason": call.end_reason,
        "ended_by": call.ended_by,
        "host": host.leg_id if host else None,
        "alone_until": optional_rfc3339(call.alone_until),
        "rev": call.rev,
        "recording": recording_view(call.recordings[-1]) if call.recordings and own.took_part else None,
        "legs": [
            {
                "leg_id": leg.leg_id,
                "user": leg.user,
                "device": leg.device.label if leg.device else None,
                "state": leg.state,
                "reason": leg.reason,
                "call_waiting": leg.call_waiting,
                "invited_by": (leg is own and leg.rings_for) or leg.invited_by,
                "ring_deadline": rfc3339(call.rings_until(leg)) if leg.is_ringable else None,
                "joined_at": optional_rfc3339(leg.joined_at),
                "left_at": optional_rfc3339(leg.left_at),
            }
            for leg in call.legs
        ],
    }


def was_missed_by(call: Call, user_id: str) -> bool:
    """Whether the call stands as missed in that person's history: also if it never rang for them."""
    leg = call.leg_of(user_id)
    return leg is not None and leg.state in MISSED and not leg.took_part


def seen_as_missed(call: Call, user_id: str) -> Call:
    """The call once the person has seen that they missed it. For nobody else does it change."""
    leg = call.leg_of(user_id)
    if leg is None or leg.seen or not was_missed_by(call, user_id):
        return call
    seen = replace(leg, seen=True, unseen=leg.unseen + 1)
    return replace(call, rev=call.rev + 1, legs=tuple(seen if each is leg else each for each in call.legs))
