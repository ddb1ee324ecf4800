"""``/settings``: what a person may choose, and what they are signed in on."""

from __future__ import annotations

import msgspec

from handlers.devices import device_item
from handlers.pages import PageHandler
from server.errors import Unauthenticated
from server.wire import rfc3339

BLOCKED_SHOWN = 100


class SettingsPageHandler(PageHandler):
    """``/settings``."""

    page = "settings"

    async def get(self) -> None:
        """Everything as it is now; the page's scripts save each change at once."""
        services, who = self.services, self.who
        user = await services.users.get(who.user.id)
        if user is None:
            raise Unauthenticated()
        blocked = await services.contacts.page(who.user.id, "blocked", BLOCKED_SHOWN)
        found = await services.devices.of(who.user.id)
        devices = [device_item(device, services.devices, who.sign_in_id) for device in found]
        self.render_page(
            "settings.html",
            unread=await self.unread(),
            boot={"push": services.settings.push.enabled},
            account=user,
            member_since=rfc3339(user.created_at),
            password_min_length=services.settings.auth.password_min_length,
            devices=sorted(devices, key=lambda device: not device["current"]),
            blocked=msgspec.to_builtins(blocked.items),
        )
