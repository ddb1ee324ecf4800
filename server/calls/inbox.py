"""The inbox: ``/ws/user``, one session for each device, where a person's devices ring."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from server.auth.accounts import Accounts
from server.calls import rules
from server.calls.model import Call, Leg, view
from server.calls.notices import expires_in_ms, incoming_frame
from server.calls.presence import PresenceBoard
from server.calls.switchboard import Switchboard
from server.clock import Clock
from server.close_codes import CloseCode
from server.realtime import frames
from server.realtime.background import Background
from server.realtime.dispatch import Commands, Result
from server.realtime.hub import DEVICE, Hub
from server.realtime.session import Session
from server.store.contacts import ContactStore
from server.store.users import UserStore
from server.wire import rfc3339


class Inbox:
    """Rings devices, takes their answers, and tells them of the people they watch."""

    kind = DEVICE

    def __init__(
        self,
        switchboard: Switchboard,
        users: UserStore,
        contacts: ContactStore,
        accounts: Accounts,
        presence: PresenceBoard,
        hub: Hub,
        background: Background,
        clock: Clock,
        interval_s: float,
        resume_window_s: float,
    ) -> None:
        self._switchboard = switchboard
        self._users = users
        self._contacts = contacts
        self._accounts = accounts
        self._presence = presence
        self._hub = hub
        self._background = background
        self._clock = clock
        self.interval_s = interval_s
        self.resume_window_s = resume_window_s
        self._ignored: dict[tuple[str, str], datetime] = {}  # when, by sign-in and call id
        self.commands = Commands(
            reader=frames.FrameReader(
                frames.Ringing,
                frames.AnswerCall,
                frames.Decline,
                frames.Ignore,
                frames.Watch,
                frames.PresenceFromClient,
            ),
            quick={frames.Ignore: self._ignore},
            slow={
                frames.Ringing: self._ringing,
                frames.AnswerCall: self._answer,
                frames.Decline: self._decline,
                frames.Watch: self._watch,
                frames.PresenceFromClient: self._set_presence,
            },
        )

    # ── coming and going ──

    async def open(self, session: Session) -> dict[str, Any]:
        """Registers the device, then reads what rings: a call placed meanwhile waits in the session."""
        self._hub.admit(session)
        return await self.reopen(session)

    async def reopen(self, session: Session) -> dict[str, Any]:
        """What a device needs to draw itself: the calls that ring for the person, and those they are in."""
        user_id = session.who.user.id
        now = self._clock.now()
        incoming, others = [], []
        for call in await self._switchboard.live_of(user_id):
            leg = call.leg_of(user_id)
            if leg is None or not leg.is_ringable or session.who.silenced or self._is_ignored(session, call, leg):
                others.append(view(call, user_id))
            elif expires_in_ms(call, leg, now) >= rules.LEAST_RING_S * 1000:
                incoming.append({"call": view(call, user_id), "expires_in_ms": expires_in_ms(call, leg, now)})
                if not leg.reached:
                    self._background.start(partial(self._switchboard.reached, call.call_id, user_id), "reached")
        return {"incoming": incoming, "calls": others}

    def session_attached(self, session: Session) -> None:
        """See :class:`~server.realtime.hub.SessionWatcher`."""
        self._presence.came(session.who.user.id, session.who.do_not_disturb, session.who.quiet_hours)

    def session_detached(self, session: Session) -> None:
        """See :class:`~server.realtime.hub.SessionWatcher`."""
        self._presence.went(session.who.user.id)

    def session_silenced(self, session: Session) -> None:
        """What rings for the person stops on a device that was silenced, and rings on one that may ring again."""
        self._presence.changed(session.who.user.id)
        self._background.start(partial(self._ring_or_stop, session), "ring_or_stop")

    async def _ring_or_stop(self, session: Session) -> None:
        user_id = session.who.user.id
        for call in await self._switchboard.live_of(user_id):
            now, leg = self._clock.now(), call.leg_of(user_id)
            if leg is None or not leg.is_ringable:
                continue
            if session.who.silenced:
                stopped = frames.IncomingStopped(timestamp=rfc3339(now), call_id=call.call_id, reason="silenced")
                session.deliver(frames.encode(stopped))
            elif expires_in_ms(call, leg, now) >= rules.LEAST_RING_S * 1000:
                session.deliver(incoming_frame(call, leg, now))
                await self._switchboard.reached(call.call_id, user_id)

    def session_over(self, session: Session, code: CloseCode) -> None:
        """See :class:`~server.realtime.hub.SessionWatcher`."""
        self._presence.forget(session)

    # ── frames ──

    async def _ringing(self, session: Session, frame: frames.Ringing) -> Result:
        await self._switchboard.acknowledge_ringing(frame.call_id, session.who)
        return None

    async def _answer(self, session: Session, frame: frames.AnswerCall) -> Result:
        return _call(await self._switchboard.answer(frame.call_id, session.who, session.id), session)

    async def _decline(self, session: Session, frame: frames.Decline) -> Result:
        return _call(await self._switchboard.decline(frame.call_id, session.who, session.id), session)

    def _ignore(self, session: Session, frame: frames.Ignore) -> Result:
        """This device is silent by its own doing, on its next page too; the others go on ringing."""
        now, ring = self._clock.now(), self._switchboard.timing.ring
        self._ignored = {key: at for key, at in self._ignored.items() if now - at < ring}
        self._ignored[session.who.sign_in_id, frame.call_id] = now
        return None

    def _is_ignored(self, session: Session, call: Call, leg: Leg) -> bool:
        """Whether that device was silenced for this ring; whoever is called back into the call is rung anew."""
        at = self._ignored.get((session.who.sign_in_id, call.call_id))
        return at is not None and at >= leg.invited_at

    async def _set_presence(self, session: Session, frame: frames.PresenceFromClient) -> Result:
        if frame.state in ("away", "active"):
            self._presence.set_idle(session, frame.state == "away")
            return None
        do_not_disturb = frame.state == "do_not_disturb"
        user = await self._accounts.change_profile(session.who.user.id, do_not_disturb=do_not_disturb)
        self._presence.changed(user.user_id, user.do_not_disturb, user.quiet_hours)
        if do_not_disturb:
            await self._switchboard.disturb_no_more(user.user_id)
        return None

    async def _watch(self, session: Session, frame: frames.Watch) -> Result:
        people = await self._users.by_ids(frame.user_ids)
        standings = await self._contacts.standings(session.who.user.id, [user.user_id for user in people])
        hidden = {user_id for user_id, standing in standings.items() if standing.blocked}
        for user in people:
            self._presence.learn(user.user_id, user.do_not_disturb, user.quiet_hours)
        self._presence.watch(session, standings, hidden)
        return {
            "people": [
                {"user_id": user_id, "state": "offline" if user_id in hidden else self._presence.state(user_id)}
                for user_id in standings
            ]
        }


def _call(call: Call, session: Session) -> dict[str, Any]:
    return {"call": view(call, session.who.user.id)}
