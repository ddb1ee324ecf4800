"""The switchboard: every change of a call is one conditional write, then one round of notices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from server.auth.identity import Identity
from server.calls import rules
from server.calls.history import unread_by
from server.calls.model import Call, Device, EndReason, MediaKind
from server.calls.notices import notices
from server.calls.presence import PresenceBoard
from server.calls.rules import Callee, Timing
from server.calls.unread import UnreadCounts
from server.clock import Clock
from server.errors import BadRequest, CannotCallSelf, Conflict, NotFound, TooManyCalls, UserNotFound
from server.ids import is_id, new_id
from server.languages.sentences import N_
from server.log import get_logger
from server.realtime.bus import Bus
from server.realtime.hub import Hub
from server.realtime.limits import TokenBucket
from server.settings import CallSettings
from server.store.calls import CallStore
from server.store.driver import Duplicate
from server.store.users import User, UserStore

log = get_logger("calls")

MAX_RACES = 20
"""Tries of one change against faster others; a call has a handful of actors, so this is never reached in honest use."""
LEASE_RENEWAL_S = 10.0
"""A quarter of a call's lease: three renewals may fail before anybody thinks the node dead."""
REDIAL_AFTER_S = 2.0
"""A second dialling of the same person within this time is a double click; later it gives the first call up."""

Rule = Callable[[Call, datetime], Call]


