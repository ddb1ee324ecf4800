"""Tasks over HTTP: started, listed, stopped, decided about, and driven by another program."""

from __future__ import annotations

from typing import Any

import pytest

from server.ids import new_id
from server.tasks.model import EventDraft
from server.tasks.work import Work
from tests.running import Answer, Person, Running, Start
from tests.tasks.working import Heard, Scripted, begun, forever

pytestmark = pytest.mark.gen_test

HOUR_S = 3_600


async def program(running: Running, name: str = "reports") -> Person:
    """A service account, with a token."""
    return await running.person(name, service=True)


async def started(driver: Person, **fields: Any) -> dict[str, Any]:
    """A task of alice that the program drives."""
    answer = await driver.api("POST", "/tasks", {"kind": "external", "user": "alice"} | fields)
    assert answer.status == 202, answer
    task: dict[str, Any] = answer.document
    return task


async def say(driver: Person, task: dict[str, Any], event_id: str, type: str, **fields: Any) -> Answer:
    """An event of a task, by the program."""
    event = {"event_id": event_id, "type": type} | fields
    return await driver.api("POST", f"/tasks/{task['task_id']}/events", event)


async def look(person: Person, task: dict[str, Any]) -> dict[str, Any]:
    """The task with its events, as that person sees it."""
    document: dict[str, Any] = (await person.api("GET", f"/tasks/{task['task_id']}")).document
    return document


# ── starting and looking ──


async def test_a_task_is_started_and_looked_at(running: Running) -> None:
    alice = await running.person("alice")

    async def run(work: Work) -> dict[str, Any]:
        return {"doubled": work.params["number"] * 2}

    running.server.task_area.kinds.register(Scripted(run))
    heard = Heard(alice)
    answer = await alice.api("POST", "/tasks", {"kind": "scripted", "title": " Mine ", "params": {"number": 21}})
    assert answer.status == 202
    task = answer.document
    assert (task["title"], task["stages"], task["user_id"]) == ("Mine", ["first", "second"], alice.id)
    assert task["ws_url"] == f"/api/v1/ws/task/{task['task_id']}"
    await heard.until("completed")
    seen = await look(alice, task)
    assert (seen["state"], seen["result"], seen["params"]) == ("completed", {"doubled": 42}, {"number": 21})
    assert [event["type"] for event in seen["events"]] == ["queued", "started", "completed"]
    assert [event["number"] for event in seen["events"]] == [1, 2, 3]


async def test_a_list_has_no_document_and_the_task_has_it(running: Running) -> None:
    alice = await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    await say(driver, task, "1", "review_requested", data={"document": "# Plan"})
    (listed,) = (await alice.api("GET", "/tasks")).document["items"]
    assert listed["review"] == {"round": 1}
    assert (await look(alice, task))["review"] == {"document": "# Plan", "round": 1}


async def test_what_others_have_is_as_if_it_were_not_there(running: Running) -> None:
    _, bob = await running.people("alice", "bob")
    task = await started(await program(running))
    for method, path in [("GET", ""), ("POST", "/cancel"), ("POST", "/review"), ("POST", "/events")]:
        body = {"/review": {"decision": "approve"}, "/events": {"event_id": "1", "type": "started"}}.get(path)
        foreign = await bob.api(method, f"/tasks/{task['task_id']}{path}", body)
        missing = await bob.api(method, f"/tasks/{new_id()}{path}", body)
        assert (foreign.status, foreign.code) == (missing.status, missing.code) == (404, "not_found")
        assert foreign.document["detail"] == missing.document["detail"]


async def test_what_cannot_be_started_is_named(running: Running) -> None:
    alice = await running.person("alice")
    for body, field in (
        ({"kind": "no_such"}, "kind"),
        ({"kind": "external", "title": " "}, "title"),
        ({"kind": "external", "title": "a\nb"}, "title"),
        ({"kind": "external", "worker": "alice"}, "worker"),
        ({"kind": "external", "stages": [""]}, "stages[0]"),
        ({"kind": "scripted", "stages": ["mine"]}, "stages"),
        ({"kind": "external", "params": 7}, "params"),
    ):
        answer = await alice.api("POST", "/tasks", body)
        assert (answer.status, list(answer.document["errors"])) == (400, [field]), body


