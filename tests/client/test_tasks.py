"""Tasks by the reference client: started, followed over as many connections as it takes, stopped, decided about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from ringback_client import Backoff, Client, Closed, TaskEvent, TaskFeed
from server.close_codes import CloseCode
from server.realtime.session import Session
from server.store.users import User
from server.tasks.model import Task, event_view
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
