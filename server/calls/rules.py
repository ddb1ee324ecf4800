"""The rules of a call's life: plain functions of (call, event, now), without I/O and without a clock of their own.

    inviting ──▶ ringing ──▶ connecting ──▶ active ──▶ ended
        └───────────┴────────────┴─────────────────────▶ ended(reason)

Each function returns the call as it is after the event – the same object when nothing changes – or raises
:class:`~server.errors.AlreadyAnswered`, :class:`~server.errors.CallEnded` or :class:`~server.errors.BadState`. Whoever
stores the result does so on condition of ``rev``, so of two events at once one is judged by the other's result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from server.calls.model import IN_CALL, Call, CallWaiting, Device, EndReason, Leg, LegState, MediaKind, talked_s
from server.errors import AlreadyAnswered, BadRequest, BadState, CallEnded, CallFull, Forbidden
from server.languages.sentences import N_
from server.realtime.frames import UserRef

LEAST_RING_S = 3.0
"""With less time left a device does not begin to ring: nobody could pick up."""
LEGS_PER_PLACE = 3
"""People whom one call may ever have to do with, for each who may be in it at once: the call is one document that is
written anew with each change, and travels in one frame."""


class Timing:
    """The deadlines of a call, in seconds.

    A lease of 40 s, looked at every second, ends the calls of a dead node within 45.
    """

    def __init__(
        self,
        ring_s: float = 45.0,
        connect_s: float = 20.0,
        max_duration_s: float = 43_200.0,
        lease_s: float = 40.0,
        lonely_s: float = 60.0,
    ) -> None:
        self.ring = timedelta(seconds=ring_s)
        self.connect = timedelta(seconds=connect_s)
        self.max_duration = timedelta(seconds=max_duration_s)
        self.lease = timedelta(seconds=lease_s)
        self.lonely_s = lonely_s


class Callee(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is called, and what stands in the way: of several, the first from above."""

    user: UserRef
    reached: bool
    """Whether a device of theirs is connected."""
    blocked: bool = False
    """Whether they have blocked the caller. Nothing rings, and nobody else learns why."""
    seems_ringing_after_s: float = 0.5
    """How long it takes until a blocked leg looks as if a device rang."""
    contacts_only: bool = False
    """Whether they take calls from contacts only, of whom the caller is none."""
    do_not_disturb: bool = False
    in_call: bool = False
    """Whether they take part in a call that was answered."""
    call_waiting: CallWaiting = "ring"
    """What they want then."""


def place(
    caller: UserRef,
    device: Device,
    callees: Sequence[Callee],
    media: MediaKind,
    now: datetime,
    timing: Timing,
    new_id: Callable[[], str],
    client_key: str | None = None,
) -> Call:
    """A new call. A callee for whom nothing rings is an outcome of that leg, not an error."""
    ring_deadline = now + timing.ring
    first = Leg(leg_id=new_id(), user=caller, state="joined", invited_at=now, device=device, joined_at=now)
    others = [_called(callee, new_id(), caller.id, now) for callee in callees]
    call = Call(
        call_id=new_id(),
        state="inviting",
        media=media,
        created_by=caller,
        created_at=now,
        ring_deadline=ring_deadline,
        deadline=ring_deadline,
        legs=(first, *others),
        client_key=client_key,
        lonely_s=timing.lonely_s,
    )
    return _settled(call, now, by=None)


