"""Tasks in MongoDB."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tornado.ioloop import IOLoop

from server.ids import new_id
from server.store.driver import Database
from server.store.tasks import TaskStore
from server.tasks.model import State, Task
from tests.helpers import today
from tests.store.conftest import Profile

HOUR = timedelta(hours=1)
OVER, OPEN = 200, 3


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> TaskStore:
    store = TaskStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


def task(state: State, user_id: str = "alice") -> Task:
    """One that was heard of last an hour ago, when it should have been over."""
    moment = today() - HOUR
    return Task(
        task_id=new_id(),
        kind="scripted",
        title="A script",
        user_id=user_id,
        stages=(),
        created_at=moment,
        updated_at=moment,
        deadline=moment,
        work_s=60.0,
        state=state,
    )


@pytest.mark.gen_test
async def test_what_is_asked_all_the_time_reads_no_task_that_is_over(store: TaskStore, profile: Profile) -> None:
    for _ in range(OVER):
        await store.insert(task("completed"))
    for _ in range(OPEN):
        await store.insert(task("queued"))
        await store.insert(task("waiting_review"))
        await store.insert(task("running"))
    now, later = today(), today() + HOUR
    profile()
    due = await store.due(later, now, now)
    assert (len(due.late), len(due.silent)) == (3 * OPEN, OPEN)
    assert len(await store.claimable(["scripted"], now, 50, but_of=[])) == 2 * OPEN
    assert await store.count_waiting("alice") == OPEN
    notes = profile()
    assert len(notes) == 4
    assert all("COLLSCAN" not in note["planSummary"] for note in notes)
    assert [note["docsExamined"] for note in notes if note["docsExamined"] > 3 * OPEN] == []
