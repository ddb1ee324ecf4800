"""Dialling: from user names to a call, be it a new one or the one that there is already."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from server.auth.identity import Identity
from server.calls import rules
from server.calls.call_limits import CallLimits
from server.calls.model import Call, Device, MediaKind
from server.calls.notices import begins_to_ring
from server.calls.presence import PresenceBoard
from server.calls.rules import Callee
from server.calls.switchboard import MAX_RACES, Switchboard, seeming_delay_s
from server.clock import Clock
from server.errors import AlreadyAnswered, BadRequest, CallEnded, CannotCallSelf, Conflict, Unavailable, UserNotFound
from server.ids import new_id
from server.languages.sentences import N_
from server.realtime.background import Background
from server.settings import CallSettings
from server.store.calls import CallStore
from server.store.contacts import ContactStore, Standing
from server.store.driver import Duplicate
from server.store.users import User, UserStore

REDIAL_AFTER_S = 2.0
"""A second dialling of the same person within this time is a double click; later it gives the first call up."""


class Placed(NamedTuple):
    """What came of dialling: the call, whether it is new, and whether it is the other person's call to us."""

    call: Call
    created: bool
    merged: bool


class Dialling:
    """Places calls. What stands in a callee's way is an outcome of their leg, and no refusal."""

    def __init__(
        self,
        switchboard: Switchboard,
        calls: CallStore,
        users: UserStore,
        contacts: ContactStore,
        presence: PresenceBoard,
        background: Background,
        clock: Clock,
        settings: CallSettings,
    ) -> None:
        self._switchboard = switchboard
        self._calls = calls
        self._users = users
        self._contacts = contacts
        self._presence = presence
        self._background = background
        self._clock = clock
        self._most = settings.max_participants - 1
        self.limits = CallLimits(clock, settings)
        switchboard.listeners.append(self._on_change)
        self._under_way: dict[tuple[str, str], asyncio.Future[Placed]] = {}  # by user id and client key

    async def place(
        self, who: Identity, usernames: Sequence[str], media: MediaKind, client_key: str | None = None
    ) -> Placed:
        """Calls ``usernames``.

        Raises :class:`CannotCallSelf`, :class:`UserNotFound`, :class:`~server.errors.TooManyCalls`,
        :class:`BadRequest`. The same ``client_key`` again gives the same call; two people who dial each other at once
        get one call, answered.
        """
        if client_key is None:
            return await self._placed(who, usernames, media, None)
        key = who.user.id, client_key
        under_way = self._under_way.get(key)
        if under_way is not None:
            return (await asyncio.shield(under_way))._replace(created=False)
        task = self._under_way[key] = asyncio.ensure_future(self._placed(who, usernames, media, client_key))
        task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)

    async def _placed(
        self, who: Identity, usernames: Sequence[str], media: MediaKind, client_key: str | None
    ) -> Placed:
        known = await self._known(who, client_key)
        if known is not None:
            return known
        for race in range(MAX_RACES):
            people = await self._people(who, usernames)
            ids = {user.user_id for user in people}
            if race == 0:
                self.limits.require(who.user.id, ids)
            standings = await self._contacts.standings(who.user.id, ids)
            live = await self._calls.live_of_any([who.user.id, *ids])
            theirs = next((call for call in live if _calls_us(call, who.user.id, ids)), None)
            if theirs is not None:
                merged = await self._merged(theirs, who, media)
                if merged is not None:
                    return merged
                continue
            same = self._same(who, ids, live)
            if same is not None:
                return same
            if await self._give_up(who, ids, live):
                continue
            callees = self._callees(people, standings, live, self._clock.now())
            device = Device(who.sign_in_id, who.device)
            call = rules.place(
                who.user, device, callees, media, self._clock.now(), self._switchboard.timing, new_id, client_key
            )
            if await self._stored(call, who):
                self._switchboard.tell(None, call, who.sign_in_id, who.user.id)
                return Placed(call, created=True, merged=False)
            known = await self._known(who, client_key)
            if known is not None:
                return known
        raise Conflict()

    async def _known(self, who: Identity, client_key: str | None) -> Placed | None:
        if client_key is None:
            return None
        known = await self._calls.by_client_key(who.user.id, client_key)
        return None if known is None else Placed(known, created=False, merged=False)

    async def _stored(self, call: Call, who: Identity) -> bool:
        """False if another call of the pair, or with that key, was stored meanwhile."""
        try:
            await self._calls.insert(call)
        except Duplicate:
            return False
        except Unavailable:
            self._switchboard.tell_if_stored(None, call, who.sign_in_id, who.user.id)
            raise
        return True

    # ── into a call that goes on ──

    async def invite(self, who: Identity, call_id: str, usernames: Sequence[str]) -> Call:
        """Calls ``usernames`` into a call in which the person takes part; whoever is in it already, or rings, stays so.

        Raises as :meth:`place`, :class:`~server.errors.NotFound` for strangers, :class:`~server.errors.CallEnded`,
        :class:`~server.errors.BadState` before anybody has answered, :class:`~server.errors.CallFull`.
        """
        call = await self._switchboard.of(call_id, who.user.id)
        people = await self._people(who, usernames, "usernames")
        ids = [user.user_id for user in people]
        standings = await self._contacts.standings(who.user.id, ids)
        others = [other for other in await self._calls.live_of_any(ids) if other.call_id != call_id]
        callees = self._callees(people, standings, others, self._clock.now())
        rule = partial(_invite, who=who, callees=callees, timing=self._switchboard.timing, most=self._most + 1)
        # Judged before it counts, and by the rule alone: what is refused costs nothing, nor does who is there already.
        for user_id in _called_by(call, rule(call, self._clock.now())):
            self.limits.require(who.user.id, [user_id])
        return await self._switchboard.change(call_id, rule, who.sign_in_id, who.user.id)

    # ── whom ──

    async def _people(self, who: Identity, usernames: Sequence[str], field: str = "callees") -> list[User]:
        wanted = {name.casefold(): name for name in usernames}
        if not 1 <= len(wanted) <= self._most:
            raise BadRequest.of(field, N_("1 to %(count)s different people", count=self._most))
        if who.user.username.casefold() in wanted:
            raise CannotCallSelf(fields={field: N_("contains the caller")})
        found = {user.username.casefold(): user for user in await self._users.by_names(wanted)}
        for key, name in wanted.items():
            user = found.get(key)
            if user is None or user.disabled or user.service:
                raise UserNotFound(
                    N_("There is nobody called %(name)s", name=repr(name)),
                    fields={field: N_("nobody called %(name)s", name=repr(name))},
                )
        return [found[key] for key in wanted]

    def _on_change(self, before: Call | None, after: Call, actor: str | None) -> None:
        called = {leg.user.id for leg in after.legs if begins_to_ring(before.leg(leg.leg_id) if before else None, leg)}
        if called:
            self._background.start(partial(self._look_again, after, called), "look_again")

    async def _look_again(self, call: Call, called: set[str]) -> None:
        """What has come in the way of a ring while it was being stored: whoever looked for calls that ring, to stop
        them, did not find it yet."""
        ids = list(called)
        people = {user.user_id: user for user in await self._users.by_ids(ids)}
        others = [other for other in await self._calls.live_of_any(ids) if other.call_id != call.call_id]
        for leg in call.legs:
            if leg.user.id in people:
                standings = await self._contacts.standings(call.inviter_of(leg).id, [leg.user.id])
                (callee,) = self._callees([people[leg.user.id]], standings, others, leg.invited_at)
                if callee.blocked or callee.do_not_disturb or callee.in_call:
                    await self._switchboard.change(call.call_id, partial(_hold_back, callee=callee), None)

    def _callees(
        self, people: list[User], standings: dict[str, Standing], live: list[Call], now: datetime
    ) -> list[Callee]:
        return [
            Callee(
                user=user.ref,
                reached=self._presence.can_ring(user.user_id),
                blocked=standings[user.user_id].blocked,
                seems_ringing_after_s=seeming_delay_s(),
                contacts_only=user.callers == "contacts" and not standings[user.user_id].contact,
                do_not_disturb=user.wants_quiet(now),
                in_call=any(takes_part(call, user.user_id) for call in live),
                call_waiting=user.call_waiting,
            )
            for user in people
        ]

    # ── the call that there is already ──

    async def _merged(self, theirs: Call, who: Identity, media: MediaKind) -> Placed | None:
        """The call by which they are calling us, answered; ``None`` if it changed meanwhile."""
        device = Device(who.sign_in_id, who.device)
        rule = partial(_merge, who=who, device=device, media=media, timing=self._switchboard.timing)
        try:
            answered = await self._switchboard.change(theirs.call_id, rule, who.sign_in_id, who.user.id)
        except (AlreadyAnswered, CallEnded):
            return None
        return Placed(answered, created=False, merged=True)

    def _same(self, who: Identity, ids: set[str], live: list[Call]) -> Placed | None:
        """Our own call to the same people, if we are still there: that was a double click, or another window."""
        for call in live:
            if _is_between(call, who.user.id, ids) and not self._is_silent(call, who):
                return Placed(call, created=False, merged=False)
        return None

    async def _give_up(self, who: Identity, ids: set[str], live: list[Call]) -> bool:
        """Ends what stands in the way of calling these people anew; whether there was anything."""
        gone = [
            call
            for call in live
            if _is_between(call, who.user.id, ids)
            or (_is_calling(call, who.user.id, ids) and not self._switchboard.is_in_room(call.call_id, who.user.id))
        ]
        for call in gone:
            await self._switchboard.change(
                call.call_id, partial(_give_up, seen=call, by=who.user.id), None, who.user.id
            )
        return bool(gone)

    def _is_silent(self, call: Call, who: Identity) -> bool:
        """Whether one side of the call is not there: whoever dials again then wants a new one."""
        if self._switchboard.is_being_left(call.call_id):
            return True
        since = call.answered_at or call.created_at
        if (self._clock.now() - since).total_seconds() < REDIAL_AFTER_S:
            return False
        if any(leg.state == "reconnecting" for leg in call.legs):
            return True
        return not self._switchboard.is_in_room(call.call_id, who.user.id)