def invite(
    call: Call,
    user_id: str,
    callees: Sequence[Callee],
    now: datetime,
    timing: Timing,
    new_id: Callable[[], str],
    most: int,
) -> Call:
    """A participant calls others into a call that goes on; each rings for the whole time. At most ``most`` may be in it
    or ring at once, else :class:`~server.errors.CallFull`.

    Whoever is in it or rings already stays as they are. Somebody who was there before keeps their leg.
    """
    _refuse_if_over(call)
    _participant(call, user_id)
    if call.answered_at is None:
        raise BadState("Nobody has answered yet; others can be called in then")
    invited = call
    for callee in callees:
        known = invited.leg_of(callee.user.id)
        if known is None:
            called = _called(callee, new_id(), user_id, now, now + timing.ring)
            invited = replace(invited, legs=(*invited.legs, called))
        elif known.state == "blocked" and known.is_awaited:
            invited = _with_leg(invited, _ringing_after_all(known, callee, user_id, now))
        elif not (known.is_in_call or known.is_awaited):
            called = _called(callee, known.leg_id, user_id, now, now + timing.ring)
            invited = _with_leg(invited, _called_back(call, known, called))
    if invited.legs == call.legs:
        return call
    if (
        sum(leg.is_in_call or leg.is_awaited for leg in invited.legs) > most
        or len(invited.legs) > LEGS_PER_PLACE * most
    ):
        raise CallFull()
    return _settled(_changed(call, invited), now, by=None)


def _ringing_after_all(blocked: Leg, callee: Callee, by: str, now: datetime) -> Leg:
    """The leg that rings for nobody because of a block, as somebody calls whom the person has not blocked: it rings,
    and to the others nothing has changed, for it seemed to ring before."""
    called = _called(callee, blocked.leg_id, by, now)
    if not called.is_ringable:
        return blocked
    return replace(
        blocked,
        state="invited" if blocked.ringing_at is None else "ringing",
        rings_for=by,
        invited_at=now,
        reached=callee.reached,
        call_waiting=called.call_waiting,
        seems_ringing_at=None,
        unseen=blocked.unseen + 1,
    )


def _called_back(call: Call, known: Leg, called: Leg) -> Leg:
    return replace(
        called,
        was_in=known.took_part,
        talked_before_s=talked_s(call, known) or 0.0,
        left_before=known.left_at if known.joined_at is not None else known.left_before,
        unseen=known.unseen,
    )


def _called(callee: Callee, leg_id: str, by: str, now: datetime, ring_deadline: datetime | None = None) -> Leg:
    leg = Leg(
        leg_id=leg_id,
        user=callee.user,
        state="invited",
        invited_at=now,
        reached=callee.reached,
        invited_by=by,
        ring_deadline=ring_deadline,
    )
    if callee.blocked:
        return _blocked(leg, now + timedelta(seconds=callee.seems_ringing_after_s))
    if callee.contacts_only:
        return _closed(leg, "do_not_disturb", "contacts_only", now)
    if callee.do_not_disturb:
        return _closed(leg, "do_not_disturb", "do_not_disturb", now)
    if callee.in_call and callee.call_waiting == "busy":
        return _closed(leg, "busy", "busy", now)
    return replace(leg, call_waiting=callee.in_call)


def reach(call: Call, user_id: str) -> Call:
    """A device of the person is connected while the call rings."""
    leg = call.leg_of(user_id)
    if call.is_over or leg is None or not leg.is_ringable or leg.reached:
        return call
    return _changed(call, _with_leg(call, replace(leg, reached=True)))


def acknowledge_ringing(call: Call, user_id: str, now: datetime) -> Call:
    """A device of the person shows the call: only now does the caller's state become ``ringing``.

    A device that slept asks by this whether it may ring at all: for a leg that rings no longer it is refused.
    """
    leg = _callee_leg(call, user_id)
    _refuse_if_over(call)
    if leg.state == "ringing":
        return call
    if not leg.is_ringable:
        raise AlreadyAnswered()
    changed = _with_leg(call, replace(leg, state="ringing", reached=True, ringing_at=now))
    if call.state == "inviting":
        changed = replace(changed, state="ringing")
    return _changed(call, changed)


