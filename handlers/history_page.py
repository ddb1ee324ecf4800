"""The page with the own history of calls."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from handlers.history import HistoryArguments, history_row
from handlers.pages import PageHandler

CALLS_SHOWN = 50
"""On the first page; a script brings as many at a time of the others."""


class HistoryPageHandler(PageHandler):
    """``/history``: what became of my calls. Each filter, search and older page has an address of its own."""

    page = "history"

    async def get(self) -> None:
        """The newest calls, by day (UTC; a script puts them into the days of whoever reads them)."""
        asked = HistoryArguments(lambda name: self.get_query_argument(name, None))
        user_id = self.who.user.id
        page = await self.services.histories.page(
            user_id, limit=CALLS_SHOWN, kind=asked.kind, text=asked.text, before=asked.before
        )
        unread = await self.unread()
        rows = [history_row(entry, user_id, self.locale.translate) for entry in page.entries]
        self.render_page(
            "history.html",
            boot={"next": page.next, "unread": unread},
            unread=unread,
            days=[(day, list(calls)) for day, calls in groupby(rows, _day_of)],
            kind=asked.kind,
            text=asked.text,
            older=page.next and address(asked.kind, asked.text, page.next),
            address=address,
        )


def address(kind: str, text: str = "", before: str | None = None) -> str:
    """The address of the page with that filter, that search, after that call."""
    wanted = {"filter": "" if kind == "all" else kind, "q": text, "before": before or ""}
    query = urlencode({name: value for name, value in wanted.items() if value})
    return f"/history?{query}" if query else "/history"


def _day_of(row: dict[str, Any]) -> str:
    return str(row["created_at"])[:10]
