"""The page of a roadmap."""

from __future__ import annotations

import msgspec

from handlers.pages import PageHandler
from server.roadmaps.document import MAX_CHARACTERS
from server.roadmaps.model import roadmap_view


class RoadmapPageHandler(PageHandler):
    """``/roadmaps/{roadmap_id}``: read, tick, edit."""

    page = "tasks"

    async def get(self, roadmap_id: str) -> None:
        """The roadmap, for whoever took part in its call."""
        roadmap = await self.services.roadmaps.get(roadmap_id, self.who.user.id)
        shown = msgspec.to_builtins(roadmap_view(roadmap))
        self.render_page(
            "roadmap.html",
            boot={"roadmap": shown},
            unread=await self.unread(),
            roadmap=shown,
            is_maker=roadmap.made_by.id == self.who.user.id,
            max_characters=MAX_CHARACTERS,
        )