def answer(call: Call, user_id: str, device: Device, now: datetime, timing: Timing) -> Call:
    """The person takes the call on ``device``; the first answer wins, the winner's repetition changes nothing."""
    leg = _callee_leg(call, user_id)
    if leg.state == "declined":
        raise AlreadyAnswered()  # on another device, which is why the call may be over by now
    _refuse_if_over(call)
    if leg.is_in_call and leg.device is not None and leg.device.id == device.id:
        return call
    if not leg.is_ringable:
        raise AlreadyAnswered()
    others_in = sum(each.is_in_call for each in call.legs)
    changed = _with_leg(call, replace(leg, state="joined", reached=True, device=device, joined_at=now))
    changed = replace(_given_time_to_connect(changed, now + timing.connect), alone_until=None)
    if call.state in ("inviting", "ringing"):
        changed = replace(
            changed,
            state="connecting",
            answered_at=now,
            deadline=now + timing.connect,
            lease_until=now + timing.lease,
        )
    elif call.state == "connecting" and call.deadline is not None:
        # Whoever was alone in it waited for others, and did not connect.
        waited = call.deadline if others_in >= 2 else now
        changed = replace(changed, deadline=max(waited, now + timing.connect))
    return _changed(call, changed)


def _given_time_to_connect(call: Call, until: datetime) -> Call:
    """Also those who are there already and have nobody yet: with whoever comes they begin anew."""
    legs = (
        replace(leg, connect_deadline=until) if leg.is_in_call and leg.media_at is None else leg for leg in call.legs
    )
    return replace(call, legs=tuple(legs))


def merge(call: Call, user_id: str, device: Device, media: MediaKind, now: datetime, timing: Timing) -> Call:
    """The callee dials whoever called them while it rings: that is an answer. Media kinds that differ become audio,
    unless others talk already.

    Also where the callee has blocked the caller: whoever dials somebody wants to talk to them.
    """
    leg = call.leg_of(user_id)
    heard = call
    if leg is not None and leg.state == "blocked" and leg.is_awaited:
        heard = _with_leg(call, replace(leg, state="ringing", seems_ringing_at=None))
    answered = answer(heard, user_id, device, now, timing)
    if answered is not heard and media != call.media and call.answered_at is None:
        return replace(answered, media="audio")
    return answered


def decline(call: Call, user_id: str, now: datetime) -> Call:
    """The person does not take the call; it stops on all their devices."""
    leg = _callee_leg(call, user_id)
    if leg.state == "declined":
        return call
    _refuse_if_over(call)
    if not leg.is_ringable:
        raise AlreadyAnswered()
    changed = _with_leg(call, _closed(leg, "declined", "declined", now))
    return _settled(_changed(call, changed), now, by=user_id)


def block(call: Call, user_id: str, now: datetime, seems_ringing_after_s: float) -> Call:
    """The person has blocked whoever called them while it rings: it stops on their devices, and nobody else is told."""
    leg = call.leg_of(user_id)
    if leg is None or not leg.is_ringable:
        return call
    blocked = _blocked(leg, now + timedelta(seconds=seems_ringing_after_s))
    return _changed(call, _with_leg(call, replace(blocked, unseen=leg.unseen + 1)))


def disturb_no_more(call: Call, user_id: str, now: datetime) -> Call:
    """The person has switched do-not-disturb on while it rings."""
    leg = call.leg_of(user_id)
    if leg is None or not leg.is_ringable:
        return call
    changed = _with_leg(call, _closed(leg, "do_not_disturb", "do_not_disturb", now))
    return _settled(_changed(call, changed), now, by=None)


def busy_elsewhere(call: Call, user_id: str, now: datetime, call_waiting: CallWaiting) -> Call:
    """The person has taken another call while this one rings: it goes on softly, or finds them busy."""
    leg = call.leg_of(user_id)
    if leg is None or not leg.is_ringable or (leg.call_waiting and call_waiting == "ring"):
        return call
    if call_waiting == "ring":
        return _changed(call, _with_leg(call, replace(leg, call_waiting=True)))
    changed = _with_leg(call, _closed(leg, "busy", "busy", now))
    return _settled(_changed(call, changed), now, by=None)


def cancel(call: Call, user_id: str, now: datetime) -> Call:
    """The caller gives up while it rings."""
    _refuse_if_over(call)
    if call.caller.user.id != user_id:
        raise BadState("Only the caller can cancel")
    if call.state not in ("inviting", "ringing"):
        raise AlreadyAnswered("The call was answered; hang up instead")
    return end(call, "cancelled", now, by=user_id)


