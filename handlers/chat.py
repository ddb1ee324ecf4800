"""What was written in a call, over HTTP."""

from __future__ import annotations

from handlers.base import ApiHandler, bad_query
from server.calls.chat import shown
from server.ids import is_id
from server.languages.sentences import N_


class CallChatHandler(ApiHandler):
    """``GET /calls/{call_id}/chat``."""

    async def get(self, call_id: str) -> None:
        """200 with messages, newest first; 403 ``forbidden`` for whoever was called and never came."""
        before = self.get_query_argument("before", None)
        if before is not None and not is_id(before):
            raise bad_query("before", N_("the next of an earlier page"))
        page = await self.services.chats.page(self.who.user.id, call_id, limit=self.page_limit(), before=before)
        self.reply({"items": [shown(message) for message in page.messages], "next": page.next})
