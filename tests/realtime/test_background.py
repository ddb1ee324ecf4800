"""Work that nobody waits for is neither lost nor silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from server.errors import CallEnded, Unavailable
from server.realtime import background as module
from server.realtime.background import Background, Work
from tests.helpers import until


class Desk:
    """Background work on a database that can be away."""

    def __init__(self) -> None:
        self.background = Background()
        self.is_away = False
        self.done: list[str] = []

    def start(self, what: str) -> None:
        """Starts work that writes `what` down, if the database is there."""

        async def write() -> None:
            if self.is_away:
                raise Unavailable()
            self.done.append(what)

        self.background.start(write, what)

    async def idle(self) -> None:
        """Waits until nothing is under way."""
        await until(lambda: not len(self.background))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def waiting_for(gate: asyncio.Event) -> Work:
    async def wait() -> None:
        await gate.wait()

    return wait


def failing_with(error: Exception) -> Work:
    async def fail() -> None:
        raise error

    return fail


@pytest.mark.gen_test
async def test_work_is_done(desk: Desk) -> None:
    desk.start("work")
    await desk.idle()
    assert desk.done == ["work"]


@pytest.mark.gen_test
async def test_work_under_way_is_held(desk: Desk) -> None:
    gate = asyncio.Event()
    desk.background.start(waiting_for(gate), "wait")
    assert len(desk.background) == 1
    gate.set()
    await desk.idle()


@pytest.mark.gen_test
async def test_a_refusal_is_an_ordinary_end(desk: Desk) -> None:
    desk.background.start(failing_with(CallEnded()), "leave")
    await desk.idle()
    assert await desk.background.catch_up() == 0


@pytest.mark.gen_test
async def test_a_fault_is_logged(desk: Desk, expect_error: Callable[[str], None]) -> None:
    expect_error("background_failed")
    desk.background.start(failing_with(ZeroDivisionError()), "divide")
    await desk.idle()


@pytest.mark.gen_test
async def test_a_fault_is_not_tried_again(desk: Desk, expect_error: Callable[[str], None]) -> None:
    expect_error("background_failed")
    desk.background.start(failing_with(ZeroDivisionError()), "divide")
    await desk.idle()
    assert await desk.background.catch_up() == 0


# ── a database that is away ──


@pytest.mark.gen_test
async def test_work_without_a_database_is_done_when_it_is_back_in_order(desk: Desk) -> None:
    desk.is_away = True
    for what in ("first", "second"):
        desk.start(what)
    await desk.idle()
    desk.is_away = False
    assert (await desk.background.catch_up(), desk.done) == (2, ["first", "second"])


@pytest.mark.gen_test
async def test_what_was_caught_up_with_is_done_once(desk: Desk) -> None:
    desk.is_away = True
    desk.start("work")
    await desk.idle()
    desk.is_away = False
    await desk.background.catch_up()
    assert (await desk.background.catch_up(), desk.done) == (0, ["work"])


@pytest.mark.gen_test
async def test_while_the_database_is_still_away_work_stays_owed(desk: Desk) -> None:
    desk.is_away = True
    for what in ("first", "second"):
        desk.start(what)
    await desk.idle()
    with pytest.raises(Unavailable):
        await desk.background.catch_up()
    desk.is_away = False
    assert (await desk.background.catch_up(), desk.done) == (2, ["first", "second"])


@pytest.mark.gen_test
async def test_what_is_owed_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OWED", 2)
    desk.is_away = True
    for what in ("first", "second", "third"):
        desk.start(what)
    await desk.idle()
    desk.is_away = False
    assert (await desk.background.catch_up(), desk.done) == (2, ["second", "third"])


# ── finishing ──


@pytest.mark.gen_test
async def test_what_is_under_way_is_finished(desk: Desk) -> None:
    gate = asyncio.Event()
    desk.background.start(waiting_for(gate), "wait")
    finishing = asyncio.ensure_future(desk.background.finish(timeout_s=20))
    await asyncio.sleep(0)
    assert not finishing.done()
    gate.set()
    await finishing
    assert len(desk.background) == 0


@pytest.mark.gen_test
async def test_what_takes_too_long_is_cancelled(desk: Desk) -> None:
    desk.background.start(waiting_for(asyncio.Event()), "wait for ever")
    await desk.background.finish(timeout_s=0.001)
    await desk.idle()


@pytest.mark.gen_test
async def test_where_nothing_is_under_way_nothing_is_waited_for(desk: Desk) -> None:
    await desk.background.finish(timeout_s=20)


@pytest.mark.gen_test
async def test_what_is_lost_in_the_end_is_said(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.is_away = True
    desk.start("work")
    await desk.idle()
    await desk.background.finish(timeout_s=1)
    assert "background_lost" in caplog.text
