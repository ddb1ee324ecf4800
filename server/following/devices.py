"""``task`` on ``/ws/user``: a person's devices hear how their tasks stand, wherever the person is."""

from __future__ import annotations

from server.languages.sentences import Translate
from server.realtime.bus import Message, TaskNews
from server.realtime.frames import TaskChanged, encode
from server.realtime.hub import Hub
from server.tasks.tasks import Tasks
from server.wire import Stamp


class TaskNotices:
    """Tells the devices of this process, each in its language."""

    def __init__(self, tasks: Tasks, hub: Hub, stamp: Stamp) -> None:
        self._tasks = tasks
        self._hub = hub
        self._stamp = stamp
        hub.on_news.append(self.hear)

    def hear(self, message: Message) -> None:
        """Something was said to a person. A slow device hears of a task only how it stands last."""
        if not isinstance(message, TaskNews):
            return
        task = message.task
        bodies: dict[Translate, bytes] = {}
        for session in self._hub.devices_of(task.user_id):
            body = bodies.get(session.translate)
            if body is None:
                shown = self._tasks.brief(task, session.translate)
                frame = TaskChanged(timestamp=self._stamp(), task_id=task.task_id, task=shown)
                body = bodies[session.translate] = encode(frame)
            session.deliver(body, coalesce_key=f"task:{task.task_id}")
