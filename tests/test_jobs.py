"""The periodic jobs: they run, never twice at a time, and one that fails runs again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from server.errors import Unavailable
from server.jobs import Job, Jobs
from tests.helpers import until

PERIOD_S = 0.005


class Counted:
    """The body of a job that counts its runs, and does something in each."""

    def __init__(self, does: Callable[[], Awaitable[None]] | None = None) -> None:
        self.runs = 0
        self._does = does

    async def __call__(self) -> None:
        self.runs += 1
        if self._does is not None:
            await self._does()


async def fail() -> None:
    raise ZeroDivisionError


async def find_no_database() -> None:
    raise Unavailable()


async def run_until(body: Counted, runs: int) -> None:
    """Lets the job run so often."""
    jobs = Jobs([Job("test", PERIOD_S, body)])
    jobs.start()
    await until(lambda: body.runs >= runs)
    jobs.stop()


@pytest.mark.gen_test
async def test_a_job_runs_again_and_again() -> None:
    await run_until(Counted(), 3)


@pytest.mark.gen_test
async def test_a_job_that_fails_runs_again_and_says_so(expect_error: Callable[[str], None]) -> None:
    expect_error("job_failed")
    await run_until(Counted(fail), 2)


@pytest.mark.gen_test
async def test_a_job_without_a_database_runs_again_and_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    await run_until(Counted(find_no_database), 2)
    assert {record.levelno for record in caplog.records if "job" in record.getMessage()} == {logging.WARNING}


@pytest.mark.gen_test
async def test_a_job_never_runs_twice_at_a_time() -> None:
    gate = asyncio.Event()
    slow, quick = Counted(lambda: _wait(gate)), Counted()
    jobs = Jobs([Job("slow", PERIOD_S, slow), Job("quick", PERIOD_S, quick)])
    jobs.start()
    await until(lambda: quick.runs >= 5)
    jobs.stop()
    gate.set()
    assert slow.runs == 1


@pytest.mark.gen_test
async def test_a_job_that_is_stopped_runs_no_more() -> None:
    stopped, other = Counted(), Counted()
    jobs, others = Jobs([Job("stopped", PERIOD_S, stopped)]), Jobs([Job("other", PERIOD_S, other)])
    jobs.start()
    others.start()
    await until(lambda: stopped.runs >= 1)
    jobs.stop()
    runs, other.runs = stopped.runs, 0
    await until(lambda: other.runs >= 3)
    others.stop()
    assert stopped.runs == runs


@pytest.mark.gen_test
async def test_jobs_that_were_not_started_do_not_run() -> None:
    idle = Counted()
    Jobs([Job("idle", PERIOD_S, idle)])
    await run_until(Counted(), 3)
    assert idle.runs == 0


@pytest.mark.gen_test
async def test_the_body_of_a_job_can_be_run_by_hand() -> None:
    body = Counted()
    await Jobs([Job("test", 3600.0, body)]).jobs["test"].body()
    assert body.runs == 1


async def _wait(gate: asyncio.Event) -> None:
    await gate.wait()