def hang_up(call: Call, user_id: str, now: datetime, reason: EndReason = "hangup") -> Call:
    """A participant ends the call for everybody; while it rings that is a cancel for the caller and a decline for a
    callee. Where more than two talk only the host can, others :func:`leave`."""
    _refuse_if_over(call)
    leg = call.leg_of(user_id)
    if leg is not None and leg.is_ringable:
        return decline(call, user_id, now)
    leg = _participant(call, user_id)
    if sum(each.is_in_call for each in call.legs) > 2 and leg is not call.host:
        raise Forbidden("Only the host ends a call of more than two people; leave it instead")
    if call.state in ("inviting", "ringing"):
        return end(call, "cancelled" if reason == "hangup" else reason, now, by=user_id)
    return end(call, reason, now, by=user_id)


def go(call: Call, user_id: str, now: datetime) -> Call:
    """Somebody is done with the call, without having a room open: they leave it, give it up or decline it."""
    _refuse_if_over(call)
    leg = call.leg_of(user_id)
    if leg is not None and leg.is_ringable:
        return decline(call, user_id, now)
    return leave(call, _participant(call, user_id).leg_id, now, "hangup", user_id)


def hang_up_or_go(call: Call, user_id: str, now: datetime) -> Call:
    """As :func:`hang_up`, but whoever may not end the call for everybody leaves it."""
    try:
        return hang_up(call, user_id, now)
    except Forbidden:
        return go(call, user_id, now)


def media_connected(call: Call, leg_id: str, now: datetime, timing: Timing) -> Call:
    """A participant reports that media flows; with two of them the call is active."""
    leg = call.leg(leg_id)
    if call.is_over or leg is None or not leg.is_in_call or leg.media_at is not None:
        return call
    changed = _with_leg(call, replace(leg, media_at=now))
    flowing = sum(1 for each in changed.legs if each.is_in_call and each.media_at is not None)
    if call.state == "connecting" and flowing >= 2:
        changed = replace(changed, state="active", deadline=now + timing.max_duration)
    return _changed(call, changed)


def socket_lost(call: Call, leg_id: str) -> Call:
    """A participant's socket is gone; the call is not: the media goes on between the peers."""
    leg = call.leg(leg_id)
    if call.is_over or leg is None or leg.state != "joined":
        return call
    return _changed(call, _with_leg(call, replace(leg, state="reconnecting")))


def socket_back(call: Call, leg_id: str, connects_until: datetime) -> Call:
    """A participant's socket has come back; without media yet, they have until then."""
    leg = call.leg(leg_id)
    if call.is_over or leg is None or leg.state != "reconnecting":
        return call
    return _changed(call, _with_leg(call, replace(leg, state="joined", connect_deadline=connects_until)))


def move(call: Call, leg_id: str, device: Device) -> Call:
    """A participant goes on with the call on another of their devices; one of the same name is the same to people."""
    leg = call.leg(leg_id)
    if call.is_over or leg is None or not leg.is_in_call or (leg.device and leg.device.label == device.label):
        return call
    return _changed(call, _with_leg(call, replace(leg, device=device)))


def leave(call: Call, leg_id: str, now: datetime, reason: EndReason, by: str | None) -> Call:
    """A participant is gone (``hangup``) or lost (``connection_lost``). A call that only two have to do with ends then;
    in others the last one is alone for a while."""
    leg = call.leg(leg_id)
    if call.is_over or leg is None or not leg.is_in_call:
        return call
    left = _changed(call, _with_leg(call, _closed(leg, "left", reason, now)))
    if leg is call.caller and call.state in ("inviting", "ringing"):
        return _end(left, "cancelled" if reason == "hangup" else reason, now, by, base=call)
    return _settled(left, now, by, reason)


