"""The page on which people listen to the messages that were left for them."""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.pages import PageHandler
from server.voicemail.mailboxes import view

SHOWN = 50
"""As many as the API gives at a time; the page asks for older ones."""


class VoicemailPageHandler(PageHandler):
    """``/voicemail``."""

    page = "voicemail"

    async def get(self) -> None:
        """The newest messages."""
        user_id = self.who.user.id
        mailboxes = self.services.mailboxes
        found = await mailboxes.list_of(user_id, limit=SHOWN + 1)
        unread = await self.unread()
        messages: list[dict[str, Any]] = [msgspec.to_builtins(view(message)) for message in found[:SHOWN]]
        self.render_page(
            "voicemail.html",
            boot={"next": messages[-1]["voicemail_id"] if len(found) > SHOWN else None},
            unread=unread,
            messages=messages,
            unheard=unread["voicemail"],
            keep_days=self.services.settings.voicemail.keep_days,
        )
