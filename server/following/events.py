"""Events as frames."""

from __future__ import annotations

from server.realtime.frames import TASK_EVENTS, encode
from server.tasks.model import TaskEvent
from server.wire import rfc3339


def event_frame(event: TaskEvent) -> bytes:
    """``event`` as a frame: the same whenever it is told, also the ``timestamp``."""
    kind = TASK_EVENTS[event.type]
    return encode(
        kind(
            timestamp=rfc3339(event.timestamp),
            task_id=event.task_id,
            number=event.number,
            state=event.state,
            progress=event.progress,
            stage=event.stage,
            message=event.message,
            code=event.code,
            values=event.values,
            data=event.data,
            user_id=event.user_id,
        )
    )