def remove(call: Call, user_id: str, leg_id: str, now: datetime) -> Call:
    """The host sends somebody away, or takes their invitation back; a call that only two have to do with ends then."""
    _refuse_if_over(call)
    by = _participant(call, user_id)
    if by is not call.host:
        raise Forbidden("Only the host of the call can do that")
    leg = call.leg(leg_id)
    if leg is None or leg is by:
        raise BadRequest.of("leg_id", N_("another leg of this call"))
    if call.answered_at is None:
        raise BadState("Nobody has answered yet; cancel the call instead")
    if leg.is_in_call:
        gone = _closed(leg, "left", "removed", now)
    elif leg.is_awaited:
        gone = _leg_at_end(leg, "cancelled", now)
    else:
        return call
    return _settled(_changed(call, _with_leg(call, gone)), now, user_id, "hangup")


def expire(call: Call, now: datetime) -> Call:
    """The deadline of the state, or the lease, has passed; if not, nothing changes, however often it is asked."""
    if call.is_over or call.deadline is None:
        return call
    if call.alone_until is not None and now >= call.alone_until:
        return end(call, "lonely", now, by=None)
    if call.lease_until is not None and now >= call.lease_until:
        return end(call, "connection_lost", now, by=None)
    if now < call.deadline:
        rung_out = _rung_out(call, now)
        given_up = _without_media(call, now) if rung_out is call else rung_out
        return _seeming_to_ring(call, now) if given_up is call else given_up
    if call.state in ("inviting", "ringing"):
        return end(call, _unanswered(call), now, by=None)
    if call.state == "connecting":
        if sum(leg.is_in_call for leg in call.legs) < 2:  # there is nobody to connect to
            return _rung_out(call, now)
        return end(call, "ice_failed", now, by=None)
    return end(call, "max_duration", now, by=None)


def _without_media(call: Call, now: datetime) -> Call:
    """The others talk, but the first whose media did not come in time is in it no longer."""
    for leg in call.unconnected:
        if leg.connect_deadline is not None and now >= leg.connect_deadline:
            return leave(call, leg.leg_id, now, "ice_failed", None)
    return call


def _unanswered(call: Call) -> EndReason:
    awaited = [leg for leg in call.legs if leg.is_awaited]
    if all(leg.state == "blocked" for leg in awaited):
        return "blocked"
    return "no_answer" if any(leg.reached for leg in awaited) else "unreachable"


def _seeming_to_ring(call: Call, now: datetime) -> Call:
    """As :func:`acknowledge_ringing`, for the first blocked leg whose moment has come."""
    for leg in call.legs:
        if leg.is_awaited and leg.seems_ringing_at is not None and leg.seems_ringing_at <= now:
            changed = _with_leg(call, replace(leg, seems_ringing_at=None, ringing_at=now))
            return _changed(call, replace(changed, state="ringing") if call.state == "inviting" else changed)
    return call


def seems_to_ring_now(before: Call, after: Call) -> str | None:
    """The user id of whoever's device seems to have rung by this change, because of a block."""
    for was, leg in zip(before.legs, after.legs, strict=True):
        if leg.state == "blocked" and was.ringing_at is None and leg.ringing_at is not None:
            return leg.user.id
    return None


def end(call: Call, reason: EndReason, now: datetime, by: str | None) -> Call:
    """The call is over, for everybody, once: an ended call does not change any more."""
    if call.is_over:
        return call
    return _end(_changed(call, call), reason, now, by, base=call)


def _end(call: Call, reason: EndReason, now: datetime, by: str | None, *, base: Call) -> Call:
    """``call`` (already one ``rev`` past ``base``) ended, with each leg that was still open closed accordingly."""
    assert call.rev == base.rev + 1
    return _closed_call(call, reason, now, by)


def _closed_call(call: Call, reason: EndReason, now: datetime, by: str | None) -> Call:
    return replace(
        call,
        state="ended",
        legs=tuple(_leg_at_end(leg, reason, now) for leg in call.legs),
        ended_at=now,
        end_reason=reason,
        ended_by=by,
        deadline=None,
        alone_until=None,
        lease_until=None,
    )