def _invite(
    call: Call, now: datetime, *, who: Identity, callees: list[Callee], timing: rules.Timing, most: int
) -> Call:
    return rules.invite(call, who.user.id, callees, now, timing, new_id, most)


def _called_by(before: Call, after: Call) -> list[str]:
    """The user ids of those who are called by a change."""
    known = set(before.legs)
    return [leg.user.id for leg in after.legs if leg not in known]


def _hold_back(call: Call, now: datetime, *, callee: Callee) -> Call:
    if callee.blocked:
        return rules.block(call, callee.user.id, now, callee.seems_ringing_after_s)
    if callee.do_not_disturb:
        return rules.disturb_no_more(call, callee.user.id, now)
    return rules.busy_elsewhere(call, callee.user.id, now, callee.call_waiting)


def takes_part(call: Call, user_id: str) -> bool:
    """Whether the person is busy with that call."""
    leg = call.leg_of(user_id)
    return call.state in ("connecting", "active") and leg is not None and leg.is_in_call


def _calls_us(call: Call, user_id: str, ids: set[str]) -> bool:
    """Whether one of ``ids`` is calling us, and nobody is wanted who is not in their call."""
    leg = call.leg_of(user_id)
    is_awaited = leg is not None and leg.is_awaited
    return leg is not None and is_awaited and call.inviter_of(leg).id in ids and ids <= set(call.user_ids())


