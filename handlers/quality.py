"""How good a call was, over HTTP."""

from __future__ import annotations

from handlers.base import ApiHandler
from server.calls.model import seen_by
from server.calls.quality import quality_view


class CallQualityHandler(ApiHandler):
    """``GET /calls/{call_id}/quality``."""

    async def get(self, call_id: str) -> None:
        """200 with what was measured by those whom the person knows of; 403 ``forbidden`` for whoever never came."""
        user_id = self.who.user.id
        call = await self.services.switchboard.of(call_id, user_id)
        self.reply(quality_view(seen_by(call, user_id), await self.services.quality.of(call, user_id)))
