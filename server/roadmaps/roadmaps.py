"""Everybody's roadmaps: whoever was in a call reads and edits its roadmap."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from server.clock import Clock
from server.errors import BadRequest, Conflict, Forbidden, NotFound
from server.ids import is_id
from server.languages.sentences import N_
from server.realtime.frames import UserRef
from server.roadmaps.document import MAX_CHARACTERS, title_of
from server.roadmaps.model import Roadmap
from server.store.roadmaps import RoadmapStore


class RoadmapPage(NamedTuple):
    """Some roadmaps, newest first, and the ``before`` of the next page: ``None`` on the last."""

    roadmaps: list[Roadmap]
    next: str | None


class Roadmaps:
    """Reading, editing, removing."""

    def __init__(self, store: RoadmapStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def get(self, roadmap_id: str, user_id: str) -> Roadmap:
        """The roadmap, for somebody who was in its call; raises :class:`NotFound` for everybody else, as if there were
        none."""
        roadmap = await self._store.get(roadmap_id, user_id) if is_id(roadmap_id) else None
        if roadmap is None:
            raise NotFound("There is no such roadmap")
        return roadmap

    async def page(self, user_id: str, *, limit: int, before: str | None = None) -> RoadmapPage:
        """At most ``limit`` roadmaps that the person may read, after the one with the id ``before``."""
        found = await self._store.of(user_id, limit=limit + 1, before=before)
        return RoadmapPage(found[:limit], found[limit - 1].roadmap_id if len(found) > limit else None)

    async def of_call(self, call_id: str, user_id: str) -> Roadmap | None:
        """The roadmap of a call, for somebody who was in it."""
        roadmap = await self._store.of_call(call_id)
        return roadmap if roadmap is not None and user_id in roadmap.readers else None

    async def edit(self, roadmap_id: str, user: UserRef, document: str, rev: int) -> Roadmap:
        """Puts ``document`` (Markdown) in the place of what ``rev`` said; returns the roadmap as it is then.

        The first heading is the title. Raises :class:`NotFound`, :class:`Conflict` if somebody has changed it since,
        :class:`BadRequest` for a document that is too long or empty.
        """
        if not document.strip() or len(document) > MAX_CHARACTERS:
            raise BadRequest.of("document", N_("1 to %(count)s characters", count=MAX_CHARACTERS))
        before = await self.get(roadmap_id, user.id)
        after = replace(
            before,
            document=document,
            title=title_of(document) or before.title,
            changed_by=user,
            changed_at=self._clock.now(),
            rev=rev + 1,
        )
        if before.rev != rev or not await self._store.change(after, rev=rev):
            raise Conflict(N_("Somebody else has changed the roadmap meanwhile"))
        return after

    async def remove(self, roadmap_id: str, user_id: str) -> None:
        """Removes it for everybody; raises :class:`NotFound`, and :class:`Forbidden` for everybody but whoever made
        it."""
        roadmap = await self.get(roadmap_id, user_id)
        if roadmap.made_by.id != user_id:
            raise Forbidden("Only whoever made a roadmap can delete it")
        await self._store.remove(roadmap_id)