def _is_outgoing(call: Call, user_id: str) -> bool:
    return call.created_by.id == user_id and call.state in ("inviting", "ringing")


def _is_calling(call: Call, user_id: str, ids: set[str]) -> bool:
    """Whether it is our own call, still ringing, to one of these people and perhaps to others."""
    return _is_outgoing(call, user_id) and any(leg.is_awaited and leg.user.id in ids for leg in call.legs)


def _is_between(call: Call, user_id: str, ids: set[str]) -> bool:
    """Whether it is our own call to exactly these people, still ringing, or one that we have with the one of them."""
    if set(call.user_ids()) != ids | {user_id}:
        return False
    return _is_outgoing(call, user_id) or (
        len(ids) == 1 and call.state in ("connecting", "active") and all(leg.is_in_call for leg in call.legs)
    )


def _merge(call: Call, now: datetime, *, who: Identity, device: Device, media: MediaKind, timing: rules.Timing) -> Call:
    return rules.merge(call, who.user.id, device, media, now, timing)


def _give_up(call: Call, now: datetime, *, seen: Call, by: str) -> Call:
    """The call given up, unless it was answered since it was ``seen``: then it is to be judged anew."""
    if call.answered_at is not None and seen.answered_at is None:
        return call
    return rules.end(call, "cancelled" if call.answered_at is None else "hangup", now, by=by)
