"""A trail: the events of one task in order, each once, in whatever order the news of them arrive."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import Unavailable
from server.following.events import event_frame
from server.following.trail import Trail
from server.realtime.background import Background
from server.tasks.model import TaskEvent
from tests.helpers import property_of

NOW = datetime(2026, 11, 20, 5, 12, 7, tzinfo=UTC)
TASK_ID = "0195f0a0-0000-7000-8000-000000000001"


def event(number: int) -> TaskEvent:
    return TaskEvent(
        key=f"key-{number}",
        task_id=TASK_ID,
        number=number,
        type="progress",
        timestamp=NOW,
        state="running",
        progress=0.1,
        stage=None,
        message="A chapter was read",
        code="chapter_read",
        values={},
        data=None,
        deadline=NOW,
    )


class Scene:
    """A trail on a store that is a list, and what it has told."""

    def __init__(self, stored: int = 0) -> None:
        self.stored = [event(number) for number in range(1, stored + 1)]
        self.told: list[int] = []
        self.reads = 0
        self.is_away = False
        self.background = Background()
        self.trail = Trail(TASK_ID, self._read, self._tell, event_frame, self.background)

    async def _read(self, task_id: str, after: int) -> list[TaskEvent]:
        self.reads += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise Unavailable
        return [each for each in self.stored if each.number > after]

    def _tell(self, event: TaskEvent, body: bytes) -> None:
        assert body == event_frame(event)
        self.told.append(event.number)

    def store(self, *numbers: int) -> None:
        self.stored += [event(number) for number in numbers]

    def hear(self, *numbers: int) -> None:
        for number in numbers:
            self.trail.hear(event(number), event_frame(event(number)))

    async def settled(self) -> list[int]:
        await self.background.finish(1.0)
        return self.told


@pytest.mark.gen_test
async def test_what_comes_in_order_is_told_at_once_and_nothing_is_read() -> None:
    scene = Scene()
    scene.trail.begin(0)
    scene.hear(1, 2, 3)
    assert (scene.told, scene.reads) == ([1, 2, 3], 0)


@pytest.mark.gen_test
async def test_what_was_overtaken_is_read_and_told_first() -> None:
    scene = Scene(stored=3)
    scene.trail.begin(1)
    scene.hear(3)
    assert await scene.settled() == [2, 3]


@pytest.mark.gen_test
async def test_what_comes_late_or_twice_is_not_told_again() -> None:
    scene = Scene(stored=3)
    scene.trail.begin(1)
    scene.hear(3)
    await scene.settled()
    scene.hear(2, 3, 1)
    assert await scene.settled() == [2, 3]


@pytest.mark.gen_test
async def test_what_is_heard_before_it_is_known_where_to_begin_waits() -> None:
    scene = Scene(stored=4)
    scene.hear(4, 3)
    assert scene.told == []
    scene.trail.begin(2)
    assert await scene.settled() == [3, 4]


@pytest.mark.gen_test
async def test_what_the_snapshot_had_is_not_told() -> None:
    scene = Scene(stored=4)
    scene.hear(2, 3)
    scene.trail.begin(3)
    scene.hear(4)
    assert await scene.settled() == [4]


@pytest.mark.gen_test
async def test_it_begins_once() -> None:
    scene = Scene()
    scene.trail.begin(0)
    scene.trail.begin(5)
    scene.hear(1)
    assert scene.told == [1]


@pytest.mark.gen_test
async def test_what_is_heard_while_it_reads_is_told_in_its_place() -> None:
    scene = Scene(stored=2)
    scene.trail.begin(0)
    scene.hear(2)
    await asyncio.sleep(0)  # it reads
    scene.store(3, 4)
    scene.hear(4, 3, 1)
    assert await scene.settled() == [1, 2, 3, 4]


@pytest.mark.gen_test
async def test_a_database_that_is_away_is_asked_again() -> None:
    scene = Scene(stored=2)
    scene.trail.begin(0)
    scene.is_away = True
    scene.hear(2)
    await scene.settled()
    scene.is_away = False
    assert await scene.background.catch_up() == 1
    assert scene.told == [1, 2]


@pytest.mark.gen_test
async def test_a_task_that_was_removed_ends_the_reading() -> None:
    scene = Scene()
    scene.trail.begin(0)
    scene.hear(2)
    assert (await scene.settled(), scene.reads) == ([], 1)


@property_of(examples=60)
@given(order=st.permutations(range(1, 8)), begin=st.integers(0, 7), at=st.integers(0, 7))
def test_every_order_of_the_news_tells_the_same(order: list[int], begin: int, at: int) -> None:
    async def life() -> list[int]:
        scene = Scene(stored=7)
        for position, number in enumerate(order):
            if position == at:
                scene.trail.begin(begin)
            scene.hear(number)
            await asyncio.sleep(0)
        scene.trail.begin(begin)
        return await scene.settled()

    assert asyncio.run(life()) == list(range(begin + 1, 8))
