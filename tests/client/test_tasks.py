"""Tasks by the reference client: started, followed over as many connections as it takes, stopped, decided about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ringback_client import ApiError, Backoff, Client, Closed, TaskEvent, TaskFeed
from ringback_client.tasks import Review
from server.close_codes import CloseCode
from server.paths import docs_dir
from server.realtime.session import Session
from server.store.users import User
from server.tasks.model import EventDraft, Task, event_view
from tests.following.lives import LIFE
from tests.peer import PATIENCE_S
from tests.running import PASSWORD, Running

pytestmark = pytest.mark.gen_test


@asynccontextmanager
async def signed_in(running: Running, username: str = "alice") -> AsyncIterator[tuple[Client, User]]:
    """Somebody new, by the reference client."""
    user = await running.services.accounts.add(username, PASSWORD)
    async with Client(running.origin, backoff=lambda: Backoff(lambda: 0.01)) as client:
        await client.sign_in(username, PASSWORD)
        yield client, user


async def begun(running: Running, user: User) -> Task:
    return await running.services.tasks.create(user.user_id, "external", {}, title="A plan", user=user.ref)


async def numbers(running: Running, task: Task) -> list[int]:
    return [event.number for event in await running.services.tasks.events(task.task_id)]


async def rest(feed: TaskFeed) -> list[TaskEvent]:
    """What the feed has to tell, up to its end."""
    async with asyncio.timeout(PATIENCE_S):
        return [event async for event in feed]


def cut(running: Running, session: Session) -> None:
    """The network breaks; the session waits."""
    assert session.connection is not None
    session.connection.transport.abort()


def lose(running: Running, session: Session) -> None:
    """The server knows the session no longer, as after a restart."""
    running.services.hub.drop(session, CloseCode.STATE_LOST)


@pytest.mark.parametrize("history", [True, False], ids=["history", "no history"])
@pytest.mark.parametrize("end", [cut, lose])
async def test_a_feed_that_connects_anew_at_every_event_tells_each_once(
    running: Running, end: Callable[[Running, Session], None], history: bool
) -> None:
    async with signed_in(running) as (client, user):
        task = await begun(running, user)
        async with client.tasks.follow(task.task_id, history=history) as feed:
            told = [await anext(aiter(feed))] if history else []
            for draft in LIFE[:-1]:
                (session,) = running.services.hub.sessions_of(user.user_id)
                end(running, session)
                await running.services.tasks.append(task.task_id, draft)
                told.append(await asyncio.wait_for(anext(aiter(feed)), PATIENCE_S))
            await running.services.tasks.append(task.task_id, LIFE[-1])
            told += await rest(feed)
        stored = [event_view(event) for event in await running.services.tasks.events(task.task_id)]
        assert [(event.number, event.type, event.message) for event in told] == [
            (event["number"], event["type"], event["message"]) for event in stored[0 if history else 1 :]
        ]
        assert feed.last == told[-1]


async def test_a_feed_of_a_task_that_is_over_ends(running: Running) -> None:
    async with signed_in(running) as (client, user):
        task = await begun(running, user)
        for draft in LIFE:
            await running.services.tasks.append(task.task_id, draft)
        async with client.tasks.follow(task.task_id) as feed, client.tasks.follow(task.task_id, history=False) as late:
            assert [event.number for event in await rest(feed)] == await numbers(running, task)
            assert (await rest(late), late.task and late.task.state) == ([], "completed")


async def test_a_feed_of_somebody_elses_task_is_refused(running: Running) -> None:
    async with signed_in(running) as (client, _):
        task = await begun(running, await running.services.accounts.add("bob", PASSWORD))
        with pytest.raises(Closed) as refused:
            await client.tasks.follow(task.task_id).open()
        assert refused.value.code == CloseCode.NOT_FOUND


async def test_a_list_tells_what_happens_to_all_tasks(running: Running) -> None:
    async with signed_in(running) as (client, user):
        first = await begun(running, user)
        async with client.tasks.follow_all() as tasks:
            assert list(tasks.tasks) == [first.task_id]
            second = await begun(running, user)
            (session,) = running.services.hub.sessions_of(user.user_id)
            cut(running, session)
            for task in (first, second):
                await running.services.tasks.append(task.task_id, LIFE[0])
            events = aiter(tasks)
            told = [await asyncio.wait_for(anext(events), PATIENCE_S) for _ in range(3)]
        assert [(event.task_id, event.number) for event in told] == [
            (second.task_id, 1),
            (first.task_id, 2),
            (second.task_id, 2),
        ]


async def test_a_task_is_started_driven_decided_about_and_found_again(running: Running) -> None:
    async with signed_in(running) as (client, user), Client(running.origin) as worker:
        service = await running.services.accounts.add("worker", PASSWORD, service=True)
        device = await running.device(service)
        assert (await worker.sign_in_by_token(device.refresh_token())).username == "worker"
        task = await worker.tasks.create("external", title="A plan", user="alice", stages=["read", "write"])
        assert (task.user_id, task.stages, task.state) == (user.user_id, ("read", "write"), "queued")
        asked = await worker.tasks.report(task.task_id, "1", "review_requested", data={"document": "# Plan"})
        assert await worker.tasks.report(task.task_id, "1", "review_requested", data={"document": "# Plan"}) == asked
        assert (await client.tasks.get(task.task_id)).review == Review("# Plan", 1)
        assert (await client.tasks.review(task.task_id, "approve", "good", round=1)).state == "running"
        await worker.tasks.report(task.task_id, "2", "completed", data={"url": "https://example.com/", "title": "Plan"})
        found = await client.tasks.get(task.task_id)
        assert [event.type for event in found.events] == ["queued", "review_requested", "reviewed", "completed"]
        assert (found.is_over, found.result) == (True, {"url": "https://example.com/", "title": "Plan"})
        assert [each.task_id for each in (await client.tasks.list(state="completed")).items] == [task.task_id]


async def test_a_task_that_is_started_again_under_its_name_is_the_same(running: Running) -> None:
    async with signed_in(running) as (client, _):
        task = await client.tasks.create("external", client_key="tonight")
        assert await client.tasks.create("external", client_key="tonight") == task


async def test_a_token_that_was_used_signs_nobody_in(running: Running) -> None:
    service = await running.services.accounts.add("worker", PASSWORD, service=True)
    token = (await running.device(service)).refresh_token()
    async with Client(running.origin) as first, Client(running.origin) as second:
        await first.sign_in_by_token(token)
        with pytest.raises(ApiError) as refused:
            await second.sign_in_by_token(token)
        assert (refused.value.code, second.api.user) == ("token_reused", None)


async def test_the_example_of_the_documentation_shows_a_task(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    program = (docs_dir() / "tasks.md").read_text(encoding="utf-8").partition("```py\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(compile(program, "tasks.md", "exec"), names)
    user = await running.services.accounts.add("alice", PASSWORD)
    task = await begun(running, user)
    await running.services.tasks.append(task.task_id, LIFE[1])
    await running.services.tasks.append(task.task_id, EventDraft(type="completed"))
    await names["follow"](running.origin, "alice", PASSWORD, task.task_id)
    assert capsys.readouterr().out == "0% Waiting for its turn\n20% Chapter 1 was read\n100% Done\n"


async def test_a_task_is_stopped(running: Running) -> None:
    async with signed_in(running) as (client, _):
        task = await client.tasks.create("external")
        assert (await client.tasks.cancel(task.task_id)).state == "cancelled"
        assert (await client.tasks.list(state="open")).items == ()


async def test_a_task_of_no_kind_is_refused(running: Running) -> None:
    async with signed_in(running) as (client, _):
        with pytest.raises(ApiError) as refused:
            await client.tasks.create("nothing")
        assert (refused.value.code, list(refused.value.errors)) == ("bad_request", ["kind"])
