"""``/ws/task/{task_id}``: one task, followed by its owner: its history on request, then each event as it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from server.close_codes import CloseCode
from server.following.events import event_frame
from server.following.trail import Read, Trail
from server.realtime.background import Background
from server.realtime.bus import Bus, Message, TaskNews, task_topic
from server.realtime.dispatch import Commands
from server.realtime.frames import CurrentStatus, FrameReader, encode
from server.realtime.hub import Hub
from server.realtime.session import Session
from server.tasks.model import Task, TaskEvent
from server.tasks.tasks import Tasks
from server.wire import Stamp

PAGE_EVENTS = 100
"""Events that are read at once for a history: some tens of kB, a few milliseconds."""
PAUSE_BYTES = 65_536
"""With more than this waiting for a slow reader its history pauses, so that it is not taken for one that hangs."""
PAUSE_S = 0.05


class Follower:
    """One session on a task. ``told`` is the number of the last event that it was sent."""

    __slots__ = ("ended", "has_looked", "reading", "session", "task", "told")

    def __init__(self, session: Session) -> None:
        self.session = session
        self.task: Task | None = None  # as its newest snapshot shows it; None until that is read
        self.told: int | None = None  # None until it is known what is news
        self.has_looked = False  # for what is stored and not yet in the snapshot
        self.reading = False  # its history is being sent
        self.ended = False  # it was sent the final event


Deliver = Callable[[Follower, TaskEvent, bytes], None]
"""Sends a follower the next event, whose frame is given."""


class Followed:
    """One task, and who follows it in this process."""

    __slots__ = ("_deliver", "followers", "trail")

    def __init__(self, task_id: str, read: Read, deliver: Deliver, background: Background) -> None:
        """``read`` reads its stored events; ``deliver`` sends one of them to a follower."""
        self.trail = Trail(task_id, read, self._tell, event_frame, background)
        self.followers: dict[str, Follower] = {}  # by session id
        self._deliver = deliver

    def _tell(self, event: TaskEvent, body: bytes) -> None:
        """To all who have everything before it. The others are still being sent their history, this event in it; and
        all may have gone while it was read."""
        for follower in list(self.followers.values()):
            if follower.told is not None and follower.told + 1 == event.number:
                self._deliver(follower, event, body)


class TaskEndpoint:
    """The endpoint ``task``. Whoever follows is sent the stored events after those they have, until they are as far as
    everybody else; from then on each event as it comes, encoded once for all."""

    kind = "task"

    def __init__(
        self,
        tasks: Tasks,
        hub: Hub,
        bus: Bus,
        background: Background,
        stamp: Stamp,
        interval_s: float,
        resume_window_s: float,
    ) -> None:
        self._tasks = tasks
        self._hub = hub
        self._bus = bus
        self._background = background
        self._stamp = stamp
        self.interval_s = interval_s
        self.resume_window_s = resume_window_s
        self.commands = Commands(reader=FrameReader(), quick={}, slow={})
        self._followed: dict[str, Followed] = {}  # by task id

    def __len__(self) -> int:
        return len(self._followed)

    # ── coming and going ──

    async def open(self, session: Session) -> dict[str, Any]:
        """Listens, then reads how the task stands; raises :class:`~server.errors.NotFound` for a task that does not
        exist and for somebody else's alike."""
        self._hub.admit(session)
        follower = Follower(session)
        self._follow(session.resource).followers[session.id] = follower
        snapshot = await self.reopen(session)
        if follower.task is not None:
            number = follower.task.number
            follower.told = min(number_after(session.wishes), number) if wants_history(session.wishes) else number
        return snapshot

    async def reopen(self, session: Session) -> dict[str, Any]:
        """How the task stands: ``{current_status: task}``."""
        who = session.who
        task = await self._tasks.glance(session.resource, who.user.id, is_service=who.service)
        followed = self._followed.get(session.resource)
        follower = followed.followers.get(session.id) if followed else None
        if followed is not None and follower is not None:  # else the session has ended meanwhile
            followed.trail.begin(task.number)
            follower.task = task
        return {"current_status": self._tasks.view(task, session.translate)}

    def session_attached(self, session: Session) -> None:
        """What the snapshot says, for whoever has just come; then what they do not have yet."""
        followed = self._followed[session.resource]
        follower = followed.followers[session.id]
        if session.generation == 1 and follower.task is not None:
            shown = self._tasks.view(follower.task, session.translate)
            status = CurrentStatus(timestamp=self._stamp(), task_id=follower.task.task_id, task=shown)
            session.deliver(encode(status))
        self._go_on(followed, follower)

    def session_detached(self, session: Session) -> None:
        """A history pauses by itself; what is told meanwhile waits in the session."""

    def session_silenced(self, session: Session) -> None:
        """A task does not ring."""

    def session_over(self, session: Session, code: CloseCode) -> None:
        """See :class:`~server.realtime.hub.SessionWatcher`."""
        followed = self._followed.get(session.resource)
        if followed is None or session.id not in followed.followers:
            return
        del followed.followers[session.id]
        if not followed.followers:
            del self._followed[session.resource]
            self._bus.unsubscribe(task_topic(session.resource), self._on_bus)

    def _follow(self, task_id: str) -> Followed:
        followed = self._followed.get(task_id)
        if followed is None:
            followed = self._followed[task_id] = Followed(task_id, self._tasks.events, self._deliver, self._background)
            self._bus.subscribe(task_topic(task_id), self._on_bus)
        return followed

    # ── news ──

    def _on_bus(self, message: Message) -> None:
        if isinstance(message, TaskNews):
            self._followed[message.event.task_id].trail.hear(message.event, event_frame(message.event))

    def _deliver(self, follower: Follower, event: TaskEvent, body: bytes) -> None:
        follower.told = event.number
        follower.session.deliver(body)
        follower.ended = event.is_final
        self._end(follower)

    def _end(self, follower: Follower) -> None:
        """Nothing more is to come. Somebody whose socket is away hears that when they are back."""
        if follower.ended and follower.session.connection is not None:
            self._hub.retire(follower.session, CloseCode.NORMAL)

    # ── history ──

    def _go_on(self, followed: Followed, follower: Follower) -> None:
        """Sends what the others were told and this one was not; ends with the task, if that is over."""
        if self._is_behind(followed, follower):
            self._background.start(partial(self._catch_up, followed, follower), "task_history")
        else:
            follower.ended = follower.ended or (follower.task is not None and follower.task.is_over)
            self._end(follower)

    @staticmethod
    def _is_behind(followed: Followed, follower: Follower) -> bool:
        """Whether there are, or may be, stored events that this follower was not sent. A server that was killed between
        an event and the task's document has told nobody of it."""
        told, task = follower.told, follower.task
        if told is None or task is None:
            return False
        return told < max(followed.trail.told or 0, task.number) or not (follower.has_looked or task.is_over)

    async def _catch_up(self, followed: Followed, follower: Follower) -> None:
        if follower.reading:
            return
        follower.reading = True
        try:
            while self._is_behind(followed, follower) and follower.told is not None:
                events = await self._tasks.events(follower.session.resource, follower.told, PAGE_EVENTS)
                follower.has_looked = len(events) < PAGE_EVENTS
                for event in events:
                    if not await self._has_room(follower.session):
                        return  # whoever comes back is sent the rest then
                    if event.number == follower.told + 1:  # the others were told meanwhile
                        self._deliver(follower, event, event_frame(event))
                if not events:
                    return
        finally:
            follower.reading = False

    @staticmethod
    async def _has_room(session: Session) -> bool:
        """Waits until the client has read most of what it was sent; false when it is gone."""
        while session.connection is not None and session.connection.buffered_bytes > PAUSE_BYTES:
            await asyncio.sleep(PAUSE_S)
        return session.connection is not None and not session.over


def wants_history(wishes: Mapping[str, str]) -> bool:
    """Whether the address asks for ``include_history=true``."""
    return wishes.get("include_history", "").lower() in ("true", "1")


def number_after(wishes: Mapping[str, str]) -> int:
    """The event after which the history begins: the last one that the client has, by its own account."""
    after = wishes.get("after", "")
    return int(after) if after.isdecimal() and len(after) < 10 else 0
