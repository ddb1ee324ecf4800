"""Roadmaps of calls, over HTTP."""

from __future__ import annotations

from typing import Annotated

import msgspec

from handlers.base import ApiHandler, bad_query
from server.ids import is_id
from server.languages.sentences import N_
from server.roadmaps.model import roadmap_view

MAX_DOCUMENT_BYTES = 512 * 1024
"""Of a body with a document of as many characters as may be: three bytes each in Chinese, and what JSON adds."""


class RoadmapsHandler(ApiHandler):
    """``GET /roadmaps``."""

    async def get(self) -> None:
        """200 with the roadmaps of the calls in which the person took part, newest first."""
        before = self.get_query_argument("before", None)
        if before is not None and not is_id(before):
            raise bad_query("before", N_("the next of an earlier page"))
        page = await self.services.roadmaps.page(self.who.user.id, limit=self.page_limit(), before=before)
        self.reply({"items": [roadmap_view(roadmap) for roadmap in page.roadmaps], "next": page.next})


class RoadmapBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``PUT /roadmaps/{roadmap_id}``."""

    document: str
    rev: Annotated[int, msgspec.Meta(ge=0, le=2**53)]  # what every program can count to


class RoadmapHandler(ApiHandler):
    """``/roadmaps/{roadmap_id}``."""

    def max_body_bytes(self) -> int:
        """A whole document."""
        return MAX_DOCUMENT_BYTES

    async def get(self, roadmap_id: str) -> None:
        """200 the roadmap, for whoever took part in its call."""
        self.reply(roadmap_view(await self.services.roadmaps.get(roadmap_id, self.who.user.id)))

    async def put(self, roadmap_id: str) -> None:
        """200 the roadmap with the new document; 409 ``conflict`` if ``rev`` is not the one that is stored."""
        body = self.read(RoadmapBody)
        edited = await self.services.roadmaps.edit(roadmap_id, self.who.user, body.document, body.rev)
        self.reply(roadmap_view(edited))

    async def delete(self, roadmap_id: str) -> None:
        """204; it is gone for everybody. 403 for everybody but whoever made it."""
        await self.services.roadmaps.remove(roadmap_id, self.who.user.id)
        self.no_content()


class RoadmapDocumentHandler(ApiHandler):
    """``GET /roadmaps/{roadmap_id}/document``."""

    async def get(self, roadmap_id: str) -> None:
        """200 the document alone, as a file to be stored."""
        roadmap = await self.services.roadmaps.get(roadmap_id, self.who.user.id)
        day = roadmap.created_at.date().isoformat()
        self.set_header("Content-Type", "text/markdown; charset=utf-8")
        self.set_header("Content-Disposition", f'attachment; filename="roadmap-{day}.md"')
        self.set_header("Cache-Control", "no-store")
        self.finish(roadmap.document.encode())
