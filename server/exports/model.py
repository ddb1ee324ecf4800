"""An export as it is kept for a while, and how it crosses the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from server.wire import rfc3339


class Export(msgspec.Struct, frozen=True):
    """A zip file of one person, made by the task ``task_id`` and kept until ``expires_at``."""

    export_id: str
    user_id: str
    task_id: str
    file_id: str
    size_bytes: int
    created_at: datetime
    expires_at: datetime


def export_view(export: Export) -> dict[str, Any]:
    """The export as it crosses the wire (``docs/protocol.md``, «Exports»)."""
    return {
        "export_id": export.export_id,
        "task_id": export.task_id,
        "size_bytes": export.size_bytes,
        "created_at": rfc3339(export.created_at),
        "expires_at": rfc3339(export.expires_at),
    }
