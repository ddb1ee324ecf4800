"""``ringback tasks``: what is under way, and one task as it goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from server.cli.tasks import follow
from server.clock import SystemClock
from server.ids import new_id
from server.realtime.background import Background
from server.realtime.bus import LocalBus
from server.settings import MongoSettings, TaskSettings
from server.store.driver import connect
from server.store.tasks import TaskStore
from server.store.users import User, UserStore
from server.tasks.external import External
from server.tasks.kinds import Kinds
from server.tasks.model import EventDraft, Task
from server.tasks.tasks import Tasks
from tests.cli.shell import Shell, refusal, wrong_usage
from tests.clock import START
from tests.following.lives import LIFE, live
from tests.following.lives import begun as begin
from tests.running import Running, _one_database, http_client, running, start

__all__ = ["_one_database", "http_client", "running", "start"]  # the fixtures

Do = Callable[[Callable[[Tasks, UserStore], Awaitable[Any]]], Any]


@pytest.fixture
def do(mongo_uri: str, database: str) -> Do:
    """Does something with the stored tasks, in a loop of its own."""

    def run(work: Callable[[Tasks, UserStore], Awaitable[Any]]) -> Any:
        async def connected() -> Any:
            connection = connect(MongoSettings(database=database), mongo_uri)
            kinds, background = Kinds(), Background()
            kinds.register(External())
            store = TaskStore(connection)
            tasks = Tasks(store, kinds, LocalBus(), background, SystemClock(), TaskSettings(), "/api/v1")
            try:
                return await work(tasks, UserStore(connection))
            finally:
                await background.finish(1.0)
                connection.close()

        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return runner.run(connected())

    return run


def begun(do: Do, *drafts: EventDraft, of: str = "alice", title: str = "A plan") -> str:
    """The id of a new task of somebody who is there, to which these things have happened."""

    async def work(tasks: Tasks, users: UserStore) -> Task:
        user = await users.by_name(of)
        assert user is not None
        task = await tasks.create(user.user_id, "external", {}, title=title, user=user.ref)
        for draft in drafts:
            await tasks.append(task.task_id, draft)
        return task

    task = do(work)
    assert isinstance(task, Task)
    return task.task_id


def append(do: Do, task_id: str, *drafts: EventDraft) -> None:
    """Lets these things happen."""

    async def work(tasks: Tasks, users: UserStore) -> None:
        for draft in drafts:
            await tasks.append(task_id, draft)

    do(work)


def add(do: Do, username: str) -> None:
    """An account of which only the name matters."""
    user = User(new_id(), username, username, "no password", START)
    do(lambda _, users: users.insert(user))


@pytest.fixture
def alice(shell: Shell, do: Do) -> Shell:
    """A shell on a database in which there is Alice."""
    add(do, "alice")
    return shell


def test_lists_the_newest_first(alice: Shell, do: Do) -> None:
    first, second = begun(do, *LIFE[:2]), begun(do, *LIFE, title="Another [bold]plan[/bold]")
    lines = alice("tasks", "list").stdout.splitlines()[2:]
    assert [each.split()[0] for each in lines] == [second, first]
    assert all(word in lines[0] for word in ("alice", "external", "Another [bold]plan[/bold]", "completed", "100%"))
    assert all(word in lines[1] for word in ("running", "20%"))


def test_lists_those_of_one_person_in_one_state(alice: Shell, do: Do) -> None:
    add(do, "bob")
    wanted, *_ = begun(do), begun(do, LIFE[0]), begun(do, of="bob")
    found = alice.json("tasks", "list", "--user", "alice", "--state", "queued")
    assert [(task["id"], task["user"], task["state"]) for task in found] == [(wanted, "alice", "queued")]


def test_says_that_there_is_none(alice: Shell) -> None:
    assert alice("tasks", "list").stdout == "There is no such task\n"
    assert alice.json("tasks", "list") == []


def test_of_nobody_is_refused(alice: Shell) -> None:
    assert refusal(alice("tasks", "list", "--user", "carol"), 1) == "There is nobody called 'carol'"


def test_in_no_state_is_refused(alice: Shell) -> None:
    assert "'resting' is not one of" in wrong_usage(alice("tasks", "list", "--state", "resting"))


def test_watching_shows_every_event_and_ends_with_the_task(alice: Shell, do: Do) -> None:
    finished = alice("tasks", "watch", begun(do, *LIFE))
    assert finished.code == 0, finished.stderr
    assert [line.split(maxsplit=2)[1:] for line in finished.stdout.splitlines()] == [
        ["0%", "Waiting for its turn"],
        ["0%", "The work has begun"],
        ["20%", "read: Chapter 1 was read"],
        ["40%", "read: 第二章 «two»"],
        ["40%", "review: Somebody has to look at this and decide"],
        ["40%", "review: Another round was asked for"],
        ["90%", "write: It is being written"],
        ["90%", "write: It is being stopped"],
        ["100%", "write: Done"],
    ]


def test_watching_as_json_has_one_event_a_line(alice: Shell, do: Do) -> None:
    finished = alice("tasks", "watch", begun(do, *LIFE), "--json")
    events = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [event["number"] for event in events] == list(range(1, len(LIFE) + 2))
    assert events[-1]["data"] == LIFE[-1].data


@pytest.mark.gen_test
async def test_watching_one_that_goes_on_tells_what_happens(running: Running) -> None:
    person = await running.person("alice")
    task = await begin(person)
    events = follow(running.server, task.task_id)
    assert (await anext(events)).type == "queued"
    await live(running, task, *LIFE)
    assert [event.number async for event in events] == list(range(2, len(LIFE) + 2))


@pytest.mark.gen_test
async def test_watching_one_that_is_removed_ends(running: Running) -> None:
    person = await running.person("alice")
    events = follow(running.server, (await begin(person)).task_id)
    await anext(events)
    await running.services.accounts.remove(person.user)
    assert [event.type async for event in events] in ([], ["cancelled"])


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (EventDraft(type="failed", code="no_text", message="The book has no text"), "failed: The book has no text"),
        (EventDraft(type="cancelled"), "cancelled: Stopped"),
    ],
    ids=["failed", "cancelled"],
)
def test_watching_one_that_does_not_succeed_fails(alice: Shell, do: Do, end: EventDraft, said: str) -> None:
    finished = alice("tasks", "watch", begun(do, end))
    assert (finished.code, finished.stderr) == (1, f"Error: the task is {said}\n")


def test_watching_shows_nothing_that_would_steer_a_terminal(alice: Shell, do: Do) -> None:
    bad = EventDraft(type="completed", message="\x1b[2J[bold]\u202edone[/bold]")
    assert alice("tasks", "watch", begun(do, bad)).stdout.endswith("100% \ufffd[2J[bold]\ufffddone[/bold]\n")


@pytest.mark.parametrize("task_id", ["nonsense", "01890a5d-ac96-774b-bcce-b302099a8057"])
def test_watching_one_that_is_not_there_is_refused(alice: Shell, task_id: str) -> None:
    assert refusal(alice("tasks", "watch", task_id), 1) == "There is no such task"
