"""A roadmap as it is kept with its call, and how it crosses the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from server.realtime.frames import UserRef
from server.wire import rfc3339


class Roadmap(msgspec.Struct, frozen=True):
    """One for a call. ``readers`` are the user ids of whoever took part; ``rev`` grows by one with each change;
    ``task_id`` is the task that made it."""

    roadmap_id: str
    call_id: str
    task_id: str
    title: str
    language: str
    document: str
    readers: tuple[str, ...]
    made_by: UserRef
    changed_by: UserRef
    created_at: datetime
    changed_at: datetime
    rev: int = 1


def roadmap_view(roadmap: Roadmap) -> dict[str, Any]:
    """The roadmap as it crosses the wire (``docs/protocol.md``, «Roadmaps»)."""
    return {
        "roadmap_id": roadmap.roadmap_id,
        "call_id": roadmap.call_id,
        "title": roadmap.title,
        "language": roadmap.language,
        "document": roadmap.document,
        "rev": roadmap.rev,
        "made_by": roadmap.made_by,
        "changed_by": roadmap.changed_by,
        "created_at": rfc3339(roadmap.created_at),
        "changed_at": rfc3339(roadmap.changed_at),
    }
