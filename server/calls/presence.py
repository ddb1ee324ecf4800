"""Presence: who is there, told to those who watch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from server.calls.quiet_hours import QuietHours, is_quiet
from server.calls.signs import NO_SIGN, Signs
from server.calls.watchers import Watchers
from server.clock import Clock
from server.realtime.bus import PRESENCE, Bus, Message, PresenceNews
from server.realtime.frames import PresenceState
from server.realtime.hub import Hub
from server.realtime.session import Session

GRACE_S = 10.0
"""A page that is left for the next one is gone for a moment; nobody is told of that."""


class PresenceBoard:
    """Says how people are, from the sockets of this process and from what it knows of others, and tells watchers."""

    def __init__(self, hub: Hub, bus: Bus, clock: Clock) -> None:
        self._hub = hub
        self._bus = bus
        self._clock = clock
        self._watchers = Watchers(clock, self.state)
        self._idle: set[str] = set()  # ids of the sessions whose devices nobody uses
        self._elsewhere: Mapping[str, Signs] = {}  # by user id: what other processes see
        self._undisturbed: set[str] = set()
        self._quiet_hours: dict[str, QuietHours] = {}  # by user id
        self._leaving: dict[str, float] = {}  # user id → monotonic second at which they count as gone
        bus.subscribe(PRESENCE, self._on_bus)

    # ── how somebody is ──

    def is_online(self, user_id: str) -> bool:
        """Whether a device of that person is there now, or was a moment ago, on whatever process."""
        return self._signs(user_id).device

    def can_ring(self, user_id: str) -> bool:
        """As :meth:`is_online`, of devices that the person has not silenced."""
        return self._signs(user_id).rings

    def is_in_call(self, user_id: str) -> bool:
        """Whether that person is in the room of a call."""
        return self._signs(user_id).in_call

    def state(self, user_id: str, wants_quiet: bool | None = None) -> PresenceState:
        """What others see of that person; pass ``wants_quiet`` where it was just read."""
        signs = self._signs(user_id)
        if not (signs.device or signs.in_call):
            return "offline"
        if self._wants_quiet(user_id) if wants_quiet is None else wants_quiet:
            return "do_not_disturb"
        if signs.in_call:
            return "in_call"
        return "online" if signs.active else "away"

    def signs_here(self, user_id: str) -> Signs:
        """What the sockets of this process show of that person."""
        signs = NO_SIGN
        for session in self._hub.sessions_of(user_id):
            if session.kind == "call":
                signs |= Signs(in_call=True)
            elif self._is_there(session):
                signs |= Signs(device=True, rings=not session.who.silenced, active=session.id not in self._idle)
        return signs

    def everybody_here(self) -> dict[str, Signs]:
        """The same of everybody of whom they show anything, by user id."""
        user_ids = {session.who.user.id for session in self._hub.sessions()}
        seen = {user_id: self.signs_here(user_id) for user_id in user_ids}
        return {user_id: signs for user_id, signs in seen.items() if signs != NO_SIGN}

    def _signs(self, user_id: str) -> Signs:
        return self.signs_here(user_id) | self._elsewhere.get(user_id, NO_SIGN)

    def _is_there(self, device: Session) -> bool:
        return device.detached_at_s is None or self._clock.monotonic() - device.detached_at_s < GRACE_S

    def _wants_quiet(self, user_id: str) -> bool:
        return user_id in self._undisturbed or is_quiet(self._quiet_hours.get(user_id), self._clock.now())

    # ── watching ──

    def watch(self, session: Session, user_ids: Iterable[str], hidden: Iterable[str] = ()) -> None:
        """See :meth:`Watchers.watch`."""
        self._watchers.watch(session, user_ids, hidden)

    def hide(self, user_id: str, viewer_id: str) -> None:
        """See :meth:`Watchers.hide`."""
        self._watchers.hide(user_id, viewer_id)

    def show(self, user_id: str, viewer_id: str) -> None:
        """See :meth:`Watchers.show`."""
        self._watchers.show(user_id, viewer_id)

    # ── changes ──

    def came(self, user_id: str, do_not_disturb: bool, quiet_hours: QuietHours | None = None) -> None:
        """A device of that person has connected. Another that is gone may still take signs with it: see the sweep."""
        self.changed(user_id, do_not_disturb, quiet_hours)

    def went(self, user_id: str) -> None:
        """A device of that person is gone, perhaps only for a moment."""
        self._leaving[user_id] = self._clock.monotonic() + GRACE_S

    def forget(self, session: Session) -> None:
        """The device will not come back: it watches nobody, and is gone in a moment, if it was not already."""
        self._watchers.unwatch(session)
        self._idle.discard(session.id)
        if self._is_there(session):
            self.went(session.who.user.id)
        else:  # it counts as gone already, and puts off nothing that is to be told of another device
            self.changed(session.who.user.id)

    def set_idle(self, session: Session, idle: bool) -> None:
        """Nobody uses the device of that session, or somebody does again."""
        (self._idle.add if idle else self._idle.discard)(session.id)
        self.changed(session.who.user.id)

    def changed(self, user_id: str, do_not_disturb: bool | None = None, quiet_hours: QuietHours | None = None) -> None:
        """Something that others see of that person may have changed; ``quiet_hours`` counts with ``do_not_disturb``."""
        self._bus.publish(PRESENCE, PresenceNews(user_id, do_not_disturb, quiet_hours))

    def learn(self, user_id: str, do_not_disturb: bool, quiet_hours: QuietHours | None) -> None:
        """Whether that person wants to be disturbed, as it was just read."""
        (self._undisturbed.add if do_not_disturb else self._undisturbed.discard)(user_id)
        self._quiet_hours.pop(user_id, None)
        if quiet_hours is not None:
            self._quiet_hours[user_id] = quiet_hours
        self._watchers.tell(user_id)

    def see_elsewhere(self, seen: Mapping[str, Signs]) -> None:
        """What all other processes see now, by user id."""
        before, self._elsewhere = self._elsewhere, seen
        for user_id in before.keys() | seen.keys():
            if before.get(user_id) != seen.get(user_id):
                self._watchers.tell(user_id)

    def sweep(self) -> None:
        """Tells of those whose moment is over, and of those whose quiet hours begin or end."""
        now_s = self._clock.monotonic()
        for user_id in [user_id for user_id, at_s in self._leaving.items() if at_s <= now_s]:
            del self._leaving[user_id]
            self.changed(user_id)
        for user_id in self._quiet_hours:
            self._watchers.tell(user_id)

    def _on_bus(self, message: Message) -> None:
        if not isinstance(message, PresenceNews):
            return
        if message.do_not_disturb is not None:
            self.learn(message.user_id, message.do_not_disturb, message.quiet_hours)
        else:
            self._watchers.tell(message.user_id)
