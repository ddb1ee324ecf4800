"""The switchboard: every change of a call is one conditional write, then one round of notices."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from server.auth.identity import Identity
from server.calls import rules
from server.calls.history import unread_by
from server.calls.model import Call, Device, EndReason
from server.calls.notices import notices
from server.calls.presence import PresenceBoard
from server.calls.recording_rules import settled
from server.calls.rules import Timing
from server.calls.unread import UnreadCounts
from server.clock import Clock
from server.errors import Conflict, NotFound, Unavailable
from server.ids import is_id
from server.log import get_logger
from server.realtime.background import Background
from server.realtime.bus import SIGN_INS, Bus, Message, SignInsEnded
from server.realtime.hub import Hub
from server.settings import CallSettings
from server.store.calls import CallStore
from server.store.users import User, UserStore

log = get_logger("calls")

MAX_RACES = 20
"""Tries of one change against faster others; a call has a handful of actors, so this is never reached in honest use."""
LEASE_RENEWAL_S = 10.0
"""A quarter of a call's lease: three renewals may fail before anybody thinks the node dead."""
FORGET_END_AFTER_S = 60.0
"""Far longer than a write of the database may take: by then nobody tells an older change of a call that has ended."""

Rule = Callable[[Call, datetime], Call]


class SweepReport(NamedTuple):
    """What one sweep did."""

    expired: int
    looked_at: int


