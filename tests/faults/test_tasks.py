"""A server that is killed in the middle of a task: the next one goes on with it."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import httpx2
import pytest

from server.tasks.model import EventType, TaskEvent
from tests.cli import shell as shells
from tests.cli.shell import Process, Shell
from tests.faults.processes import port_of, same_key, stop
from tests.running import Person, Running
from tests.tasks.working import LONG_PATIENCE_S, until_gone, until_written

SOON = {"tasks.lease_s": 3, "tasks.poll_interval_s": 0.1}
"""A lease that one slow answer of the database does not use up."""


def start(server: Process, person: Person, folder: Path) -> str:
    """A task with gates in that folder; returns its id."""
    body = {"kind": "gated", "params": {"folder": str(folder)}}
    answer = httpx2.post(f"{server.url}/api/v1/tasks", json=body, headers=person.bearer)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def events_until(running: Running, task_id: str, type: EventType, count: int = 1) -> list[TaskEvent]:
    """What has happened in a task, as soon as that has happened so often."""
    async with asyncio.timeout(LONG_PATIENCE_S):
        while True:
            events = await running.services.tasks.events(task_id)
            if [event.type for event in events].count(type) >= count:
                return events
            await asyncio.sleep(0.02)


@pytest.mark.gen_test(timeout=60)
async def test_a_task_goes_on_after_a_kill_and_ends_once_without_a_gap_or_a_double(
    running: Running, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shells, "COMMAND", [sys.executable, "-m", "tests.tasks.serving"])
    settings = SOON | dict(same_key(running))
    alice = await running.person("alice")
    with shell.serving(settings=settings) as server:
        task_id = await asyncio.to_thread(start, server, alice, tmp_path)
        for gate in ("1", "2"):
            (tmp_path / gate).touch()
        worker = await until_written(tmp_path / "pid")  # it stands before the third
        await events_until(running, task_id, "progress", 2)
        await stop(server, signal.SIGKILL)
        await until_gone(worker)
        port = port_of(server)
    with shell.serving("--port", str(port), settings=settings):
        for gate in ("3", "4"):
            (tmp_path / gate).touch()
        events = await events_until(running, task_id, "completed")
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    types = ["queued", "started", "progress", "progress", "retrying", "progress", "progress", "completed"]
    assert [event.type for event in events] == types
    assert [event.values["number"] for event in events if event.type == "progress"] == [1, 2, 3, 4]
    assert (tmp_path / "done").read_text().split() == ["1", "2", "3", "4"]
    assert events[-1].data == {"steps": 4}
