"""Whoever works at a task dies, at every moment there is; and many write to one task at once."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import Any

import pytest

from server.errors import NotFound, Unavailable
from server.ids import new_id
from server.realtime.background import Background
from server.realtime.bus import LocalBus, Message, TaskNews, task_topic
from server.realtime.frames import UserRef
from server.settings import TaskSettings
from server.store.driver import Database
from server.store.tasks import TaskStore
from server.tasks.assembly import TaskArea
from server.tasks.model import EventDraft, Task, TaskEvent
from server.tasks.rules import decide
from server.tasks.tasks import LATE_S
from server.tasks.work import Work
from tests.running import MovableClock, Running
from tests.tasks.working import Scripted

pytestmark = pytest.mark.gen_test(timeout=60)

LEASE_S = 20
ALICE = UserRef("alice", "alice", "Alice")


class MortalStore(TaskStore):
    """A store of a process that dies with the operation of that number: before it is done, or right after."""

    def __init__(self, database: Database, dies_at: int, *, is_done: bool) -> None:
        super().__init__(database)
        self.left = dies_at
        self.is_done = is_done

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or not inspect.iscoroutinefunction(found):
            return found

        async def operate(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left < 0 or (self.left == 0 and not self.is_done):
                raise Unavailable
            result = await found(*args, **kwargs)
            if self.left == 0:
                raise Unavailable
            return result

        return operate


async def two_steps(work: Work) -> dict[str, Any]:
    """Work whose every word and every result is known beforehand."""
    numbers = []
    for number in (1, 2):

        async def make(number: int = number) -> int:
            return number * 10

        numbers.append(await work.step(f"{number}", make))
        await work.progress(number / 2, "first", "done", "%(number)s is done", number=number)
    return {"numbers": numbers}


class Process:
    """All that one process has to do with tasks."""

    def __init__(self, store: TaskStore, clock: MovableClock) -> None:
        self.bus = LocalBus()
        self.background = Background()
        settings = TaskSettings(lease_s=LEASE_S)
        self.area = TaskArea(store, self.bus, self.background, clock, settings, "/api/v1", new_id())
        self.area.kinds.register(Scripted(two_steps))
        self.area.runner.open()

    async def until_idle(self) -> None:
        """Waits until nothing is done here any more."""
        while self.area.runner._running or len(self.background):
            await asyncio.sleep(0.001)

    async def end(self) -> None:
        """Ends, with whatever was owed to a database that did not come back."""
        await self.area.runner.stop(1)
        self.background._owed.clear()


async def lives(
    database: Database, clock: MovableClock, dies_at: int, *, is_done: bool
) -> tuple[bool, list[TaskEvent]]:
    """The events of a task that is worked at by a process that dies so, and then by another; and whether it died."""
    store = MortalStore(database, 1_000_000, is_done=is_done)
    dying = Process(store, clock)
    task = await dying.area.tasks.create(ALICE.id, "scripted", {}, user=ALICE)
    store.left = dies_at  # before its work has begun: that is not waited for by whoever starts it
    await dying.until_idle()
    await dying.end()
    clock.move(LEASE_S + 1)
    other = Process(TaskStore(database), clock)
    await other.area.runner.round()
    await other.until_idle()
    await other.end()
    return store.left <= 0, await other.area.tasks.events(task.task_id)


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
async def test_work_that_dies_at_any_operation_goes_on_and_ends_once(running: Running, is_done: bool) -> None:
    database, clock = running.services.database, MovableClock()
    dies_at, died = 0, True
    while died:
        dies_at += 1
        died, events = await lives(database, clock, dies_at, is_done=is_done)
        types = [event.type for event in events if event.type != "retrying"]
        assert types == ["queued", "started", "progress", "progress", "completed"], dies_at
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        assert [event.values["number"] for event in events if event.type == "progress"] == [1, 2]
        assert events[-1].data == {"numbers": [10, 20]}
        assert len(events) <= 6
    assert dies_at > 10


async def test_work_goes_on_when_the_database_is_back(running: Running) -> None:
    database, clock = running.services.database, MovableClock()
    store = MortalStore(database, 1_000_000, is_done=False)
    process = Process(store, clock)
    task = await process.area.tasks.create(ALICE.id, "scripted", {}, user=ALICE)
    store.left = 8  # in the middle of its work
    await process.until_idle()
    store.left = 1_000_000
    clock.move(LEASE_S + 1)  # nor could its lease be given back
    await process.area.runner.round()
    await process.until_idle()
    events = await process.area.tasks.events(task.task_id)
    types = ["queued", "started", "progress", "progress", "completed"]
    assert [event.type for event in events if event.type != "retrying"] == types
    assert len(events) == len(types) + 1
    await process.end()


async def test_many_who_write_at_once_leave_neither_gap_nor_double(running: Running) -> None:
    database, clock = running.services.database, MovableClock()
    one, other = (Process(TaskStore(database), clock) for _ in range(2))
    task = await one.area.tasks.create(ALICE.id, "external", {}, user=ALICE)
    told: list[int] = []

    def hear(message: Message) -> None:
        assert isinstance(message, TaskNews)
        told.append(message.event.number)

    one.bus.subscribe(task_topic(task.task_id), hear)

    def write(process: Process, number: int) -> Awaitable[TaskEvent]:
        return process.area.tasks.append(task.task_id, EventDraft(type="progress", event_id=f"{number // 2}"))

    await asyncio.gather(*(write(process, number) for number in range(20) for process in (one, other)))
    events = await one.area.tasks.events(task.task_id)
    assert [event.number for event in events] == list(range(1, 12))
    assert sorted(int(event.event_id or "") for event in events[1:]) == list(range(10))
    assert told == sorted(set(told))
    for process in (one, other):
        await process.end()


async def test_the_end_that_is_sent_twice_at_the_same_time_is_one_end(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, clock = running.services.database, MovableClock()
    store = TaskStore(database)
    one, other = Process(store, clock), Process(TaskStore(database), clock)
    task = await one.area.tasks.create(ALICE.id, "external", {}, user=ALICE)
    end = EventDraft(type="completed", event_id="the end", data={"url": "/there"})
    first: list[TaskEvent] = []
    store_event = store.append

    async def overtaken(event: TaskEvent) -> None:
        first.append(await other.area.tasks.append(task.task_id, end))
        await store_event(event)

    monkeypatch.setattr(store, "append", overtaken)
    second = await one.area.tasks.commit(task.task_id, end)
    assert (second.event, second.is_new, second.task.state) == (first[0], False, "completed")
    for process in (one, other):
        await process.end()


async def test_what_the_database_has_stored_without_saying_so_is_told_when_it_is_back(running: Running) -> None:
    database, clock = running.services.database, MovableClock()
    store = MortalStore(database, 1_000_000, is_done=True)
    process = Process(store, clock)
    task = await process.area.tasks.create(ALICE.id, "external", {}, user=ALICE)
    told: list[Message] = []
    process.bus.subscribe(task_topic(task.task_id), told.append)
    await process.until_idle()
    store.left = 3  # the task, its events, and then the new one
    with pytest.raises(Unavailable):
        await process.area.tasks.append(task.task_id, EventDraft(type="started"))
    await process.until_idle()
    store.left = 1_000_000
    await process.background.catch_up()
    [news] = told
    assert isinstance(news, TaskNews)
    assert (news.event.type, news.task.state) == ("started", "running")
    stored = await TaskStore(database).get(task.task_id)
    assert stored is not None and stored.state == "running"
    await process.end()


async def test_what_the_database_stores_late_is_told(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, store, late = MovableClock(), TaskStore(running.services.database), list[TaskEvent]()
    process = Process(store, clock)
    task = await process.area.tasks.create(ALICE.id, "external", {}, user=ALICE)
    store_event = store.append

    async def away(event: TaskEvent) -> None:
        late.append(event)
        raise Unavailable

    monkeypatch.setattr(store, "append", away)
    with pytest.raises(Unavailable):
        await process.area.tasks.append(task.task_id, EventDraft(type="completed"))
    await process.until_idle()
    told: list[Message] = []
    process.bus.subscribe(task_topic(task.task_id), told.append)
    await store_event(late[0])
    clock.move(LATE_S + 1)
    await process.area.tasks.sweep()
    await process.until_idle()
    assert [each.event for each in told if isinstance(each, TaskNews)] == late
    await process.end()


@pytest.mark.parametrize("who", ["another run", "the program"])
async def test_an_end_that_nobody_could_tell_is_told_by_whoever_finds_it(running: Running, who: str) -> None:
    store, clock = TaskStore(running.services.database), MovableClock()
    dying, other = (Process(store, clock) for _ in range(2))
    await dying.area.runner.stop(1)
    kind = "scripted" if who == "another run" else "external"
    task = await dying.area.tasks.create(ALICE.id, kind, {}, user=ALICE)
    end = EventDraft(type="completed", event_id="the end")
    await store.append(decide(task, end, new_id(), clock.now()))  # and then it dies
    told: list[Message] = []
    other.bus.subscribe(task_topic(task.task_id), told.append)
    if who == "another run":
        await other.area.runner.round()
    else:
        await other.area.tasks.append(task.task_id, end)
    await other.until_idle()
    assert [each.event.type for each in told if isinstance(each, TaskNews)] == ["completed"]
    await other.end()


async def test_of_a_task_that_is_removed_while_somebody_writes_nothing_is_left(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TaskStore(running.services.database)
    process = Process(store, MovableClock())
    task = await process.area.tasks.create(ALICE.id, "external", {}, user=ALICE)
    store_event = store.append

    async def too_late(event: TaskEvent) -> None:
        await store.remove_of(ALICE.id)
        await store_event(event)

    monkeypatch.setattr(store, "append", too_late)
    with pytest.raises(NotFound):
        await process.area.tasks.append(task.task_id, EventDraft(type="progress"))
    assert await store.events(task.task_id) == []
    await process.end()


async def test_a_task_that_is_started_twice_at_once_under_one_name_is_one(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TaskStore(running.services.database)
    process = Process(store, MovableClock())
    tasks = process.area.tasks
    first = await tasks.create(ALICE.id, "external", {}, user=ALICE, client_key="mine")
    find, looked = store.by_client_key, list[str]()

    async def too_early(created_by: str, client_key: str) -> Task | None:
        looked.append(client_key)
        return None if len(looked) == 1 else await find(created_by, client_key)

    monkeypatch.setattr(store, "by_client_key", too_early)
    assert await tasks.create(ALICE.id, "external", {}, user=ALICE, client_key="mine") == first
    assert len(await tasks.open_of(ALICE.id)) == 1
    await process.end()


async def test_a_task_whose_first_event_was_not_stored_is_found_again_by_its_name(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TaskStore(running.services.database)
    process = Process(store, MovableClock())
    tasks = process.area.tasks

    async def away(event: TaskEvent) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", away)
        with pytest.raises(Unavailable):
            await tasks.create(ALICE.id, "external", {}, user=ALICE, client_key="mine")
    again = await tasks.create(ALICE.id, "external", {}, user=ALICE, client_key="mine")
    assert ([task.task_id for task in await tasks.open_of(ALICE.id)], again.number) == ([again.task_id], 1)
    await process.end()


async def test_what_the_database_has_not_stored_is_not_told(running: Running) -> None:
    database, clock = running.services.database, MovableClock()
    store = MortalStore(database, 1_000_000, is_done=False)
    process = Process(store, clock)
    task = await process.area.tasks.create(ALICE.id, "external", {}, user=ALICE)
    told: list[Message] = []
    process.bus.subscribe(task_topic(task.task_id), told.append)
    await process.until_idle()
    store.left = 3
    with pytest.raises(Unavailable):
        await process.area.tasks.append(task.task_id, EventDraft(type="started"))
    await process.until_idle()
    store.left = 1_000_000
    await process.background.catch_up()
    assert told == []
    await process.end()
