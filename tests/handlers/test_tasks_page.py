"""The pages of long tasks, as they come from the server: a script draws what stands in ``boot``."""

from __future__ import annotations

import re
from typing import Any

import pytest

from handlers import tasks_page
from server.ids import new_id
from server.tasks.model import EventDraft, Task
from tests.handlers.browser import Browser
from tests.handlers.test_pages import boot_of
from tests.running import Person, Running

DRAFT = EventDraft(type="review_requested", data={"document": "# A draft"})


async def task_of(person: Person, title: str = "A task", *drafts: EventDraft) -> Task:
    """A task that another program drives, after these events."""
    tasks = person.running.services.tasks
    task = await tasks.create(person.id, "external", {}, title=title, user=person.user.ref)
    for draft in drafts:
        await tasks.append(task.task_id, draft)
    return task


async def boot(person: Person, path: str) -> dict[str, Any]:
    """What the script of that page gets."""
    answer = await (await Browser.of(person)).get(path)
    assert answer.status == 200
    return boot_of(answer)


def titles(tasks: Any) -> list[str]:
    """What they are called."""
    return [task["title"] for task in tasks]


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/tasks", "/tasks/018f0000-0000-7000-8000-000000000000"], ids=["list", "one"])
async def test_strangers_are_asked_to_sign_in(running: Running, path: str) -> None:
    answer = await running.fetch("GET", path)
    assert (answer.status, answer.headers["Location"]) == (302, "/login?next=" + path.replace("/", "%2F"))


@pytest.mark.gen_test
async def test_the_list_has_the_own_tasks_newest_first(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    await task_of(alice, "One")
    await task_of(bob, "Of somebody else")
    await task_of(alice, "Two")
    shown = await boot(alice, "/tasks")
    assert (titles(shown["tasks"]), shown["next"]) == (["Two", "One"], None)


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/", "/tasks"], ids=["home", "list"])
async def test_a_draft_stands_on_the_page_of_its_task_only(running: Running, path: str) -> None:
    alice = await running.person("alice")
    task = await task_of(alice, "Waits", DRAFT)
    (listed,) = (await boot(alice, path))["tasks"]
    assert listed["review"] == {"round": 1}
    assert "document" in (await boot(alice, f"/tasks/{task.task_id}"))["task"]["review"]


@pytest.mark.gen_test
async def test_the_list_has_what_goes_on_however_old_it_is(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_page, "SHOWN", 1)
    alice = await running.person("alice")
    await task_of(alice, "Goes on")
    await task_of(alice, "Over", EventDraft(type="cancelled"))
    newest = await task_of(alice, "Newest", EventDraft(type="cancelled"))
    shown = await boot(alice, "/tasks")
    assert titles(shown["tasks"]) == ["Newest", "Goes on"]
    assert shown["next"] == newest.task_id


@pytest.mark.gen_test
async def test_a_task_comes_with_its_whole_story(running: Running) -> None:
    alice = await running.person("alice")
    task = await task_of(alice, "A <b>bold</b> one", EventDraft(type="started"), DRAFT)
    path = f"/tasks/{task.task_id}"
    shown: Any = (await boot(alice, path))["task"]
    assert [(event["number"], event["type"]) for event in shown["events"]] == [
        (1, "queued"),
        (2, "started"),
        (3, "review_requested"),
    ]
    assert (shown["number"], shown["review"]) == (3, {"document": "# A draft", "round": 1})
    page = (await (await Browser.of(alice)).get(path)).body.decode()
    assert "<h1" in page and "A &lt;b&gt;bold&lt;/b&gt; one" in page and "<b>bold" not in page


@pytest.mark.gen_test
async def test_a_task_of_somebody_else_is_answered_like_one_that_there_is_not(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    task = await task_of(alice)
    browser = await Browser.of(bob)
    foreign, missing = [await browser.get(f"/tasks/{task_id}") for task_id in (task.task_id, new_id())]
    assert (foreign.status, missing.status) == (404, 404)
    assert words(foreign.body) == words(missing.body)


def words(page: bytes) -> str:
    """The page without what is its own: ids, tokens."""
    return re.sub(r"[0-9a-f|-]{20,}", "", page.decode())


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/", "/tasks"])
async def test_the_navigation_says_how_many_wait_for_one(running: Running, path: str) -> None:
    alice = await running.person("alice")
    await task_of(alice, "Waits", DRAFT)
    await task_of(alice, "Goes on", EventDraft(type="started"))
    page = (await (await Browser.of(alice)).get(path)).body.decode()
    assert re.search(r'data-unread="tasks"><span data-count>1</span>', page)


@pytest.mark.gen_test
async def test_the_home_page_has_what_goes_on_and_what_waits(running: Running) -> None:
    alice = await running.person("alice")
    await task_of(alice, "Waits", DRAFT)
    await task_of(alice, "Over", EventDraft(type="cancelled"))
    await task_of(alice, "Goes on", EventDraft(type="started"))
    assert titles((await boot(alice, "/"))["tasks"]) == ["Goes on", "Waits"]
