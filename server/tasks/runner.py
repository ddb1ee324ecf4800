"""Does the work of tasks in this process: takes them up, a few at a time, holds their leases, and says how they ended.

A lease says to other processes that somebody works at a task. What fences one whose lease ran out without its knowing
is the number of its next event, which whoever took the task up has used.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal

from server.clock import Clock
from server.errors import BadState, NotFound, RingbackError, Unavailable
from server.log import get_logger
from server.realtime.bus import Bus, Message, TaskNews, task_topic
from server.settings import TaskSettings
from server.store.tasks import Claimable, TaskStore
from server.tasks.endings import BrokenOff, LeaseLost, Stopped, Suspended, TaskFailed
from server.tasks.model import EXTERNAL, EventDraft, Task
from server.tasks.processes import Processes
from server.tasks.tasks import Tasks
from server.tasks.work import Work

log = get_logger("tasks")

RENEWALS = 3
"""A lease is renewed so often in its time: two may fail."""
PER_PERSON = 2
"""Tasks of one person that are worked at here at once, so that others' come to their turn."""
CANDIDATES = 50
"""Looked at together; more than one person may have waiting."""
MAX_LOST = 5
"""So often the server may die while it works at a task: then it is the task."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
"""Before work is begun again that could not be done: twice as long each time."""
MAX_POSTPONED = 10
"""So often work is begun in vain, without being farther than before: some five minutes."""

Reason = Literal["cancel", "over", "draining"]


class Run:
    """The work at one task, in this process."""

    def __init__(self, task: Task, lost: int, postponed: int) -> None:
        """``lost`` and ``postponed`` are how often it was begun before and could not be done; see
        :class:`~server.store.tasks.Claimable`."""
        self.task = task
        self.lost = lost
        self.postponed = postponed
        self.is_postponed = False
        self.work: asyncio.Task[None] | None = None
        self.reason: Reason | None = None

    def stop(self, reason: Reason) -> None:
        """Ends the work at its next wait; the first reason counts."""
        if self.reason is None:
            self.reason = reason
            if self.work is not None:
                self.work.cancel()


class Runner:
    """Works at tasks of all kinds but ``external``, from :meth:`open` to :meth:`stop`."""

    def __init__(
        self,
        tasks: Tasks,
        store: TaskStore,
        processes: Processes,
        bus: Bus,
        clock: Clock,
        settings: TaskSettings,
        owner: str,
    ) -> None:
        """``owner`` is the name of this process in leases; no other one, earlier or later, has the same."""
        self._tasks = tasks
        self._store = store
        self._processes = processes
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._owner = owner
        self._runs: dict[str, Run] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._is_open = False
        self._is_looking = False
        self._has_more = False

    def __len__(self) -> int:
        return len(self._runs)

    def open(self) -> None:
        """From now on this process takes tasks up."""
        self._is_open = True
        self._tasks.on_queued = self.wake

    def wake(self) -> None:
        """There may be something to do."""
        self._has_more = True
        if self._is_open and not self._is_looking:
            self._is_looking = True
            self._start(self._look())

    async def round(self) -> None:
        """Looks after what is under way here, and for more; what a job does every ``tasks.poll_interval_s``."""
        await self._stop_unwanted()
        self.wake()

    async def renew(self) -> None:
        """Moves the end of the leases of this process."""
        await self._store.renew(self._owner, list(self._runs), self._lease_until())

    async def stop(self, within_s: float) -> None:
        """Takes no more tasks up, ends the work at those under way, and gives their leases back: another process, or
        this one after its restart, goes on with them."""
        self._is_open = False
        self._tasks.on_queued = lambda: None
        for run in self._runs.values():
            run.stop("draining")
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=within_s)
            for each in late:
                each.cancel()

    # ── taking up ──

    async def _look(self) -> None:
        try:
            while self._has_more and self._is_open:
                self._has_more = False
                await self._take_up_some()
        except Unavailable:
            log.debug("tasks_postponed", why="the database is away")
        finally:
            self._is_looking = False

    async def _take_up_some(self) -> None:
        kinds = [name for name in self._tasks.kinds.names() if name != EXTERNAL]
        if self._free() <= 0 or not kinds:
            return
        of_people = Counter(run.task.user_id for run in self._runs.values())
        busy = [user_id for user_id, count in of_people.items() if count >= PER_PERSON]
        candidates = await self._store.claimable(kinds, self._clock.now(), CANDIDATES, but_of=busy)
        for found in candidates:
            task = found.task
            if self._free() <= 0 or not self._is_open:
                return
            if task.task_id not in self._runs and of_people[task.user_id] < PER_PERSON:
                of_people[task.user_id] += await self._take_up(found)
                self._has_more |= len(candidates) == CANDIDATES  # behind those of people who are busy by now

    def _free(self) -> int:
        return self._settings.at_once - len(self._runs)

    async def _take_up(self, found: Claimable) -> bool:
        """Takes the lease of a task, and begins; false if somebody was faster."""
        task_id, now = found.task.task_id, self._clock.now()
        was_lost = found.owner not in (None, self._owner)
        if not await self._store.claim(task_id, self._owner, now, self._lease_until(), was_lost=was_lost):
            return False
        if not self._is_open:  # the server has begun to stop meanwhile
            await self._store.give_back(task_id, self._owner)
            return False
        run = Run(found.task, found.lost + was_lost, found.postponed)
        self._runs[task_id] = run
        self._start(self._supervise(run))
        return True

    def _lease_until(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self._settings.lease_s)

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    # ── working ──

    async def _supervise(self, run: Run) -> None:
        """One run of a task, from its lease to giving it back."""
        task_id = run.task.task_id
        topic = task_topic(task_id)

        def listen(message: Message) -> None:
            if isinstance(message, TaskNews):
                self._hear(run, message)

        self._bus.subscribe(topic, listen)
        try:
            await self._run(run)
        except (LeaseLost, NotFound, BadState) as error:
            log.info("task_left", task_id=task_id, why=type(error).__name__)
        except Unavailable:
            log.warning("task_postponed", task_id=task_id, why="the database is away")
            run.is_postponed = True
        except BrokenOff:
            log.warning("task_postponed", task_id=task_id, why="the work was broken off")
            run.is_postponed = True
        except Exception:
            log.exception("task_failed_to_end", task_id=task_id)
            run.is_postponed = True
        finally:
            self._bus.unsubscribe(topic, listen)
            with suppress(Unavailable):  # then it runs out
                await self._give_back(run)
            self._runs.pop(task_id, None)
            self.wake()

    async def _give_back(self, run: Run) -> None:
        """What could not be done is left alone for a while, by every process."""
        if run.is_postponed:
            pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**run.postponed)
            again_at = self._clock.now() + timedelta(seconds=pause_s)
            await self._store.postpone(run.task.task_id, self._owner, again_at, run.postponed + 1)
        else:
            await self._store.give_back(run.task.task_id, self._owner)

    @staticmethod
    def _hear(run: Run, news: TaskNews) -> None:
        if news.event.type == "cancel_requested":
            run.stop("cancel")
        elif news.event.is_final:
            run.stop("over")

    async def _run(self, run: Run) -> None:
        task = await self._tasks.load(run.task.task_id)
        if task.is_over or task.state == "waiting_review":  # its document was behind its events
            await self._tasks.catch_up(task)
            return
        told = await self._store.progress_of(task.task_id)
        task = (await self._tasks.commit(task.task_id, _taken_up(task), known=task, run=task.run)).task
        work = Work(task, told, self._tasks, self._store, self._processes, self._clock)
        if task.cancel_requested:
            run.stop("cancel")
        if run.lost > MAX_LOST:
            message = "The server has died several times while it worked at this"
            await work.finish(EventDraft(type="failed", code="given_up", message=message))
            return
        if run.postponed >= MAX_POSTPONED:
            message = "It was begun again and again, and could not be done"
            await work.finish(EventDraft(type="failed", code="begun_in_vain", message=message))
            return
        try:
            ending = await self._ending(run, work)
        finally:
            if work.has_moved:
                run.postponed = 0
        if ending is not None:
            await work.finish(ending)

    async def _ending(self, run: Run, work: Work) -> EventDraft | None:
        """Lets the kind do its work; returns what is to be said in the end, if anything is."""
        kind = self._tasks.kinds.named(work.task.kind)
        result: dict[str, Any] = {}

        async def do() -> None:
            result.update(await kind.run(work))

        run.work = asyncio.get_running_loop().create_task(do())
        if run.reason is not None:
            run.work.cancel()
        try:
            await asyncio.wait({run.work})
        except asyncio.CancelledError:
            run.work.cancel()
            raise
        was_cancelled = run.work.cancelled()
        error = None if was_cancelled else run.work.exception()
        if run.reason == "cancel" or isinstance(error, Stopped):
            return EventDraft(type="cancelled")
        if run.reason is not None or isinstance(error, Suspended):
            return None
        if was_cancelled:  # by what it called, and by nobody here
            raise BrokenOff
        if error is None:
            return EventDraft(type="completed", data=result)
        return _failure(error, work.task.task_id)

    async def _stop_unwanted(self) -> None:
        """Other processes may have stopped, ended or taken over what is under way here."""
        if not self._runs:
            return
        for task_id in await self._store.to_be_stopped(self._owner, list(self._runs)):
            run = self._runs.get(task_id)
            if run is not None:
                run.stop("cancel" if await self._is_to_be_cancelled(task_id) else "over")

    async def _is_to_be_cancelled(self, task_id: str) -> bool:
        try:
            task = await self._tasks.load(task_id)
        except NotFound:
            return False
        return task.cancel_requested and not task.is_over


def _taken_up(task: Task) -> EventDraft:
    run = task.run + 1
    if task.state == "running":
        return EventDraft(type="retrying", run=run)
    if task.run:
        return EventDraft(type="started", run=run, code="continued", message="The work goes on")
    return EventDraft(type="started", run=run)


def _failure(error: BaseException, task_id: str) -> EventDraft:
    if isinstance(error, TaskFailed):
        return EventDraft(type="failed", code=error.code, message=str(error.message))
    if isinstance(error, (Unavailable, LeaseLost)):
        raise error
    if isinstance(error, RingbackError):
        return EventDraft(type="failed", code=error.code, message=error.detail)
    log.error("task_crashed", task_id=task_id, exc_info=error)
    return EventDraft(type="failed", code="internal_error", message="The server failed; its log says why")