class Placed(NamedTuple):
    """What came of dialling: the call, whether it is new, and whether it is the other person's call to us."""

    call: Call
    created: bool
    merged: bool


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
        clock: Clock,
        settings: CallSettings,
    ) -> None:
        self._calls = calls
        self._users = users
        self._presence = presence
        self._unread = unread
        self._hub = hub
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self.timing = Timing(settings.ring_timeout_s, settings.connect_timeout_s, settings.max_duration_s)
        self._buckets: dict[str, TokenBucket] = {}
        self._renewed_at_s = clock.monotonic()
        self.listeners: list[Callable[[Call | None, Call], None]] = []
        """Told (before, after) of each change that this process has stored; they must not block."""
        self._live: dict[str, Call] = {}  # the calls that this node has told of, as it told them last

    # ── placing ──

    async def place(
        self, who: Identity, usernames: Sequence[str], media: MediaKind, client_key: str | None = None
    ) -> Placed:
        """Calls ``usernames``.

        Raises :class:`CannotCallSelf`, :class:`UserNotFound`, :class:`TooManyCalls`, :class:`BadRequest`. The same
        ``client_key`` again gives the same call; two people who dial each other at once get one call, answered.
        """
        if client_key is not None:
            known = await self._calls.by_client_key(who.user.id, client_key)
            if known is not None:
                return Placed(known, created=False, merged=False)
        callees = await self._callees(who, usernames)
        self._require_within_rate(who.user.id)
        device = Device(who.sign_in_id, who.device)
        for _ in range(MAX_RACES):
            now = self._clock.now()
            call = rules.place(
                who.user,
                device,
                [
                    Callee(
                        user.ref,
                        reached=self._presence.can_ring(user.user_id),
                        do_not_disturb=user.wants_quiet(now),
                    )
                    for user in callees
                ],
                media,
                now,
                self.timing,
                new_id,
                client_key,
            )
            try:
                await self._calls.insert(call)
            except Duplicate:
                placed = await self._instead(who, call, media)
                if placed is not None:
                    return placed
                continue
            self._tell(None, call, who.sign_in_id, who.user.id)
            return Placed(call, created=True, merged=False)
        raise Conflict()

    async def _instead(self, who: Identity, wanted: Call, media: MediaKind) -> Placed | None:
        """The call that stands in the way of ``wanted``, if it serves instead; ``None``: try again."""
        if wanted.client_key is not None:
            known = await self._calls.by_client_key(who.user.id, wanted.client_key)
            if known is not None:
                return Placed(known, created=False, merged=False)
        other = await self._calls.ringing_between(wanted.user_ids())
        if other is None:
            return None
        if other.created_by.id != who.user.id:
            try:
                return Placed(await self._merge(other, who, media), created=False, merged=True)
            except Conflict:
                return None
        age_s = (self._clock.now() - other.created_at).total_seconds()
        if age_s < REDIAL_AFTER_S or self._is_in_room(other.call_id, who.user.id):
            return Placed(other, created=False, merged=False)
        await self._change(
            other.call_id, lambda call, now: rules.end(call, "cancelled", now, by=who.user.id), None, who.user.id
        )
        return None

    async def _merge(self, other: Call, who: Identity, media: MediaKind) -> Call:
        device = Device(who.sign_in_id, who.device)
        return await self._change(
            other.call_id,
            lambda call, now: rules.merge(call, who.user.id, device, media, now, self.timing),
            who.sign_in_id,
            who.user.id,
        )

    async def _callees(self, who: Identity, usernames: Sequence[str]) -> list[User]:
        wanted = {name.casefold(): name for name in usernames}
        most = self._settings.max_participants - 1
        if not 1 <= len(wanted) <= most:
            raise BadRequest.of("callees", N_("1 to %(count)s different people", count=most))
        if who.user.username.casefold() in wanted:
            raise CannotCallSelf(fields={"callees": N_("contains the caller")})
        found = {user.username.casefold(): user for user in await self._users.by_names(wanted)}
        for key, name in wanted.items():
            user = found.get(key)
            if user is None or user.disabled or user.service:
                raise UserNotFound(
                    N_("There is nobody called %(name)s", name=repr(name)),
                    fields={"callees": N_("nobody called %(name)s", name=repr(name))},
                )
        return [found[key] for key in wanted]

    def _require_within_rate(self, user_id: str) -> None:
        per_minute = self._settings.calls_per_minute
        now_s = self._clock.monotonic()
        bucket = self._buckets.get(user_id)
        if bucket is None:
            bucket = self._buckets[user_id] = TokenBucket(per_minute / 60.0, per_minute, now_s)
        if not bucket.take(now_s):
            raise TooManyCalls(retry_after_s=bucket.wait_s())

    # ── what people do ──

    async def acknowledge_ringing(self, call_id: str, who: Identity) -> Call:
        """A device shows the call; raises :class:`~server.errors.CallEnded` if there is nothing left to ring for."""
        return await self._theirs(call_id, who, rules.acknowledge_ringing)

    async def answer(self, call_id: str, who: Identity, device_id: str) -> Call:
        """The first answer wins; raises :class:`~server.errors.AlreadyAnswered` for all others."""
        device = Device(device_id, who.device)
        return await self._theirs(
            call_id,
            who,
            lambda call, user_id, now: rules.answer(call, user_id, device, now, self.timing),
            actor=device_id,
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

    async def _theirs(
        self,
        call_id: str,
        who: Identity,
        rule: Callable[[Call, str, datetime], Call],
        actor: str | None = None,
    ) -> Call:
        user_id = who.user.id
        return await self._change(call_id, lambda call, now: rule(call, user_id, now), actor, user_id)

    # ── what happens to them ──

    async def reached(self, call_id: str, user_id: str) -> Call:
        """A device of the person has connected while the call rings."""
        return await self._change(call_id, lambda call, now: rules.reach(call, user_id), None)

    async def media_connected(self, call_id: str, leg_id: str) -> Call:
        """A participant reports that media flows."""
        return await self._change(
            call_id, lambda call, now: rules.media_connected(call, leg_id, now, self.timing), None
        )

    async def socket_lost(self, call_id: str, leg_id: str) -> Call:
        """A participant's socket is gone."""
        return await self._change(call_id, lambda call, now: rules.socket_lost(call, leg_id), None)

    async def socket_back(self, call_id: str, leg_id: str) -> Call:
        """A participant's socket has come back."""
        return await self._change(call_id, lambda call, now: rules.socket_back(call, leg_id), None)

    async def leave(self, call_id: str, leg_id: str, reason: EndReason, by: str | None) -> Call:
        """A participant has left or was lost."""
        return await self._change(call_id, lambda call, now: rules.leave(call, leg_id, now, reason, by), None, by)

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
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now_s)}
        return SweepReport(expired=expired, looked_at=len(due))

    async def _expire(self, call_id: str) -> bool:
        """Ends a call past its deadline; false if somebody else was faster."""
        ended = False

        def rule(call: Call, now: datetime) -> Call:
            nonlocal ended
            after = rules.expire(call, now)
            ended = after is not call
            return after

        await self._change(call_id, rule, None)
        return ended

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
                self._tell(told, current, None, current.ended_by)
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

    async def _change(self, call_id: str, rule: Rule, actor: str | None, user_id: str | None = None) -> Call:
        """Applies ``rule`` until it stands: load, judge, write on condition of ``rev``, tell.

        ``user_id`` is the person who does it; raises :class:`NotFound` if they are not in the call.
        """
        for _ in range(MAX_RACES):
            before = await self._calls.get(call_id) if is_id(call_id) else None
            if before is None or (user_id is not None and before.leg_of(user_id) is None):
                raise NotFound("There is no such call")
            after = rule(before, self._clock.now())
            if after is before:
                return before
            if await self._calls.replace(after, rev=before.rev):
                self._tell(before, after, actor, user_id)
                return after
        raise Conflict()

    def _tell(self, before: Call | None, after: Call, actor: str | None, by: str | None) -> None:
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
        else:
            self._live[after.call_id] = after
        for topic, message in notices(before, after, actor, self._clock.now(), by):
            self._bus.publish(topic, message)
        self._unread.changed(unread_by(after))
        for listener in self.listeners:
            listener(before, after)
        for user_id in after.user_ids():
            self._presence.changed(user_id)

    def _is_in_room(self, call_id: str, user_id: str) -> bool:
        return any(
            session.kind == "call" and session.resource == call_id and session.connection is not None
            for session in self._hub.sessions_of(user_id)
        )


def _is_due(call: Call, now: datetime) -> bool:
    return any(moment is not None and moment <= now for moment in (call.due_at, call.lease_until))
