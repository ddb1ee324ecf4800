"""What was said in a call, over HTTP."""

from __future__ import annotations

from handlers.base import ApiHandler, bad_query
from server.calls.readable import readable_until
from server.calls.transcript import line_view
from server.ids import is_id
from server.languages.sentences import N_


class TranscriptHandler(ApiHandler):
    """``GET /calls/{call_id}/transcript``."""

    async def get(self, call_id: str) -> None:
        """200 with a page of lines, the newest page first; 403 ``forbidden`` for whoever was called and never came."""
        user_id, limit = self.who.user.id, self.page_limit()
        before = self.get_query_argument("before", None)
        if before is not None and not is_id(before):
            raise bad_query("before", N_("the next of an earlier page"))
        call = await self.services.switchboard.of(call_id, user_id)
        until = readable_until(call, user_id)
        lines = await self.services.transcripts.page(call_id, before, limit + 1, until)
        shown = lines[-limit:]
        more = len(lines) > limit
        self.reply({"items": [line_view(call, line) for line in shown], "next": shown[0].line_id if more else None})
