"""``/ws/tasks/{user_id}``: all tasks of a person, as they go on."""

from __future__ import annotations

from handlers.sockets.base import SocketHandler


class TasksSocketHandler(SocketHandler):
    """One per page that lists them; what is said here is :class:`server.following.tasks.TasksEndpoint`'s."""

    kind = "tasks"
