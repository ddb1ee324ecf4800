"""What a kind gets to do its work with: steps that are done once, progress, reviews, other processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, TypeVarTuple

import msgspec
import stamina

from server.clock import Clock
from server.errors import BadState, NotFound, Unavailable
from server.realtime.limits import TokenBucket
from server.store.tasks import TaskStore
from server.tasks.endings import LeaseLost, Retry, Stopped, Suspended
from server.tasks.model import FINAL, EventDraft, Review, Task, TaskEvent
from server.tasks.processes import Processes
from server.tasks.tasks import Tasks

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

ATTEMPTS = 5
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
"""A step is tried five times within some seconds: what takes longer to come back is waited for by the next run."""

PROGRESS_PER_S = 4.0
PROGRESS_BURST = 20
"""More often nobody sees a bar move, and every event is stored."""


class Work:
    """One run of one task. After a crash or a review there is another one, from the top."""

    def __init__(
        self,
        task: Task,
        told: list[TaskEvent],
        tasks: Tasks,
        store: TaskStore,
        processes: Processes,
        clock: Clock,
    ) -> None:
        """``told`` is what has happened in the task so far: of that nothing is said again."""
        self._task = task
        self._tasks = tasks
        self._store = store
        self._processes = processes
        self._clock = clock
        self._told = Counter(_likeness(event) for event in told if event.type == "progress")
        self._reached = task.progress
        self.has_moved = False
        """Whether this run has told of progress that no earlier one has."""
        self._bucket = TokenBucket(PROGRESS_PER_S, PROGRESS_BURST, clock.monotonic())
        self._held_back: EventDraft | None = None
        self._said: list[tuple[str | None, str | None, str | None]] = []
        """What this attempt at a step has told: the next one does not tell it again."""
        self._stage = task.stage
        self._rounds = 0

    @property
    def task(self) -> Task:
        """The task as this run knows it."""
        return self._task

    @property
    def params(self) -> dict[str, Any]:
        """What the task was asked to do, as the kind has checked it."""
        return self._task.params

    @property
    def user_id(self) -> str:
        """Whose task it is."""
        return self._task.user_id

    def stage(self, name: str) -> None:
        """From here on this part of the work is done; it is told with the next event."""
        self._stage = name

    async def step(self, name: str, make: Callable[[], Awaitable[Any]]) -> Any:
        """What ``make`` returns, which is JSON: done once in the life of the task, and tried again while it raises
        :class:`~server.errors.Unavailable` or :class:`Retry`. ``name`` is unlike that of every other step.

        It may be done twice when the server dies between the end of ``make`` and the moment in which the result is
        stored: doing it twice must be no error.
        """
        self._require_wanted()
        kept = await self._store.step(self._task.task_id, name)
        if kept is None:
            await self._tell_held_back()
            result = msgspec.json.encode(await self._attempts(name, make))
            kept = await self._store.keep_step(self._task.task_id, name, result)
        return msgspec.json.decode(kept)

    async def progress(self, fraction: float, stage: str, code: str, message: str, **values: Any) -> None:
        """Tells how far the work is (0 to 1). ``message`` is a whole English sentence, in which ``%(name)s`` stands for
        the values; ``code`` says the same for other languages.

        What an earlier run has told is not told again. More than some in a second are held back, but for the last.
        """
        self._stage = stage
        sentence = message % values if values and "%(" in message else message
        draft = EventDraft(
            type="progress", progress=fraction, stage=stage, code=code, message=str(sentence), values=values
        )
        if self._is_repetition(draft):
            return
        if self._bucket.take(self._clock.monotonic()):
            self._held_back = None
            self._said.append(_likeness(draft))
            known = self._task.number
            await self._tell(draft)
            self.has_moved |= self._task.number > known
        else:
            self._held_back = draft
            self._require_wanted()

    async def review(self, document: str) -> Review:
        """Asks the person about ``document`` (Markdown); the run ends here, and the next one gets the decision."""
        self._rounds += 1
        if len(self._task.reviews) >= self._rounds:
            return self._task.reviews[self._rounds - 1]
        await self._tell_held_back()
        await self._tell(EventDraft(type="review_requested", stage=self._stage, data={"document": document}))
        raise Suspended

    async def cpu(self, function: Callable[[*Ts], T], *args: *Ts) -> T:
        """What ``function`` (one at the top of a module) returns, done in another process; see :class:`Processes`."""
        await self._tell_held_back()  # for a while nothing else will be heard
        self._require_wanted()
        return await self._processes.run(function, *args)

    async def finish(self, draft: EventDraft) -> None:
        """Tells what came of the work."""
        try:
            if draft.type == "completed":
                await self._tell_held_back()
        except Stopped:
            draft = EventDraft(type="cancelled")
        await self._tell(draft)

    # ── telling ──

    async def _tell(self, draft: EventDraft) -> None:
        """Raises :class:`LeaseLost` when there is nothing to be told any more."""
        try:
            known = self._task
            self._task = (await self._tasks.commit(known.task_id, draft, known=known, run=known.run)).task
        except NotFound:
            raise LeaseLost from None
        except BadState:
            self._task = await self._tasks.load(known.task_id)
            if self._task.is_over or draft.type in FINAL or self._task.run != known.run:
                raise LeaseLost from None
            # Else there are as many events as are kept: the work goes on without saying so.
        self._require_wanted()

    async def _tell_held_back(self) -> None:
        draft, self._held_back = self._held_back, None
        if draft is not None:
            await self._tell(draft)

    def _is_repetition(self, draft: EventDraft) -> bool:
        """Whether an earlier run has told that, or, while this one is not yet as far as that was, something later."""
        likeness = _likeness(draft)
        if self._told[likeness] > 0:
            self._told[likeness] -= 1
            self._told += Counter()  # which leaves out those that have none
            return True
        return self._told.total() > 0 and (draft.progress or 0.0) < self._reached

    def _require_wanted(self) -> None:
        if self._task.cancel_requested and not self._task.is_over:
            raise Stopped

    # ── trying ──

    async def _attempts(self, name: str, make: Callable[[], Awaitable[Any]]) -> Any:
        retries = stamina.retry_context(
            on=(Unavailable, Retry),
            attempts=ATTEMPTS,
            timeout=None,
            wait_initial=FIRST_PAUSE_S,
            wait_max=LONGEST_PAUSE_S,
            wait_jitter=FIRST_PAUSE_S,
        )
        async for attempt in retries:
            with attempt:
                self._said.clear()
                try:
                    return await make()
                except (Unavailable, Retry) as error:
                    self._told.update(self._said)
                    self._reached = max(self._reached, self._task.progress)
                    if isinstance(error, Retry) and attempt.num < ATTEMPTS:
                        await self._tell(_retrying(name, attempt.num))
                    raise
        raise AssertionError("the last attempt returns or raises")


def _retrying(step: str, attempt: int) -> EventDraft:
    return EventDraft(
        type="retrying",
        code="step_retried",
        message=f"A step did not succeed and is tried again: {step}",
        values={"step": step, "attempt": attempt},
    )


def _likeness(event: TaskEvent | EventDraft) -> tuple[str | None, str | None, str | None]:
    """By this an event is known again. Its progress is left out: where the bar stood by then, it stays."""
    return event.stage, event.code, event.message
