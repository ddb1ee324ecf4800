"""Tasks: what takes minutes, wherever it is worked on. Start them, follow them, stop them, decide about them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from .api import read
from .channel import Channel
from .errors import Closed
from .session import Frame
from .websocket import RingbackSocket, SocketState

if TYPE_CHECKING:
    from .client import Client

NORMAL = 1000
FINAL = ("completed", "failed", "cancelled")
"""States of a task to which nothing happens any more, and the types of the events that bring them about."""


class Review(msgspec.Struct, frozen=True):
    """A document, in Markdown, about which a person is to decide; the first time is round 1.

    Lists of tasks leave the document out: `client.tasks.get` and the feed of the task have it.
    """

    document: str | None = None
    round: int = 1


class Failure(msgspec.Struct, frozen=True):
    """Why a task failed."""

    code: str
    message: str


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task after its event `number`.

    Attributes:
        state: queued, running, waiting_review, completed, failed or cancelled.
        progress: from 0 to 1.
        message: what it is at, an English sentence; `code` and `values` say the same to programs.
        review: what a person has to decide about, while it waits for that.
        result: what came of it, once it is completed; in lists no more of it than is small.
        error: why it failed, once it has.
    """

    task_id: str
    kind: str
    title: str
    user_id: str
    state: str
    created_at: datetime
    stalled: bool = False
    progress: float = 0.0
    stage: str | None = None
    stages: tuple[str, ...] = ()
    message: str | None = None
    code: str | None = None
    values: dict[str, Any] = {}
    number: int = 0
    started_at: datetime | None = None
    updated_at: datetime | None = None
    ended_at: datetime | None = None
    deadline: datetime | None = None
    cancel_requested: bool = False
    review: Review | None = None
    result: dict[str, Any] | None = None
    error: Failure | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.state in FINAL


class TaskEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that has happened to a task, and how it stands since; `number` counts 1, 2, 3 … in the task.

    `user_id` is the person who did it, where a person did.
    """

    task_id: str
    number: int
    type: str
    timestamp: datetime
    state: str
    progress: float = 0.0
    stage: str | None = None
    message: str | None = None
    code: str | None = None
    values: dict[str, Any] = {}
    data: Any = None
    user_id: str | None = None


class TaskWithEvents(Task, frozen=True, kw_only=True):
    """A task, and all that has happened to it, in order."""

    events: tuple[TaskEvent, ...] = ()


class TaskPage(msgspec.Struct, frozen=True):
    """Some tasks, newest first; `next` is the `before` of the next page."""

    items: tuple[Task, ...]
    next: str | None = None


class _Reported(msgspec.Struct, frozen=True):
    event: TaskEvent


class TaskFeed(Channel):
    """`/ws/task/{task_id}`: the events of one task, each once and in order, over as many connections as it takes.

        async with client.tasks.follow(task_id) as feed:
            async for event in feed:
                print(event.progress, event.message)

    The loop ends with the task.

    Attributes:
        task: how the task stood when the socket connected last; None before.
        last: the last event; None before the first.
    """

    def __init__(self, socket: RingbackSocket, *, history: bool = True) -> None:
        """`history`: begin with what has happened before."""
        super().__init__(socket)
        self.task: Task | None = None
        self.last: TaskEvent | None = None
        self._events: asyncio.Queue[TaskEvent | None] = asyncio.Queue()
        self._number: int | None = 0 if history else None  # of the last event that is had; None: of what is to come
        self._ask_for_more()
        socket.on_state(self._on_state)

    async def __aiter__(self) -> AsyncIterator[TaskEvent]:
        """Each event. Raises what ended the socket if that was not the end of the task."""
        while (event := await self._events.get()) is not None:
            yield event
            if event.type in FINAL:
                return
        self._events.put_nowait(None)  # for the next one who asks
        error = await self.socket.closed()
        if not (isinstance(error, Closed) and error.code == NORMAL):
            raise error

    def _ask_for_more(self) -> None:
        """Whoever connects again without a session to take up asks for what has happened since the last event."""
        if self._number is not None:
            self.socket.ask(include_history="true", after=str(self._number))

    def _on_state(self, state: SocketState) -> None:
        if state is SocketState.CLOSED:
            self._events.put_nowait(None)

    def _apply(self, frame: Frame) -> None:
        if frame["type"] == "connected":
            self.task = msgspec.convert(frame["snapshot"]["current_status"], Task)
            if self._number is None:
                self._number = self.task.number
        elif "number" in frame:
            event = msgspec.convert(frame, TaskEvent)
            if self._number is None or event.number > self._number:
                self._number, self.last = event.number, event
                self._events.put_nowait(event)
        self._ask_for_more()


class TaskList(Channel):
    """`/ws/tasks/{user_id}`: all tasks of a person, as they go on.

    Attributes:
        tasks: the open tasks and the newest others, by id, as they stood when the socket connected last.
        numbers: task id → the number of the last event that is known.
    """

    def __init__(self, socket: RingbackSocket) -> None:
        super().__init__(socket)
        self.tasks: dict[str, Task] = {}
        self.numbers: dict[str, int] = {}
        self._events: asyncio.Queue[TaskEvent | None] = asyncio.Queue()
        socket.on_state(self._on_state)

    async def __aiter__(self) -> AsyncIterator[TaskEvent]:
        """Each event of any of the tasks from here on, until the socket ends; raises what ended it but 1000."""
        while (event := await self._events.get()) is not None:
            yield event
        self._events.put_nowait(None)
        error = await self.socket.closed()
        if not (isinstance(error, Closed) and error.code == NORMAL):
            raise error

    def _on_state(self, state: SocketState) -> None:
        if state is SocketState.CLOSED:
            self._events.put_nowait(None)

    def _apply(self, frame: Frame) -> None:
        if frame["type"] == "connected":
            tasks = msgspec.convert(frame["snapshot"]["tasks"], list[Task])
            self.tasks = {task.task_id: task for task in tasks}
        if self._begins_from_snapshot(frame):
            for task in self.tasks.values():
                self.numbers[task.task_id] = max(task.number, self.numbers.get(task.task_id, 0))
        elif "number" in frame:
            event = msgspec.convert(frame, TaskEvent)
            if event.number > self.numbers.get(event.task_id, 0):
                self.numbers[event.task_id] = event.number
                self._events.put_nowait(event)

    def _begins_from_snapshot(self, frame: Frame) -> bool:
        """Whether what the snapshot knows will not be told: it is newer than what a resume brings."""
        if frame["type"] == "connected":
            return not self.socket.replaying
        return frame["type"] == "resumed" and not frame["complete"]


class Tasks:
    """The tasks of the person who is signed in, as `client.tasks`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def create(
        self,
        kind: str,
        params: dict[str, Any] | None = None,
        *,
        title: str | None = None,
        user: str | None = None,
        worker: str | None = None,
        stages: Sequence[str] | None = None,
        client_key: str | None = None,
    ) -> Task:
        """Start a task. ApiError `bad_request` names what is wrong, `rate_limited` says that too many are under way.

        The same `client_key` again gives the same task. `user`, `worker` and `stages` are for kind `external`: the name
        of the person whose task it is (for a service account), that of the service account that works at it, and the
        names of the parts of the work.
        """
        body: dict[str, Any] = {"kind": kind, "params": params or {}}
        more = {"title": title, "user": user, "worker": worker, "stages": stages, "client_key": client_key}
        body |= {name: value for name, value in more.items() if value is not None}
        return read(Task, await self._client.api.request("POST", "/tasks", body))

    async def list(self, *, state: str | None = None, limit: int | None = None, before: str | None = None) -> TaskPage:
        """One page of the own tasks, newest first; of one `state`, or those that are not over (`open`), if it is given.

        For a service account those that it works at.
        """
        return read(TaskPage, await self._client.api.request("GET", "/tasks", state=state, limit=limit, before=before))

    async def get(self, task_id: str) -> TaskWithEvents:
        """One task with all its events. ApiError `not_found`, also for somebody else's."""
        return read(TaskWithEvents, await self._client.api.request("GET", f"/tasks/{task_id}"))

    async def cancel(self, task_id: str) -> Task:
        """Ask for the task to stop. ApiError `bad_state` once it is over."""
        return read(Task, await self._client.api.request("POST", f"/tasks/{task_id}/cancel"))

    async def review(
        self, task_id: str, decision: Literal["approve", "revise"], comment: str = "", *, round: int | None = None
    ) -> Task:
        """Decide about the document of a task that waits for that: of that `round`, if it is given.

        ApiError `bad_state` if it does not wait, or asks about something else by now.
        """
        body = {"decision": decision, "comment": comment} | ({} if round is None else {"round": round})
        return read(Task, await self._client.api.request("POST", f"/tasks/{task_id}/review", body))

    async def report(self, task_id: str, event_id: str, type: str, **fields: Any) -> TaskEvent:
        """Say, as the service account that works at it, what has happened to a task of kind `external`.

        The same `event_id` again gives the same event. `fields` are `progress`, `stage`, `message`, `code`, `values`,
        `data`. ApiError `bad_state` where that cannot happen now, because the task is over, say.
        """
        body = {"event_id": event_id, "type": type} | fields
        return read(_Reported, await self._client.api.request("POST", f"/tasks/{task_id}/events", body)).event

    def follow(self, task_id: str, *, history: bool = True) -> TaskFeed:
        """The events of one task, to be opened with `async with`."""
        return TaskFeed(self._client.socket(f"/ws/task/{task_id}"), history=history)

    def follow_all(self, user_id: str | None = None) -> TaskList:
        """All tasks of the person who is signed in, or, as an administrator, of somebody else."""
        user = self._client.api.user
        whose = user_id or (user.id if user else "")
        return TaskList(self._client.socket(f"/ws/tasks/{whose}"))
