"""``/ws/tasks/{user_id}``: all tasks of a person, followed by them, or by an administrator."""

from __future__ import annotations

import asyncio
from typing import Any

from server.close_codes import CloseCode
from server.errors import NotFound
from server.following.events import event_frame
from server.following.trail import Trail
from server.realtime.background import Background
from server.realtime.bus import Bus, Message, TaskNews, tasks_topic
from server.realtime.dispatch import Commands
from server.realtime.endpoint import Refused
from server.realtime.frames import FrameReader
from server.realtime.hub import Hub
from server.realtime.session import Session
from server.store.users import UserStore
from server.tasks.model import Task, TaskEvent
from server.tasks.tasks import Tasks
from server.wire import encode

SNAPSHOT_BYTES = 524_288
"""Of a snapshot: half of what may wait for a reader before it counts as one that hangs."""
MOST_OVER = 1_000
"""Tasks that were over last, remembered by a session: late news come within seconds."""


class Desk:
    """One session, and the tasks that it has heard of and that are not over, each with its own trail."""

    __slots__ = ("_background", "_drawn", "_over", "_session", "_tasks", "_trails")

    def __init__(self, session: Session, tasks: Tasks, background: Background) -> None:
        self._session = session
        self._tasks = tasks
        self._background = background
        self._trails: dict[str, Trail] = {}  # by task id
        self._over: dict[str, None] = {}  # by task id, the newest last: nothing of these is news any more
        self._drawn: list[Task] | None = None  # the snapshot, once it is there

    def __len__(self) -> int:
        """How many tasks are followed."""
        return len(self._trails)

    def draw(self, tasks: list[Task]) -> None:
        """The snapshot has these; what is not among them and was heard of has begun since."""
        self._drawn = tasks
        for task in tasks:
            self._trail(task.task_id).begin(task.number)
            if task.is_over:
                self._forget(task.task_id)
        for trail in self._trails.values():
            trail.begin(0)

    def hear(self, event: TaskEvent, body: bytes) -> None:
        """``event`` has been stored; ``body`` is its frame."""
        if event.task_id in self._over:
            return
        trail = self._trail(event.task_id)
        if self._drawn is not None:
            trail.begin(0)
        trail.hear(event, body)

    async def look(self) -> None:
        """Tells what is stored and not in the snapshot: a server that was killed between an event and the task's
        document has told nobody of it."""
        for events in (await self._tasks.newer(self._drawn or [])).values():
            for event in events:
                self.hear(event, event_frame(event))

    def _trail(self, task_id: str) -> Trail:
        trail = self._trails.get(task_id)
        if trail is None:
            trail = Trail(task_id, self._tasks.events, self._tell, event_frame, self._background)
            self._trails[task_id] = trail
        return trail

    def _tell(self, event: TaskEvent, body: bytes) -> None:
        self._session.deliver(body)
        if event.is_final:
            self._forget(event.task_id)

    def _forget(self, task_id: str) -> None:
        """The task is over. News of it that come late, or twice, are to be known as such for a while."""
        self._trails.pop(task_id, None)
        self._over[task_id] = None
        if len(self._over) > MOST_OVER:
            del self._over[next(iter(self._over))]


class TasksEndpoint:
    """The endpoint ``tasks``. It listens first and reads then, so no event falls between the two."""

    kind = "tasks"

    def __init__(
        self,
        tasks: Tasks,
        users: UserStore,
        hub: Hub,
        bus: Bus,
        background: Background,
        interval_s: float,
        resume_window_s: float,
    ) -> None:
        self._tasks = tasks
        self._users = users
        self._hub = hub
        self._bus = bus
        self._background = background
        self.interval_s = interval_s
        self.resume_window_s = resume_window_s
        self.commands = Commands(reader=FrameReader(), quick={}, slow={})
        self._desks: dict[str, dict[str, Desk]] = {}  # by user id, then by session id

    def __len__(self) -> int:
        return len(self._desks)

    async def open(self, session: Session) -> dict[str, Any]:
        """Listens, then reads the tasks; raises :class:`Refused` of somebody else's, unless an administrator asks."""
        user_id = session.resource
        if not _may_follow(session):
            raise Refused(CloseCode.FORBIDDEN)
        self._hub.admit(session)
        desks = self._desks.setdefault(user_id, {})
        if not desks:
            self._bus.subscribe(tasks_topic(user_id), self._on_bus)
        desk = desks[session.id] = Desk(session, self._tasks, self._background)
        tasks = await self._read(session)
        desk.draw(tasks)
        return self._snapshot(session, tasks)

    async def reopen(self, session: Session) -> dict[str, Any]:
        """The open tasks and the newest others: ``{tasks: [task]}``."""
        if not _may_follow(session):  # an administrator no longer
            raise Refused(CloseCode.FORBIDDEN)
        return self._snapshot(session, await self._read(session))

    def _snapshot(self, session: Session, tasks: list[Task]) -> dict[str, Any]:
        """All tasks that are not over; of the others as many as make no more than :data:`SNAPSHOT_BYTES` with them."""
        shown, size_bytes = [], 0
        for task in tasks:  # the open ones first
            brief = self._tasks.brief(task, session.translate)
            size_bytes += len(encode(brief))
            if task.is_over and size_bytes > SNAPSHOT_BYTES:
                break
            shown.append(brief)
        return {"tasks": shown}

    async def _read(self, session: Session) -> list[Task]:
        user_id = session.resource
        if user_id == session.who.user.id:
            return await self._tasks.current_of(user_id)
        tasks, user = await asyncio.gather(self._tasks.current_of(user_id), self._users.get(user_id))
        if user is None:
            raise NotFound("There is no such person")
        return tasks

    def session_attached(self, session: Session) -> None:
        """Whoever has just come is told what the snapshot did not know."""
        if session.generation == 1:
            self._background.start(self._desks[session.resource][session.id].look, "tasks_look")

    def session_detached(self, session: Session) -> None:
        """What is told meanwhile waits in the session."""

    def session_silenced(self, session: Session) -> None:
        """Tasks do not ring."""

    def session_over(self, session: Session, code: CloseCode) -> None:
        """See :class:`~server.realtime.hub.SessionWatcher`."""
        desks = self._desks.get(session.resource, {})
        if session.id not in desks:
            return
        del desks[session.id]
        if not desks:
            del self._desks[session.resource]
            self._bus.unsubscribe(tasks_topic(session.resource), self._on_bus)

    def _on_bus(self, message: Message) -> None:
        if isinstance(message, TaskNews):
            body = event_frame(message.event)
            for desk in list(self._desks[message.task.user_id].values()):
                desk.hear(message.event, body)


def _may_follow(session: Session) -> bool:
    return session.resource == session.who.user.id or session.who.admin
