"""A desk: all tasks of a person on one session, each followed until it is over."""

from __future__ import annotations

from typing import Any, cast

import pytest
from msgspec.structs import replace

from server.following.tasks import Desk
from server.ids import new_id
from server.realtime.background import Background
from server.realtime.session import Session
from server.tasks.model import EventDraft, Task, TaskEvent
from server.tasks.rules import decide, fold_all
from server.tasks.tasks import Tasks
from tests.following.test_trail import NOW, TASK_ID

NEW = Task(
    task_id=TASK_ID,
    kind="external",
    title="A plan",
    user_id=new_id(),
    stages=(),
    created_at=NOW,
    updated_at=NOW,
    deadline=NOW,
    work_s=60.0,
)
QUEUED = decide(NEW, EventDraft(type="queued"), "1", NOW)
DONE = decide(fold_all(NEW, [QUEUED]), EventDraft(type="completed"), "2", NOW)


class Scene:
    """A desk, and what it has told."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        self.desk = Desk(cast(Session, self), cast(Tasks, self), Background())

    def deliver(self, body: bytes) -> None:
        self.told.append(body)

    async def events(self, *_: Any) -> list[TaskEvent]:
        raise AssertionError("nothing is missing")

    def hear(self, *events: TaskEvent) -> None:
        for event in events:
            self.desk.hear(event, str(event.number).encode())


@pytest.mark.gen_test
async def test_a_task_that_is_over_is_followed_no_longer() -> None:
    scene = Scene()
    scene.desk.draw([])
    for _ in range(5):
        task_id = new_id()
        scene.hear(replace(QUEUED, task_id=task_id), replace(DONE, task_id=task_id))
    assert (len(scene.desk), len(scene.told)) == (0, 10)


@pytest.mark.gen_test
async def test_one_that_goes_on_is_followed() -> None:
    scene = Scene()
    scene.desk.draw([])
    scene.hear(QUEUED)
    assert len(scene.desk) == 1


@pytest.mark.gen_test
async def test_what_comes_twice_after_the_end_is_not_told_again() -> None:
    scene = Scene()
    scene.desk.draw([])
    scene.hear(QUEUED, DONE, QUEUED, DONE)
    assert (scene.told, len(scene.desk)) == ([b"1", b"2"], 0)


@pytest.mark.gen_test
async def test_one_that_the_snapshot_shows_as_over_is_not_followed() -> None:
    scene = Scene()
    scene.hear(DONE)  # while the snapshot was read
    scene.desk.draw([fold_all(NEW, [QUEUED, DONE])])
    scene.hear(DONE)
    assert (scene.told, len(scene.desk)) == ([], 0)
