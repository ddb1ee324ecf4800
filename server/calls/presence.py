"""Presence: who is there, told to those who watch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from server.calls.quiet_hours import QuietHours, is_quiet
from server.clock import Clock
from server.realtime.bus import PRESENCE, Bus, Message, PresenceNews
from server.realtime.frames import Presence as PresenceFrame
from server.realtime.frames import encode
from server.realtime.hub import Hub
from server.realtime.session import Session
from server.wire import rfc3339

State = Literal["online", "offline", "in_call", "do_not_disturb"]

GRACE_S = 10.0
"""A page that is left for the next one is gone for a moment; nobody is told of that."""


class PresenceBoard:
    """Says who is online on this node, and tells watchers when that changes."""

    def __init__(self, hub: Hub, bus: Bus, clock: Clock) -> None:
        self._hub = hub
        self._bus = bus
        self._clock = clock
        self._watchers: dict[str, set[Session]] = {}
        self._watched: dict[str, tuple[str, ...]] = {}  # session id → user ids
        self._said: dict[str, State] = {}
        self._undisturbed: set[str] = set()
        self._quiet_hours: dict[str, QuietHours] = {}  # by user id
        self._leaving: dict[str, float] = {}  # user id → monotonic second at which they count as gone
        bus.subscribe(PRESENCE, self._on_bus)

    def is_online(self, user_id: str) -> bool:
        """Whether a device of that person is there now, or was a moment ago."""
        return any(self._is_there(each) for each in self._hub.devices_of(user_id))

    def can_ring(self, user_id: str) -> bool:
        """As :meth:`is_online`, of devices that the person has not silenced."""
        return any(self._is_there(each) for each in self._hub.devices_of(user_id) if not each.who.silenced)

    def is_in_call(self, user_id: str) -> bool:
        """Whether that person is in the room of a call."""
        return any(session.kind == "call" for session in self._hub.sessions_of(user_id))

    def state(self, user_id: str, do_not_disturb: bool | None = None) -> State:
        """What others see of that person; pass ``do_not_disturb`` where it was just read."""
        undisturbed = user_id in self._undisturbed if do_not_disturb is None else do_not_disturb
        if not self.is_online(user_id) and not self.is_in_call(user_id):
            return "offline"
        if undisturbed or is_quiet(self._quiet_hours.get(user_id), self._clock.now()):
            return "do_not_disturb"
        return "in_call" if self.is_in_call(user_id) else "online"

    def _is_there(self, device: Session) -> bool:
        return device.detached_at_s is None or self._clock.monotonic() - device.detached_at_s < GRACE_S

    # ── watching ──

    def watch(self, session: Session, user_ids: Iterable[str]) -> None:
        """From now on ``session`` hears of these people, and of no others."""
        self.unwatch(session)
        watched = self._watched[session.id] = tuple(dict.fromkeys(user_ids))
        for user_id in watched:
            self._watchers.setdefault(user_id, set()).add(session)
            self._said.setdefault(user_id, self.state(user_id))

    def unwatch(self, session: Session) -> None:
        """``session`` hears of nobody any more."""
        for user_id in self._watched.pop(session.id, ()):
            watchers = self._watchers.get(user_id)
            if watchers is not None:
                watchers.discard(session)
                if not watchers:
                    del self._watchers[user_id]
                    self._said.pop(user_id, None)

    # ── changes ──

    def came(self, user_id: str, do_not_disturb: bool, quiet_hours: QuietHours | None = None) -> None:
        """A device of that person has connected."""
        self._leaving.pop(user_id, None)
        self._bus.publish(PRESENCE, PresenceNews(user_id, do_not_disturb, quiet_hours))

    def went(self, user_id: str) -> None:
        """A device of that person is gone, perhaps only for a moment."""
        self._leaving[user_id] = self._clock.monotonic() + GRACE_S

    def changed(self, user_id: str, do_not_disturb: bool | None = None, quiet_hours: QuietHours | None = None) -> None:
        """Something that others see of that person may have changed; ``quiet_hours`` counts with ``do_not_disturb``."""
        self._bus.publish(PRESENCE, PresenceNews(user_id, do_not_disturb, quiet_hours))

    def sweep(self) -> None:
        """Tells of those whose moment is over, and of those whose quiet hours begin or end."""
        now_s = self._clock.monotonic()
        for user_id in [user_id for user_id, at_s in self._leaving.items() if at_s <= now_s]:
            del self._leaving[user_id]
            self.changed(user_id)
        for user_id in self._quiet_hours.keys() & self._watchers.keys():
            self._tell(user_id)

    def _on_bus(self, message: Message) -> None:
        if not isinstance(message, PresenceNews):
            return
        user_id = message.user_id
        if message.do_not_disturb is not None:
            (self._undisturbed.add if message.do_not_disturb else self._undisturbed.discard)(user_id)
            self._quiet_hours.pop(user_id, None)
            if message.quiet_hours is not None:
                self._quiet_hours[user_id] = message.quiet_hours
        self._tell(user_id)

    def _tell(self, user_id: str) -> None:
        watchers = self._watchers.get(user_id)
        if not watchers:
            return
        state = self.state(user_id)
        if self._said.get(user_id) == state:
            return
        self._said[user_id] = state
        body = encode(PresenceFrame(timestamp=rfc3339(self._clock.now()), user_id=user_id, state=state))
        for session in list(watchers):
            session.deliver(body, coalesce_key=f"presence:{user_id}")