class Switchboard:
    """Applies the rules to stored calls and tells everybody concerned. Whoever loses a race is judged by what won."""

    def __init__(
        self,
        calls: CallStore,
        users: UserStore,
        presence: PresenceBoard,
        unread: UnreadCounts,
        hub: Hub,
        bus: Bus,
        background: Background,
        clock: Clock,
        settings: CallSettings,
    ) -> None:
        self._calls = calls
        self._users = users
        self._presence = presence
        self._unread = unread
        self._hub = hub
        self._bus = bus
        self._background = background
        self._clock = clock
        self.timing = Timing(
            settings.ring_timeout_s,
            settings.connect_timeout_s,
            settings.max_duration_s,
            lonely_s=settings.lonely_timeout_s,
        )
        self._renewed_at_s = clock.monotonic()
        self.listeners: list[Callable[[Call | None, Call, str | None], None]] = []
        """Told (before, after, actor) of each change that this process has stored, the actor as :func:`notices` has it;
        they must not block."""
        self._live: dict[str, Call] = {}  # the calls that this node has told of, as it told them last
        self._being_left: set[str] = set()
        self._over: dict[str, float] = {}  # those whose end was told a moment ago: monotonic second, by call id
        bus.subscribe(SIGN_INS, self._on_sign_ins)

    # ── what people do ──

    async def acknowledge_ringing(self, call_id: str, who: Identity) -> Call:
        """A device shows the call; raises :class:`~server.errors.CallEnded` or, where only this person is rung no
        longer, :class:`~server.errors.AlreadyAnswered` if there is nothing left to ring for."""
        return await self._theirs(call_id, who, rules.acknowledge_ringing)

    async def answer(self, call_id: str, who: Identity, device_id: str) -> Call:
        """The first answer wins; raises :class:`~server.errors.AlreadyAnswered` for all others."""
        device = Device(device_id, who.device)
        return await self.change(
            call_id, lambda call, now: rules.answer(call, who.user.id, device, now, self.timing), device_id, who.user.id
        )

    async def decline(self, call_id: str, who: Identity, actor: str) -> Call:
        """The person does not take the call, on no device."""
        return await self._theirs(call_id, who, rules.decline, actor=actor)

    async def cancel(self, call_id: str, who: Identity) -> Call:
        """The caller gives up while it rings."""
        return await self._theirs(call_id, who, rules.cancel)

    async def hang_up(self, call_id: str, who: Identity, reason: EndReason = "hangup") -> Call:
        """Ends the call for everybody; for an ended one see :class:`~server.errors.CallEnded`."""
        return await self._theirs(call_id, who, lambda call, user_id, now: rules.hang_up(call, user_id, now, reason))

    async def hang_up_or_go(self, call_id: str, who: Identity) -> Call:
        """As :meth:`hang_up`, for somebody without a room: whoever may not end the call for everybody leaves it."""
        return await self._theirs(call_id, who, rules.hang_up_or_go)

    async def go(self, call_id: str, who: Identity) -> Call:
        """The person leaves the call, and the others talk on."""
        return await self._theirs(call_id, who, rules.go)

    async def remove(self, call_id: str, who: Identity, leg_id: str) -> Call:
        """The host sends somebody out of the call, or takes their invitation back."""
        return await self._theirs(call_id, who, lambda call, user_id, now: rules.remove(call, user_id, leg_id, now))

    async def _theirs(
        self,
        call_id: str,
        who: Identity,
        rule: Callable[[Call, str, datetime], Call],
        actor: str | None = None,
    ) -> Call:
        user_id = who.user.id
        return await self.change(call_id, lambda call, now: rule(call, user_id, now), actor, user_id)

    # ── what that means for their other calls ──

    async def _turn_to(self, call: Call, user_id: str) -> None:
        """The person has taken a call, or theirs was taken. Nobody is in two: those that they joined or placed before
        are left, and what rings goes on softly, or finds them busy."""
        others = [other for other in await self._calls.live_of(user_id) if other.call_id != call.call_id]
        for other in others:
            leg = other.leg_of(user_id)
            if leg is not None and leg.is_in_call and _joined_before(other, call, user_id):
                await self.leave(other.call_id, leg.leg_id, "hangup", user_id)
        user = await self._users.get(user_id) if others else None
        if user is not None:
            for other in others:
                await self.change(other.call_id, partial(_busy_elsewhere, user=user), None)

    async def disturb_no_more(self, user_id: str) -> None:
        """The person has switched do-not-disturb on: what rings for them stops."""
        await self._for_each_ringing(user_id, lambda call, now: rules.disturb_no_more(call, user_id, now))

    async def block(self, user_id: str, other_id: str) -> None:
        """The person has blocked somebody: what rings for them from there stops, as if nobody answered."""

        def rule(call: Call, now: datetime) -> Call:
            leg = call.leg_of(user_id)
            from_there = leg is not None and call.inviter_of(leg).id == other_id
            return rules.block(call, user_id, now, seeming_delay_s()) if from_there else call

        await self._for_each_ringing(user_id, rule)

    async def _for_each_ringing(self, user_id: str, rule: Rule) -> None:
        for call in await self._calls.live_of(user_id):
            leg = call.leg_of(user_id)
            if leg is not None and leg.is_ringable:
                await self.change(call.call_id, rule, None)

    def _on_sign_ins(self, message: Message) -> None:
        """Whoever signs out where they were calling from calls no more. Who is in a room is seen to leave it."""
        if not isinstance(message, SignInsEnded):
            return
        for call in list(self._live.values()):
            caller = call.caller
            device_id = caller.device.id if caller.device and call.answered_at is None else None
            if device_id in message.sign_in_ids and not self.is_in_room(call.call_id, caller.user.id):
                self._background.start(
                    partial(self.leave, call.call_id, caller.leg_id, "hangup", caller.user.id), "signed_out"
                )

    # ── what happens to them ──

    async def reached(self, call_id: str, user_id: str) -> Call:
        """A device of the person has connected while the call rings."""
        return await self.change(call_id, lambda call, now: rules.reach(call, user_id), None)

    async def media_connected(self, call_id: str, leg_id: str) -> Call:
        """A participant reports that media flows."""
        return await self.change(call_id, lambda call, now: rules.media_connected(call, leg_id, now, self.timing), None)

    async def socket_lost(self, call_id: str, leg_id: str) -> Call:
        """A participant's socket is gone."""
        return await self.change(call_id, lambda call, now: rules.socket_lost(call, leg_id), None)

    async def socket_back(self, call_id: str, leg_id: str) -> Call:
        """A participant's socket has come back."""
        connect = self.timing.connect
        return await self.change(call_id, lambda call, now: rules.socket_back(call, leg_id, now + connect), None)

    async def move(self, call_id: str, leg_id: str, who: Identity) -> Call:
        """A participant goes on with the call on the device of ``who``."""
        device = Device(who.sign_in_id, who.device)
        return await self.change(call_id, lambda call, now: rules.move(call, leg_id, device), None)

    async def leave(self, call_id: str, leg_id: str, reason: EndReason, by: str | None) -> Call:
        """A participant has left or was lost."""
        return await self.change(call_id, lambda call, now: rules.leave(call, leg_id, now, reason, by), None, by)

    def leave_soon(
        self, call_id: str, leg_id: str, reason: EndReason, by: str | None, is_gone: Callable[[], bool]
    ) -> None:
        """As :meth:`leave`, for nobody who waits for it; until then :meth:`is_being_left` says so.

        It may take until the database is back. Whoever has come back by then, so that ``is_gone`` is false, stays.
        """
        self._being_left.add(call_id)
        self._background.start(partial(self._leave_soon, call_id, leg_id, reason, by, is_gone), "leave")

    async def _leave_soon(
        self, call_id: str, leg_id: str, reason: EndReason, by: str | None, is_gone: Callable[[], bool]
    ) -> None:
        def rule(call: Call, now: datetime) -> Call:
            return rules.leave(call, leg_id, now, reason, by) if is_gone() else call

        try:
            await self.change(call_id, rule, None, by)
        finally:
            self._being_left.discard(call_id)

    def is_being_left(self, call_id: str) -> bool:
        """Whether somebody has left the call, and that is not stored yet."""
        return call_id in self._being_left

    # ── asking ──

    async def of(self, call_id: str, user_id: str) -> Call:
        """The call, for somebody who is in it; raises :class:`NotFound` for everybody else, as if there were none."""
        call = await self._calls.get(call_id) if is_id(call_id) else None
        if call is None or call.leg_of(user_id) is None:
            raise NotFound("There is no such call")
        return call

    async def find(self, call_id: str) -> Call | None:
        """The call with that id, whoever asks."""
        return await self._calls.get(call_id) if is_id(call_id) else None

    async def live_of(self, user_id: str) -> list[Call]:
        """The calls that ring for or hold that person now."""
        return await self._calls.live_of(user_id)

    # ── sweeping ──

    async def sweep(self) -> SweepReport:
        """Ends the calls that are past their deadline or whose nodes are dead. Doing it twice changes nothing twice."""
        if self._clock.monotonic() - self._renewed_at_s > LEASE_RENEWAL_S:
            await self.renew_leases()  # the database was away: our own calls are not those of a dead node
        due = await self._calls.due(self._clock.now())
        expired = 0
        for call in due:
            expired += await self._expire(call.call_id)
        await self._catch_up()
        now_s = self._clock.monotonic()
        self._over = {call_id: at_s for call_id, at_s in self._over.items() if now_s - at_s < FORGET_END_AFTER_S}
        return SweepReport(expired=expired, looked_at=len(due))

    async def _expire(self, call_id: str) -> bool:
        """Lets what is due happen to a call; false if somebody else was faster, or nothing has run out."""
        for _ in range(MAX_RACES):
            before = await self._calls.get(call_id)
            after = rules.expire(before, self._clock.now()) if before else None
            if before is None or after is None or after is before:
                return False
            after = settled(after, self._clock.now())
            seeming = rules.seems_to_ring_now(before, after)
            if await self._stored(before, after, None, seeming):
                self.tell(before, after, None, seeming)
                return seeming is None
        raise Conflict()

    def _schedule_seeming(self, before: Call | None, after: Call) -> None:
        """Lets each newly blocked leg seem to ring at its own moment; the sweep, whose beat would show, comes after."""
        for leg in after.legs:
            was = before.leg(leg.leg_id) if before else None
            if leg.seems_ringing_at is not None and (was is None or was.seems_ringing_at is None):
                self._background.start(partial(self._seem_to_ring, after.call_id, leg.seems_ringing_at), "seem_to_ring")

    async def _seem_to_ring(self, call_id: str, at: datetime) -> None:
        while (left_s := (at - self._clock.now()).total_seconds()) > 0:
            await asyncio.sleep(left_s)
        await self._expire(call_id)

    async def _catch_up(self) -> None:
        """Tells what another process did at a deadline (``ringback sweep``, say) to those who hang on this one."""
        now = self._clock.now()
        for told in [call for call in self._live.values() if _is_due(call, now)]:
            current = await self._calls.get(told.call_id)
            if self._live.get(told.call_id) is not told:
                continue  # what has changed was told while the database was asked
            if current is None:
                self._live.pop(told.call_id, None)
            elif current.rev > told.rev:
                self.tell(told, current, None, current.ended_by)
            else:
                self._live[told.call_id] = current

    async def renew_leases(self) -> int:
        """Says that the calls whose sockets hang on this node go on."""
        now_s = self._clock.monotonic()
        held = list({session.resource for session in self._hub.sessions() if session.kind == "call"})
        renewed = await self._calls.renew_leases(held, self._clock.now() + self.timing.lease) if held else 0
        self._renewed_at_s = now_s
        return renewed

    # ── the one way to change a call ──

    async def change(self, call_id: str, rule: Rule, actor: str | None, user_id: str | None = None) -> Call:
        """Applies ``rule`` until it stands: load, judge, write on condition of ``rev``, tell.

        ``user_id`` is the person who does it; raises :class:`NotFound` if they are not in the call.
        """
        for _ in range(MAX_RACES):
            before = await self._calls.get(call_id) if is_id(call_id) else None
            if before is None or (user_id is not None and before.leg_of(user_id) is None):
                raise NotFound("There is no such call")
            now = self._clock.now()
            after = rule(before, now)
            if after is before:
                return before
            after = settled(after, now)
            if await self._stored(before, after, actor, user_id):
                self.tell(before, after, actor, user_id)
                return after
        raise Conflict()

    async def _stored(self, before: Call, after: Call, actor: str | None, by: str | None) -> bool:
        try:
            return await self._calls.replace(after, rev=before.rev)
        except Unavailable:
            self.tell_if_stored(before, after, actor, by)
            raise

    def tell_if_stored(self, before: Call | None, after: Call, actor: str | None, by: str | None) -> None:
        """As :meth:`tell`, soon, for a write whose answer was lost: the database may have done it."""
        self._background.start(partial(self._tell_if_stored, before, after, actor, by), "tell_if_stored")

    async def _tell_if_stored(self, before: Call | None, after: Call, actor: str | None, by: str | None) -> None:
        current = await self._calls.get(after.call_id)
        if current is None or (before is not None and current.rev <= before.rev):
            return
        if replace(current, lease_until=after.lease_until) == after:
            self.tell(before, current, actor, by)
        else:  # somebody else has changed it: with ours or without it, nobody knows
            self.tell(before, current, None, current.ended_by)

    def tell(self, before: Call | None, after: Call, actor: str | None, by: str | None) -> None:
        """Tells everybody concerned what has become of ``before``, or of a newer one that they know.

        Answers of the database overtake each other: what somebody else has told meanwhile is told once, and the end
        last.
        """
        told = self._live.get(after.call_id)
        if after.call_id in self._over or (told is not None and told.rev >= after.rev):
            return
        before = told or before
        log.info(
            "call_changed",
            call_id=after.call_id,
            state=after.state,
            rev=after.rev,
            legs=[leg.state for leg in after.legs],
            end_reason=after.end_reason,
        )
        if after.is_over:
            self._live.pop(after.call_id, None)
            self._over[after.call_id] = self._clock.monotonic()
        else:
            self._live[after.call_id] = after
        for topic, message in notices(before, after, actor, self._clock.now(), by):
            self._bus.publish(topic, message)
        self._schedule_seeming(before, after)
        if _somebody_has_come(before, after):
            for leg in after.legs:
                if leg.is_in_call:
                    self._background.start(partial(self._turn_to, after, leg.user.id), "turn_to")
        self._unread.changed({*unread_by(after)} ^ {*(unread_by(before) if before else ())})
        for listener in self.listeners:
            listener(before, after, actor)
        for user_id in after.user_ids():
            self._presence.changed(user_id)

    def is_in_room(self, call_id: str, user_id: str) -> bool:
        """Whether a socket of that person is in the room of the call."""
        return any(
            session.kind == "call" and session.resource == call_id and session.connection is not None
            for session in self._hub.sessions_of(user_id)
        )


