"""Everybody's long tasks: what happens to them is stored, and then told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from server.clock import Clock
from server.errors import BadState, NotFound, RateLimited, Unavailable
from server.ids import is_id, new_id
from server.languages.sentences import N_, Sentence, Translate
from server.log import get_logger
from server.realtime.background import Background
from server.realtime.bus import Bus, TaskNews, task_topic, tasks_topic, user_topic
from server.realtime.frames import UserRef
from server.settings import TaskSettings
from server.store.driver import Duplicate
from server.store.tasks import TaskStore
from server.tasks.brief import in_brief
from server.tasks.endings import LeaseLost
from server.tasks.kinds import Kinds
from server.tasks.model import EXTERNAL, Decision, EventDraft, Task, TaskEvent, task_view
from server.tasks.rules import MAX_TOLD_BYTES, WAIT_S, decide, first_deadline, fold_all, is_bounded, may

log = get_logger("tasks")

AT_A_TIME = 100
"""How many tasks are removed with one question to the database."""
NEWEST = 50
"""Of the tasks that are over, those that a list begins with."""
COME_BACK_S = 30.0
LATE_S = 10.0
"""An event that the database was too slow to store may still be stored: not longer than its operations may take
(``mongo.timeout_ms``), with room."""


class Stored(NamedTuple):
    """An event that has happened, and the task since then; ``is_new`` unless it had happened before."""

    task: Task
    event: TaskEvent
    is_new: bool = True


class TaskPage(NamedTuple):
    """Some tasks, newest first, and the ``before`` of the next page: ``None`` on the last."""

    tasks: list[Task]
    next: str | None


class Tasks:
    """Tasks of all kinds. Whatever happens to one goes through :meth:`append`: stored first, then told."""

    def __init__(
        self,
        store: TaskStore,
        kinds: Kinds,
        bus: Bus,
        background: Background,
        clock: Clock,
        settings: TaskSettings,
        prefix: str,
    ) -> None:
        """``prefix`` is what the paths of all sockets begin with."""
        self.kinds = kinds
        self._store = store
        self._bus = bus
        self._background = background
        self._clock = clock
        self._settings = settings
        self._prefix = prefix
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._unsettled: list[tuple[Task, TaskEvent]] = []
        self.on_queued: Callable[[], None] = lambda: None
        """Called when there is work to be done."""

    def view(self, task: Task, translate: Translate = str) -> dict[str, Any]:
        """The task as it crosses the wire, its title in the language of ``translate``."""
        return task_view(task, f"{self._prefix}/ws/task/{task.task_id}", translate)

    def brief(self, task: Task, translate: Translate = str) -> dict[str, Any]:
        """As :meth:`view`, for lists and notices: without the document and without what is long in the result."""
        return in_brief(self.view(task, translate))

    # ── new ones ──

    async def create(
        self,
        user_id: str,
        kind: str,
        params: dict[str, Any],
        *,
        title: str | None = None,
        user: UserRef,
        worker_id: str | None = None,
        stages: Sequence[str] | None = None,
        created_by: str | None = None,
        client_key: str | None = None,
    ) -> Task:
        """A new task of ``user``; ``worker_id`` and ``stages`` are for those that another program drives.

        The same ``client_key`` again from ``created_by`` (who is ``user_id`` if it is not given) gives the same task.

        Raises :class:`~server.errors.BadRequest` for an unknown kind, and as the kind does for its parameters;
        :class:`RateLimited` when the person has as many as may be under way.
        """
        creator_id = created_by or user_id
        if client_key is not None and (known := await self._store.by_client_key(creator_id, client_key)):
            return await self._queued(known)
        what = self.kinds.named(kind)
        checked = await what.check(params, user)
        if await self._store.count_open(user_id) >= self._settings.max_open:
            raise RateLimited(
                N_(
                    "At most %(count)s tasks of yours are under way; wait for one to end", count=self._settings.max_open
                ),
                retry_after_s=COME_BACK_S,
            )
        now = self._clock.now()
        name = title or what.title(checked)
        sentence = name if isinstance(name, Sentence) else None
        task = Task(
            task_id=new_id(),
            kind=kind,
            title=str(name),
            title_message=None if sentence is None else sentence.message,
            title_values={} if sentence is None else sentence.values,
            user_id=user_id,
            stages=tuple(what.stages if stages is None else stages),
            created_at=now,
            updated_at=now,
            deadline=first_deadline(kind == EXTERNAL, what.deadline_s, now),
            work_s=what.deadline_s,
            params=checked,
            worker_id=worker_id,
            created_by=creator_id,
            client_key=client_key,
        )
        try:
            await self._store.insert(task)
        except Duplicate:  # sent twice at the same time
            return await self._queued(await self._store.by_client_key(creator_id, client_key or "") or task)
        return await self._queued(task)

    async def _queued(self, task: Task) -> Task:
        """The task, after its first event: a time-out may have come between the two."""
        if task.number == 0:
            with suppress(BadState):  # somebody has taken it up already, and has said so
                return (await self.commit(task.task_id, EventDraft(type="queued"), known=task)).task
        return await self.load(task.task_id)

    # ── what happens ──

    async def append(self, task_id: str, draft: EventDraft) -> TaskEvent:
        """Makes ``draft`` the next event of the task: stored, then told to whoever follows it.

        The same ``event_id`` again gives the same event. Raises :class:`NotFound`, :class:`BadState` when that cannot
        happen now, :class:`~server.errors.BadRequest` for its data, :class:`Unavailable`: then nobody knows whether it
        has happened, and if it has, it is told as soon as the database is back.
        """
        return (await self.commit(task_id, draft)).event

    async def commit(
        self, task_id: str, draft: EventDraft, *, known: Task | None = None, run: int | None = None
    ) -> Stored:
        """As :meth:`append`; returns also how the task stands then.

        ``known`` saves a look if it is still so. ``run`` is the caller's: raises :class:`LeaseLost` if the work was
        taken up by somebody else since.
        """
        async with self._locks.setdefault(task_id, asyncio.Lock()):
            return await self._commit(known or await self.load(task_id), draft, run)

    async def _commit(self, task: Task, draft: EventDraft, run: int | None = None) -> Stored:
        if draft.event_id is not None:  # before it is judged: what happened may not happen again
            repeated = await self._repeated(task, draft.event_id)
            if repeated is not None:
                return repeated
        if task.number == 0 and draft.type != "queued":  # a crash came between the task and its first event
            with suppress(BadState):
                await self._commit(task, EventDraft(type="queued"))
            task = await self.load(task.task_id)
        key = new_id()
        while True:
            if run is not None and task.run != run:
                raise LeaseLost
            event = self._decided(task, draft, key)
            try:
                await self._store.append(event)
                newer = [event]
            except Duplicate:
                newer = await self._store.events(task.task_id, task.number)
            except Unavailable:
                self._background.start(partial(self._settle, task, event), "task_event")
                raise
            task = fold_all(task, newer)
            for mine in newer:
                if mine.key == key:
                    await self._tell(task, mine)
                    return Stored(task, mine)
                if mine.event_id is not None and mine.event_id == draft.event_id:  # sent twice at the same time
                    return Stored(task, mine, is_new=False)
            if not newer:
                return await self._at_the_same_time(task, draft)

    def _decided(self, task: Task, draft: EventDraft, key: str) -> TaskEvent:
        if is_bounded(task, draft):
            if task.number >= self._settings.max_events:
                raise BadState(N_("At most %(count)s events of a task are kept", count=self._settings.max_events))
            if task.told_bytes >= MAX_TOLD_BYTES:
                raise BadState(N_("At most %(count)s bytes are kept of what is said of a task", count=MAX_TOLD_BYTES))
        return decide(task, draft, key, self._clock.now())

    async def _repeated(self, task: Task, event_id: str) -> Stored | None:
        """What was stored under that ``event_id`` before."""
        known = await self._store.by_event_id(task.task_id, event_id)
        if known is None:
            return None
        task = await self.load(task.task_id)
        await self.catch_up(task)
        return Stored(task, known, is_new=False)

    async def _at_the_same_time(self, task: Task, draft: EventDraft) -> Stored:
        """The same event was stored elsewhere while this one was; or the task was removed."""
        repeated = None if draft.event_id is None else await self._repeated(task, draft.event_id)
        if repeated is None:
            raise NotFound("There is no such task")
        return repeated

    async def _settle(self, task: Task, event: TaskEvent) -> None:
        """The database was away while the event was stored: if it was, it is told now."""
        newer = await self._store.events(task.task_id, task.number)
        if any(each.key == event.key for each in newer):
            await self._tell(fold_all(task, newer), event)
        elif self._clock.now() < event.timestamp + timedelta(seconds=LATE_S):
            self._unsettled.append((task, event))

    def _settle_again(self) -> None:
        """What was not stored by then is looked for once more, when it cannot be stored any more."""
        latest = self._clock.now() - timedelta(seconds=LATE_S)
        for each in [each for each in self._unsettled if each[1].timestamp <= latest]:
            self._unsettled.remove(each)
            self._background.start(partial(self._settle, *each), "task_event")

    async def catch_up(self, task: Task) -> None:
        """Brings the document of a task up to ``task``. Where it was behind, whoever stored the last event could not
        say so: it is told."""
        if await self._bring_up(task):
            for event in await self._store.events(task.task_id, task.number - 1, 1):
                self._publish(task, event)

    async def _bring_up(self, task: Task) -> bool:
        """Whether the document was behind; raises :class:`NotFound` for a task that was removed meanwhile."""
        if await self._store.write(task):
            return True
        if await self._store.get(task.task_id) is None:
            await self._store.forget(task.task_id)
            raise NotFound("There is no such task")
        return False

    async def _tell(self, task: Task, event: TaskEvent) -> None:
        try:
            await self._bring_up(task)
        except Unavailable:
            self._background.start(partial(self._bring_up, task), "task")
        self._publish(task, event)

    def _publish(self, task: Task, event: TaskEvent) -> None:
        if task.is_over:
            self._background.start(partial(self._store.forget_steps, task.task_id), "task_steps")
        news = TaskNews(task, event)
        self._bus.publish(task_topic(task.task_id), news)
        self._bus.publish(tasks_topic(task.user_id), news)
        self._bus.publish(user_topic(task.user_id), news)
        if task.state == "queued":
            self.on_queued()

    # ── what people do ──

    async def cancel(self, task_id: str, user_id: str) -> Task:
        """Stops a task: at once where nobody works at it, else as soon as whoever does has stopped. Again is no error.

        Raises :class:`NotFound`, and :class:`BadState` for one that is over.
        """
        while True:
            task = await self.get(task_id, user_id)
            if task.state == "cancelled" or (task.cancel_requested and not task.is_over):
                return task
            is_idle = task.state in ("queued", "waiting_review")
            draft = EventDraft(type="cancelled" if is_idle else "cancel_requested", user_id=user_id)
            try:
                return (await self.commit(task_id, draft, known=task)).task
            except BadState:
                if task.is_over:
                    raise

    async def review(
        self, task_id: str, user_id: str, decision: Decision, comment: str = "", round: int | None = None
    ) -> Task:
        """Decides about what the task has asked for; ``round`` says which document was looked at.

        Raises :class:`NotFound`, and :class:`BadState` when it asks for nothing, or for something else by now.
        """
        task = await self.get(task_id, user_id)
        if task.review is None or round not in (None, task.review.round):
            raise BadState("There is nothing to decide any more")
        data = {"decision": decision, "comment": comment, "round": task.review.round}
        draft = EventDraft(type="reviewed", data=data, user_id=user_id)
        return (await self.commit(task_id, draft, known=task)).task

    # ── looking ──

    async def load(self, task_id: str) -> Task:
        """The task with everything that has happened in it; raises :class:`NotFound`."""
        task = await self._store.get(task_id) if is_id(task_id) else None
        if task is None:
            raise NotFound("There is no such task")
        return fold_all(task, await self._store.events(task_id, task.number))

    async def get(self, task_id: str, user_id: str, *, is_service: bool = False) -> Task:
        """A task of that person, or one that this service account may drive; raises :class:`NotFound` for all
        others."""
        return _allowed(await self.load(task_id), user_id, is_service)

    async def glance(self, task_id: str, user_id: str, *, is_service: bool = False) -> Task:
        """As :meth:`get`, by one look at the database: what has happened last may be missing, and its :meth:`events`
        have it."""
        return _allowed(await self._store.get(task_id) if is_id(task_id) else None, user_id, is_service)

    async def events(self, task_id: str, after: int = 0, limit: int = 0) -> list[TaskEvent]:
        """What has happened in a task behind the number ``after``, in order; at most ``limit`` events, 0: all."""
        return await self._store.events(task_id, after, limit)

    async def newer(self, tasks: list[Task]) -> dict[str, list[TaskEvent]]:
        """By task id, what has happened in these tasks, and is missing in them."""
        return await self._store.newer([task for task in tasks if not task.is_over])

    async def list_of(
        self,
        user_id: str,
        *,
        states: list[str] | None = None,
        before: str | None = None,
        limit: int = 50,
        is_service: bool = False,
    ) -> TaskPage:
        """A person's tasks, newest first; for a service account, those that it may drive and that are not over."""
        look = self._store.for_worker if is_service else self._store.of_user
        found = await look(user_id, states=states, before=before, limit=limit + 1)
        tasks = await self._with_newer(found[:limit])
        return TaskPage(tasks, found[limit - 1].task_id if len(found) > limit else None)

    async def newest(self, limit: int, *, user_id: str | None = None, states: list[str] | None = None) -> list[Task]:
        """Tasks of everybody, or of one person, newest first, for whoever runs the server."""
        if user_id is None:
            return await self._with_newer(await self._store.newest(limit, states))
        return await self._with_newer(await self._store.of_user(user_id, limit=limit, states=states))

    async def exists(self, task_id: str) -> bool:
        """Whether there is such a task, of anybody."""
        return await self._store.get(task_id) is not None

    async def current_of(self, user_id: str) -> list[Task]:
        """A person's tasks that are not over, and the newest others, :data:`NEWEST` at least: by one look at the
        database, so that what has happened last may be missing, and :meth:`newer` has it."""
        return await self._store.open_first(user_id, self._settings.max_open + NEWEST)

    async def open_of(self, user_id: str) -> list[Task]:
        """A person's tasks that are not over, newest first."""
        found = await self._with_newer(await self._store.open_of_user(user_id))
        return [task for task in found if not task.is_over]

    async def waiting(self, user_id: str) -> int:
        """How many tasks wait for that person's review."""
        return await self._store.count_waiting(user_id)

    async def _with_newer(self, tasks: list[Task]) -> list[Task]:
        newer = await self.newer(tasks)
        return [fold_all(task, newer.get(task.task_id, [])) for task in tasks]

    # ── jobs ──

    async def sweep(self) -> int:
        """Ends tasks past their deadline and marks those of which nothing is heard; returns how many that were. Doing
        it twice, or in two processes, changes nothing."""
        self._settle_again()
        now = self._clock.now()
        silent_since = now - timedelta(seconds=self._settings.stalled_after_s)
        due = await self._store.due(now, silent_since, now - timedelta(seconds=WAIT_S))
        changed = 0
        for draft_for, found in ((self._overdue, due.late), (self._unheard, due.silent)):
            for each in found:
                with suppress(BadState, NotFound, LeaseLost):
                    changed += await self._look_after(each.task_id, draft_for)
        return changed

    async def _look_after(self, task_id: str, draft_for: Callable[[Task], EventDraft | None]) -> bool:
        task = await self.load(task_id)
        await self.catch_up(task)  # a crash may have left it behind its events
        draft = draft_for(task)
        if draft is None or not may(task, draft.type):
            return False
        await self.commit(task_id, draft, known=task, run=task.run)
        return True

    def _overdue(self, task: Task) -> EventDraft | None:
        if task.deadline > self._clock.now():
            return None
        if task.cancel_requested:
            return EventDraft(type="cancelled")
        if task.state == "waiting_review":
            return EventDraft(type="failed", code="review_expired", message="Nobody has decided in time")
        return EventDraft(type="failed", code="deadline_passed", message="It has taken longer than it may")

    def _unheard(self, task: Task) -> EventDraft | None:
        silent_since = self._clock.now() - timedelta(seconds=self._settings.stalled_after_s)
        return EventDraft(type="stalled") if task.updated_at <= silent_since else None

    async def clean(self) -> int:
        """Removes tasks that ended ``tasks.keep_days`` ago; returns how many that were."""
        oldest = self._clock.now() - timedelta(days=self._settings.keep_days)
        removed = 0
        while count := await self._store.remove_ended_before(oldest, AT_A_TIME):
            removed += count
        if removed:
            log.info("tasks_removed", count=removed)
        return removed

    async def remove_of(self, user_id: str) -> None:
        """Stops and removes all tasks of a person."""
        for task in await self._store.open_of_user(user_id):
            with suppress(BadState, NotFound):
                await self.commit(task.task_id, EventDraft(type="cancelled"))
        await self._store.remove_of(user_id)


def _allowed(task: Task | None, user_id: str, is_service: bool) -> Task:
    """The task, for whoever may see it; there is none for anybody else."""
    if task is None or (task.user_id != user_id and not (is_service and may_drive(task, user_id))):
        raise NotFound("There is no such task")
    return task


def may_drive(task: Task, service_id: str) -> bool:
    """Whether that service account does the work of the task: it was named, or nobody was."""
    return task.is_external and task.worker_id in (service_id, None)