def _leg_at_end(leg: Leg, reason: EndReason, now: datetime) -> Leg:
    if leg.state == "blocked":
        return _closed(leg, "blocked", _spoken(reason), now) if leg.is_awaited else leg
    if leg.state in IN_CALL:
        return _closed(leg, "left", _spoken(reason), now)
    if leg.is_ringable:
        # «Missed» is what nobody answered or declined, whoever gave up first.
        return _closed(leg, "unreachable" if reason == "unreachable" else "missed", reason, now)
    return leg


def _spoken(reason: EndReason) -> EndReason:
    """The reason as it may stand in a leg, which everybody sees."""
    return "no_answer" if reason == "blocked" else reason


def _rung_out(call: Call, now: datetime) -> Call:
    """The others talk, but whoever has not answered by the deadline of their ring is called no longer."""
    over = [leg for leg in call.legs if leg.is_awaited and now >= call.rings_until(leg)]
    if not over:
        return call
    legs = tuple(_closed(leg, _state_rung_out(leg), "no_answer", now) if leg in over else leg for leg in call.legs)
    return _settled(_changed(call, replace(call, legs=legs)), now, by=None)


def _state_rung_out(leg: Leg) -> LegState:
    if leg.state == "blocked":
        return "blocked"
    return "missed" if leg.reached else "unreachable"


def _settled(call: Call, now: datetime, by: str | None, reason: EndReason = "lonely") -> Call:
    """``call`` after somebody has left it, or is called (no longer): over, if nobody is left who could talk.

    ``reason`` is why it is over for whoever talked.
    """
    here = sum(leg.is_in_call for leg in call.legs)
    awaited = [leg for leg in call.legs if leg.is_awaited]
    if call.answered_at is None:
        return call if here + len(awaited) >= 2 else _closed_call(call, _why_nobody_came(call), now, by)
    if here == 0 or (here == 1 and not awaited and len(call.legs) == 2):
        return _closed_call(call, reason, now, by)
    if here >= 2:
        return replace(call, alone_until=None)
    alone_until = None if awaited else call.alone_until or now + timedelta(seconds=call.lonely_s)
    deadline = call.deadline
    if call.state == "connecting" and deadline is not None:
        # Whoever is left connects to nobody until somebody else answers.
        deadline = max(deadline, *(call.rings_until(leg) for leg in awaited), alone_until or deadline)
    return replace(call, alone_until=alone_until, deadline=deadline)


def _why_nobody_came(call: Call) -> EndReason:
    """The reason that the callees gave."""
    reasons: dict[LegState, EndReason] = {
        "declined": "declined",
        "do_not_disturb": "do_not_disturb",
        "busy": "busy",
    }
    return next((reasons[leg.state] for leg in call.legs if leg.state in reasons), "no_answer")


def _participant(call: Call, user_id: str) -> Leg:
    leg = call.leg_of(user_id)
    if leg is None or not leg.is_in_call:
        raise BadState("Not in this call any more")
    return leg


def _callee_leg(call: Call, user_id: str) -> Leg:
    leg = call.leg_of(user_id)
    if leg is None or (leg is call.caller and leg.invited_by is None):
        raise BadState("Only somebody who is called can do that")
    return leg


def _refuse_if_over(call: Call) -> None:
    if call.is_over:
        raise CallEnded()


def _closed(leg: Leg, state: LegState, reason: str, now: datetime) -> Leg:
    return replace(leg, state=state, reason=reason, left_at=now, seems_ringing_at=None)


def _blocked(leg: Leg, seems_ringing_at: datetime) -> Leg:
    """The leg as it waits in vain; one that rings already goes on doing so, as it seems to the others."""
    return replace(
        leg, state="blocked", reached=True, seems_ringing_at=None if leg.ringing_at is not None else seems_ringing_at
    )


def _with_leg(call: Call, changed: Leg) -> Call:
    return replace(call, legs=tuple(changed if leg.leg_id == changed.leg_id else leg for leg in call.legs))


def _changed(before: Call, after: Call) -> Call:
    return replace(after, rev=before.rev + 1)
