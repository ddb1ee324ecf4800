"""Devices: the sign-ins of a person as they see them: each has a label, may be silenced, and may be signed out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from server.auth.sign_ins import SignIns
from server.clock import Clock
from server.errors import BadRequest, NotFound
from server.ids import is_id
from server.languages.sentences import N_
from server.realtime.bus import SIGN_INS, Bus, DeviceChanged, SignInsEnded
from server.realtime.hub import Hub
from server.store.sign_ins import SignIn, SignInStore

MAX_LABEL_CHARACTERS = 100
OVERLAP = timedelta(seconds=5)
"""Clocks of nodes differ, so a change is looked for this much longer; to hear of it twice changes nothing."""


class Devices:
    """Lists, renames, silences and signs out the devices of a person, and notes when each was there last."""

    def __init__(self, store: SignInStore, sign_ins: SignIns, hub: Hub, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._sign_ins = sign_ins
        self._hub = hub
        self._bus = bus
        self._clock = clock
        self._changes_seen_at = clock.now()

    async def of(self, user_id: str) -> list[SignIn]:
        """The devices of a person that are signed in, the one that was there last first."""
        now = self._clock.now()
        found = await self._store.of(user_id, now)
        return sorted(found, key=lambda device: (self.last_seen_at(device), device.sign_in_id), reverse=True)

    def is_online(self, device: SignIn) -> bool:
        """Whether a socket of that device on which it rings is open."""
        return self._hub.has_device(device.sign_in_id)

    def last_seen_at(self, device: SignIn) -> datetime:
        """When the device was there last, to the minute or so."""
        if self.is_online(device):
            return self._clock.now()
        return max(device.refreshed_at, device.last_seen_at or device.created_at)

    async def change(self, user_id: str, sign_in_id: str, **fields: Any) -> SignIn:
        """Sets any of ``label`` and ``silenced``, on every process at once.

        Raises :class:`BadRequest` for a bad label and :class:`NotFound` for a device that is not that person's.
        """
        if "label" in fields:
            fields["device"] = good_label(fields.pop("label"))
        fields["changed_at"] = self._clock.now()
        changed = await self._store.change(sign_in_id, user_id, **fields) if is_id(sign_in_id) else None
        if changed is None:
            raise NotFound("There is no such device")
        self._tell(changed)
        return changed

    async def sign_out(self, user_id: str, sign_in_id: str) -> None:
        """Ends the sign-in of one device; raises :class:`NotFound` for one that is not that person's."""
        found = await self._store.get(sign_in_id) if is_id(sign_in_id) else None
        if found is None or found.user_id != user_id or found.revoked_at is not None:
            raise NotFound("There is no such device")
        await self._sign_ins.end(sign_in_id, "signed out from another device")

    # ── jobs ──

    async def notice_changes(self) -> int:
        """Acts on what another process changed whose message was lost; returns how much was found."""
        now = self._clock.now()
        changed = await self._store.changed_since(self._changes_seen_at - OVERLAP)
        self._changes_seen_at = now  # only now: without a database nothing was seen
        for device in changed:
            self._tell(device)
        return len(changed)

    async def notice_ends(self) -> int:
        """Closes what is still open of sign-ins that have run out, or are not stored any more; returns how many."""
        in_use = self._hub.sign_ins()
        over = in_use - await self._store.standing(in_use, self._clock.now()) if in_use else set()
        if over:
            self._bus.publish(SIGN_INS, SignInsEnded(tuple(over)))
        return len(over)

    async def note_seen(self) -> int:
        """Writes down which devices are there or have been since the last time; returns how many."""
        seen = self._sign_ins.take_seen() | self._hub.devices_online()
        return await self._store.saw(seen, self._clock.now()) if seen else 0

    def _tell(self, device: SignIn) -> None:
        self._bus.publish(SIGN_INS, DeviceChanged(device.sign_in_id, device.device, device.silenced))


def good_label(label: str) -> str:
    """``label`` without white space around it; raises :class:`BadRequest` if it is empty, long, or has line breaks."""
    label = label.strip()
    if not label or len(label) > MAX_LABEL_CHARACTERS or not label.isprintable():
        raise BadRequest.of("label", N_("1 to %(count)s printable characters", count=MAX_LABEL_CHARACTERS))
    return label
