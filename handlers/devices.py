"""The devices of a person: their own sign-ins."""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.base import ApiHandler
from server.auth.devices import Devices
from server.store.sign_ins import SignIn
from server.wire import rfc3339


class DeviceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``PATCH /devices/{sign_in_id}``; what is left out stays as it is."""

    label: str | msgspec.UnsetType = msgspec.UNSET
    silenced: bool | msgspec.UnsetType = msgspec.UNSET


def device_item(device: SignIn, devices: Devices, current: str) -> dict[str, Any]:
    """A device on the wire, for somebody who asks from the sign-in ``current``."""
    return {
        "id": device.sign_in_id,
        "label": device.device,
        "created_at": rfc3339(device.created_at),
        "last_seen_at": rfc3339(devices.last_seen_at(device)),
        "current": device.sign_in_id == current,
        "online": devices.is_online(device),
        "push": device.push is not None,
        "silenced": device.silenced,
    }


class DevicesHandler(ApiHandler):
    """``/devices``."""

    async def get(self) -> None:
        """The person's devices, the one that was there last first."""
        found = await self.services.devices.of(self.who.user.id)
        items = [device_item(device, self.services.devices, self.who.sign_in_id) for device in found]
        self.reply({"items": items})

    async def delete(self) -> None:
        """204; every device but this one is signed out."""
        await self.services.sign_ins.end_all(
            self.who.user.id, "signed out from another device", but=self.who.sign_in_id
        )
        self.no_content()


class DeviceHandler(ApiHandler):
    """``/devices/{sign_in_id}``."""

    async def patch(self, sign_in_id: str) -> None:
        """Renames or silences the device; 200 with it as it is then."""
        body = self.read(DeviceBody)
        changes = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
        changed = await self.services.devices.change(self.who.user.id, sign_in_id, **changes)
        self.reply(device_item(changed, self.services.devices, self.who.sign_in_id))

    async def delete(self, sign_in_id: str) -> None:
        """204; the device is signed out, and its sockets close with 4506."""
        await self.services.devices.sign_out(self.who.user.id, sign_in_id)
        self.no_content()