def seeming_delay_s() -> float:
    """How long a telephone that is connected takes until it says that it rings, in seconds: each time another time."""
    return random.uniform(0.05, 0.6)


def _busy_elsewhere(call: Call, now: datetime, *, user: User) -> Call:
    return rules.busy_elsewhere(call, user.user_id, now, user.call_waiting)


def _somebody_has_come(before: Call | None, after: Call) -> bool:
    """Whether somebody has taken the call by this change: then all who are in it, its caller too, turn to it from
    others."""
    if after.answered_at is None or after.is_over:
        return False
    there = {leg.leg_id: leg.joined_at for leg in before.legs if leg.is_in_call} if before else {}
    return any(leg.is_in_call and there.get(leg.leg_id) != leg.joined_at for leg in after.legs)


def _joined_before(other: Call, call: Call, user_id: str) -> bool:
    """Whether the person came to ``other`` before ``call``: of two that were taken at once, one stays."""
    theirs, mine = other.leg_of(user_id), call.leg_of(user_id)
    if theirs is None or theirs.joined_at is None or mine is None or mine.joined_at is None:
        return False
    return (theirs.joined_at, other.call_id) < (mine.joined_at, call.call_id)


def _is_due(call: Call, now: datetime) -> bool:
    return any(moment is not None and moment <= now for moment in (call.due_at, call.lease_until))
