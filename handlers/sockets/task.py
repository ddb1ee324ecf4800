"""``/ws/task/{task_id}``: one task, as it goes on."""

from __future__ import annotations

from handlers.sockets.base import SocketHandler
from server.following.task import wants_history


class TaskSocketHandler(SocketHandler):
    """One per page that shows the task; what is said here is :class:`server.following.task.TaskEndpoint`'s."""

    kind = "task"
    wishes = ("include_history", "after")

    @property
    def whole_only(self) -> bool:
        """Whoever wants the history wants all of it."""
        return wants_history(self._asked_for())
