"""Work that nobody waits for is neither lost nor silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from server.errors import CallEnded
from server.realtime.background import Background
from tests.helpers import until


async def wait(gate: asyncio.Event) -> None:
    await gate.wait()


async def fail(error: Exception) -> None:
    raise error


@pytest.mark.gen_test
async def test_work_is_done() -> None:
    background, done = Background(), asyncio.Event()
    background.start(asyncio.to_thread(lambda: None), "nothing")
    background.start(_set(done), "set")
    await until(done.is_set)


async def _set(event: asyncio.Event) -> None:
    event.set()


@pytest.mark.gen_test
async def test_work_under_way_is_held() -> None:
    background, gate = Background(), asyncio.Event()
    background.start(wait(gate), "wait")
    assert len(background) == 1
    gate.set()
    await until(lambda: not len(background))


@pytest.mark.gen_test
async def test_a_refusal_is_an_ordinary_end() -> None:
    background = Background()
    background.start(fail(CallEnded()), "leave")
    await until(lambda: not len(background))


@pytest.mark.gen_test
async def test_a_fault_is_logged(expect_error: Callable[[str], None]) -> None:
    expect_error("background_failed")
    background = Background()
    background.start(fail(ZeroDivisionError()), "divide")
    await until(lambda: not len(background))


@pytest.mark.gen_test
async def test_what_is_under_way_is_finished() -> None:
    background, gate, done = Background(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await gate.wait()
        done.set()

    background.start(work(), "work")
    finishing = asyncio.ensure_future(background.finish(timeout_s=20))
    await asyncio.sleep(0)
    gate.set()
    await finishing
    assert done.is_set()


@pytest.mark.gen_test
async def test_what_takes_too_long_is_cancelled() -> None:
    background = Background()
    background.start(wait(asyncio.Event()), "wait for ever")
    await background.finish(timeout_s=0.001)
    await until(lambda: not len(background))


@pytest.mark.gen_test
async def test_where_nothing_is_under_way_nothing_is_waited_for() -> None:
    await Background().finish(timeout_s=20)