async def test_a_task_that_is_sent_again_is_the_same(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    driver = await program(running)
    body = {"kind": "external", "client_key": "tonight"}
    first, again = [await alice.api("POST", "/tasks", body) for _ in range(2)]
    assert (again.status, again.document) == (202, first.document)
    others = [await bob.api("POST", "/tasks", body), await driver.api("POST", "/tasks", body | {"user": "alice"})]
    assert len({answer.document["task_id"] for answer in (first, *others)}) == 3
    assert (await started(driver, client_key="tonight"))["task_id"] == others[1].document["task_id"]


async def test_only_some_tasks_of_one_person_are_under_way(start: Start) -> None:
    running = await start({"tasks.max_open": 2})
    alice = await running.person("alice")
    for _ in range(2):
        assert (await alice.api("POST", "/tasks", {"kind": "external"})).status == 202
    answer = await alice.api("POST", "/tasks", {"kind": "external"})
    assert (answer.status, answer.code) == (429, "rate_limited")


async def test_tasks_are_listed_newest_first_by_pages_and_states(running: Running) -> None:
    alice = await running.person("alice")
    driver = await program(running)
    tasks = [await started(driver, title=f"{number}") for number in range(3)]
    await say(driver, tasks[1], "1", "completed")
    page = (await alice.api("GET", "/tasks?limit=2")).document
    assert [task["title"] for task in page["items"]] == ["2", "1"]
    rest = (await alice.api("GET", f"/tasks?limit=2&before={page['next']}")).document
    assert ([task["title"] for task in rest["items"]], rest["next"]) == (["0"], None)
    for state, titles in [("completed", ["1"]), ("open", ["2", "0"]), ("failed", [])]:
        items = (await alice.api("GET", f"/tasks?state={state}")).document["items"]
        assert [task["title"] for task in items] == titles
    assert [task["title"] for task in (await driver.api("GET", "/tasks")).document["items"]] == ["2", "0"]
    assert (await alice.api("GET", "/tasks?state=odd")).document["errors"].keys() == {"state"}
    assert (await alice.api("GET", "/tasks?before=odd")).document["errors"].keys() == {"before"}


async def test_a_title_that_nobody_has_written_is_in_the_language_of_whoever_reads(running: Running) -> None:
    alice = await running.person("alice")
    task = (await alice.api("POST", "/tasks", {"kind": "external"})).document
    assert task["title"] == "Task of another program"
    chinese = await alice.api("GET", f"/tasks/{task['task_id']}", **{"Accept-Language": "zh-CN"})
    assert chinese.document["title"] == "其他程序的任务"


# ── people ──


async def test_a_task_is_stopped(running: Running) -> None:
    alice = await running.person("alice")
    heard = Heard(alice)
    task = await begun(alice, lambda work: work.step("wait", forever))
    await heard.until("started")
    asked = await alice.api("POST", f"/tasks/{task.task_id}/cancel")
    assert (asked.status, asked.document["cancel_requested"]) == (200, True)
    await heard.until("cancelled")
    again = await alice.api("POST", f"/tasks/{task.task_id}/cancel")
    assert (again.status, again.document["state"]) == (200, "cancelled")


async def test_what_is_over_cannot_be_stopped(running: Running) -> None:
    alice = await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    await say(driver, task, "1", "failed", message="No luck")
    answer = await alice.api("POST", f"/tasks/{task['task_id']}/cancel")
    assert (answer.status, answer.code) == (409, "bad_state")


async def test_a_decision_reaches_the_program_that_asked_for_it(running: Running) -> None:
    alice = await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    asked = await say(driver, task, "1", "review_requested", data={"document": "# Is it good?"})
    assert asked.document["task"]["review"] == {"document": "# Is it good?", "round": 1}
    refused = await say(driver, task, "2", "progress", progress=0.5)
    assert (refused.status, refused.code) == (409, "bad_state")
    body = {"decision": "revise", "comment": "Shorter", "round": 1}
    decided = await alice.api("POST", f"/tasks/{task['task_id']}/review", body)
    assert (decided.document["state"], decided.document["review"]) == ("running", None)
    assert (await look(driver, task))["events"][-1]["data"] == {"decision": "revise", "comment": "Shorter", "round": 1}
    late = await alice.api("POST", f"/tasks/{task['task_id']}/review", body)
    assert (late.status, late.code) == (409, "bad_state")


async def test_a_decision_needs_a_document(running: Running) -> None:
    await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    for data in (None, {}, {"document": " "}, {"document": 7}):
        answer = await say(driver, task, "1", "review_requested", data=data)
        assert (answer.status, list(answer.document["errors"])) == (400, ["data.document"]), data


# ── programs ──


@pytest.mark.parametrize("type", ["started", "progress", "retrying", "review_requested"])
async def test_a_program_says_only_so_much_of_a_task(start: Start, type: str) -> None:
    running = await start({"tasks.max_events": 10})
    alice = await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    for number in range(9):
        await say(driver, task, f"{number}", "progress")
    refused = await say(driver, task, "more", type, data={"document": "?"})
    assert (refused.status, refused.code) == (409, "bad_state")
    assert (await say(driver, task, "the end", "completed")).status == 201
    assert len((await look(alice, task))["events"]) == 11


async def test_a_program_says_only_so_many_bytes_of_a_task(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.tasks.tasks.MAX_TOLD_BYTES", 1_000)
    await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    said = [await say(driver, task, f"{number}", "progress", values={"n": "x" * 400}) for number in range(4)]
    assert [answer.status for answer in said] == [201, 201, 201, 409]
    assert (await say(driver, task, "the end", "completed")).status == 201


async def test_a_program_speaks_only_so_fast(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.tasks.external.EVENTS_AT_ONCE", 2)
    monkeypatch.setattr("server.tasks.external.EVENTS_PER_S", 0.001)
    await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    said = [await say(driver, task, f"{number}", "progress") for number in range(3)]
    assert [answer.status for answer in said] == [201, 201, 429]
    assert said[2].code == "rate_limited"


async def test_a_document_of_a_program_has_room_in_a_request(running: Running) -> None:
    await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    answer = await say(driver, task, "1", "review_requested", data={"document": "x" * 60_001})
    assert (answer.status, answer.document["errors"]) == (400, {"data.document": "a text of 1 to 60000 characters"})
    assert (await say(driver, task, "1", "review_requested", data={"document": "x" * 60_000})).status == 201


async def test_the_same_event_again_is_answered_again_and_done_once(running: Running) -> None:
    alice = await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    first = await say(driver, task, "the end", "completed", data={"url": "https://example.org/7"})
    again = await say(driver, task, "the end", "completed", data={"url": "https://example.org/7"})
    assert (first.status, again.status) == (201, 200)
    assert first.document == again.document
    assert [event["type"] for event in (await look(alice, task))["events"]] == ["queued", "completed"]


async def test_what_a_program_says_is_kept_as_it_was(running: Running) -> None:
    alice = await running.person("alice")
    driver = await program(running)
    data = {"$set": {"a.b": None}, "big": 2**70, "text": "\u0000<b>", "list": [1.5, True]}
    task = await started(driver, params=data)
    await say(driver, task, "1", "progress", data=data, values={"$n": 1}, message="$x", code="odd")
    seen = await look(alice, task)
    assert (seen["events"][1]["data"], seen["params"], seen["values"]) == (data, data, {"$n": 1})


async def test_people_and_other_programs_drive_nothing(running: Running) -> None:
    alice = await running.person("alice")
    driver, other = await program(running), await program(running, "other")
    task = await started(driver)
    by_alice = await say(alice, task, "1", "completed")
    assert (by_alice.status, by_alice.code) == (403, "forbidden")
    by_other = await say(other, task, "1", "completed")
    assert (by_other.status, by_other.code) == (404, "not_found")


async def test_a_task_that_the_server_works_at_is_driven_by_nobody_else(running: Running) -> None:
    alice = await running.person("alice")
    driver = await program(running)
    task = await begun(alice, lambda work: work.step("wait", forever))
    answer = await say(driver, {"task_id": task.task_id}, "1", "completed")
    assert (answer.status, answer.code) == (404, "not_found")


async def test_a_person_starts_a_task_for_the_program_that_they_name(running: Running) -> None:
    alice = await running.person("alice")
    driver, other = await program(running), await program(running, "other")
    named = (await alice.api("POST", "/tasks", {"kind": "external", "worker": "reports"})).document
    anybodys = (await alice.api("POST", "/tasks", {"kind": "external"})).document
    assert (await say(driver, named, "1", "started")).status == 201
    assert (await say(other, named, "2", "started")).status == 404
    assert (await say(other, anybodys, "1", "started")).status == 201


async def test_only_programs_start_tasks_for_others(running: Running) -> None:
    alice, _ = await running.people("alice", "bob")
    answer = await alice.api("POST", "/tasks", {"kind": "external", "user": "bob"})
    assert (answer.status, answer.code) == (403, "forbidden")


async def test_a_program_says_whose_task_it_is(running: Running) -> None:
    driver, _ = await program(running), await program(running, "other")
    for fields in ({}, {"user": "nobody"}, {"user": "other"}):
        answer = await driver.api("POST", "/tasks", {"kind": "external"} | fields)
        assert (answer.status, list(answer.document["errors"])) == (400, ["user"]), fields


async def test_a_result_leads_to_the_web_or_to_this_server(running: Running) -> None:
    await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    for url in ("javascript:alert(1)", "//evil.example", "/\\evil.example", "ftp://x", "https://a b", 7):
        answer = await say(driver, task, "1", "completed", data={"url": url})
        assert (answer.status, list(answer.document["errors"])) == (400, ["data.url"]), url
    assert (await say(driver, task, "1", "completed", data={"url": "/history"})).status == 201


async def test_a_program_that_does_not_stop_is_not_waited_for(running: Running) -> None:
    alice = await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    await say(driver, task, "1", "started")
    asked = await alice.api("POST", f"/tasks/{task['task_id']}/cancel")
    assert (asked.document["state"], asked.document["cancel_requested"]) == ("running", True)
    assert (await say(driver, task, "2", "progress")).document["task"]["cancel_requested"] is True
    running.clock.move(61)
    await running.services.tasks.sweep()
    assert (await look(alice, task))["state"] == "cancelled"
    assert (await say(driver, task, "3", "cancelled")).status == 409


async def test_a_task_of_which_nothing_is_heard_is_stalled_until_it_is(running: Running) -> None:
    alice = await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    await say(driver, task, "1", "started")
    running.clock.move(121)
    for _ in range(2):
        await running.services.tasks.sweep()
    assert (await look(alice, task))["stalled"] is True
    await say(driver, task, "2", "progress", progress=0.1)
    seen = await look(alice, task)
    assert seen["stalled"] is False
    assert [event["type"] for event in seen["events"]] == ["queued", "started", "stalled", "progress"]


@pytest.mark.parametrize(
    ("asks", "days", "code"), [(False, 7, "deadline_passed"), (True, 30, "review_expired")], ids=["work", "decision"]
)
async def test_a_task_fails_that_takes_too_long(running: Running, asks: bool, days: int, code: str) -> None:
    await running.person("alice")
    driver = await program(running)
    task = await started(driver)
    await say(driver, task, "1", "review_requested" if asks else "started", data={"document": "?"})
    running.clock.move(days * 24 * HOUR_S + 1)
    await running.services.tasks.sweep()
    failed = await running.services.tasks.load(task["task_id"])
    assert failed.error is not None
    assert (failed.state, failed.error.code) == ("failed", code)


# ── what is left of it ──


async def test_a_task_goes_some_days_after_its_end(running: Running) -> None:
    alice = await running.person("alice")
    driver = await program(running)
    done, open_one = await started(driver), await started(driver)
    await say(driver, done, "1", "completed")
    running.clock.move(91 * 24 * HOUR_S)
    assert await running.services.tasks.clean() == 1
    assert [task.task_id for task in await running.services.tasks.current_of(alice.id)] == [open_one["task_id"]]
    assert await running.services.tasks.events(done["task_id"]) == []


async def test_with_an_account_its_tasks_go(running: Running) -> None:
    alice = await running.person("alice")
    heard = Heard(alice)
    task = await begun(alice, lambda work: work.step("wait", forever))
    await heard.until("started")
    await running.services.accounts.remove(alice.user)
    await running.until(lambda: len(running.server.task_area.runner) == 0, "nobody works at it")
    assert await running.services.tasks.events(task.task_id) == []
    assert await running.services.tasks.current_of(alice.id) == []


async def test_events_that_are_newer_than_the_document_of_a_task_count(running: Running) -> None:
    alice = await running.person("alice")
    task = await started(await program(running))
    tasks = running.services.tasks
    before = await tasks.load(task["task_id"])
    await tasks.append(task["task_id"], EventDraft(type="progress", progress=0.5))
    documents = running.services.database.collection("tasks")  # as a crash right after the event would leave it
    await documents.update({"_id": task["task_id"]}, {"$set": {"number": before.number, "progress": 0.0}})
    assert (await look(alice, task))["progress"] == 0.5
    assert (await alice.api("GET", "/tasks")).document["items"][0]["progress"] == 0.5
