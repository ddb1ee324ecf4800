"""Work at tasks: taken up, done in steps, reviewed, stopped, given back, taken up again."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from server.errors import BadState, NotFound, Unavailable
from server.store.tasks import Due
from server.tasks.endings import Retry, TaskFailed
from server.tasks.model import EventDraft
from server.tasks.rules import WAIT_S
from server.tasks.runner import MAX_POSTPONED
from server.tasks.work import PROGRESS_BURST, Work
from tests.running import Expect, Running, Start
from tests.tasks.working import (
    Heard,
    Scripted,
    begun,
    die,
    forever,
    pid,
    spin,
    take,
    types_of,
    until_gone,
    until_written,
)

pytestmark = pytest.mark.gen_test(timeout=60)

LEASE_S = 20


async def test_a_task_is_done_and_each_event_is_told_once_in_order(running: Running) -> None:
    alice = await running.person("alice")
    heard = Heard(alice)

    async def run(work: Work) -> dict[str, Any]:
        await work.progress(0.5, "first", "half", "%(count)s of 2 are done", count=1)
        return {"url": "/somewhere"}

    task = await begun(alice, run)
    await heard.until("completed")
    assert heard.types == ["queued", "started", "progress", "completed"]
    assert [news.event.number for news in heard.news] == [1, 2, 3, 4]
    assert heard.news[2].event.message == "1 of 2 are done"
    done = await running.services.tasks.get(task.task_id, alice.id)
    assert (done.state, done.progress, done.result) == ("completed", 1.0, {"url": "/somewhere"})
    assert await running.services.tasks.events(task.task_id) == [news.event for news in heard.news]


async def test_what_a_kind_fails_with_is_told(running: Running) -> None:
    alice = await running.person("alice")

    async def run(work: Work) -> dict[str, Any]:
        raise TaskFailed("no_text", "There is no text in it")

    heard = Heard(alice)
    task = await begun(alice, run)
    await heard.until("failed")
    failed = await running.services.tasks.get(task.task_id, alice.id)
    assert failed.error is not None
    assert (failed.state, failed.error.code, failed.error.message) == ("failed", "no_text", "There is no text in it")


async def test_a_refusal_that_a_kind_runs_into_is_a_failure(running: Running) -> None:
    alice = await running.person("alice")

    async def run(work: Work) -> dict[str, Any]:
        raise NotFound("There is no such call")

    heard = Heard(alice)
    await begun(alice, run)
    failed = await heard.until("failed")
    assert (failed.code, failed.message) == ("not_found", "There is no such call")


async def test_a_fault_of_ours_is_logged_and_not_shown(running: Running, expect_error: Expect) -> None:
    expect_error("task_crashed")
    alice = await running.person("alice")

    async def run(work: Work) -> dict[str, Any]:
        raise ZeroDivisionError("secret")

    heard = Heard(alice)
    await begun(alice, run)
    failed = await heard.until("failed")
    assert failed.code == "internal_error"
    assert "secret" not in (failed.message or "")


async def test_a_step_that_did_not_succeed_is_tried_again(running: Running) -> None:
    alice = await running.person("alice")
    tried: list[int] = []

    async def make() -> int:
        tried.append(1)
        if len(tried) < 2:
            raise Retry("busy", "It is busy")
        return len(tried)

    async def run(work: Work) -> dict[str, Any]:
        return {"tried": await work.step("try", make)}

    heard = Heard(alice)
    await begun(alice, run)
    assert (await heard.until("completed")).data == {"tried": 2}
    assert heard.types == ["queued", "started", "retrying", "completed"]


async def test_after_a_review_finished_steps_and_their_news_are_not_repeated(running: Running) -> None:
    alice = await running.person("alice")
    made: list[str] = []

    async def make() -> str:
        made.append("draft")
        return "# Draft"

    async def run(work: Work) -> dict[str, Any]:
        draft = await work.step("draft", make)
        await work.progress(0.5, "first", "drafted", "The draft is ready")
        first = await work.review(draft)
        second = await work.review(draft + first.comment)
        return {"decisions": [first.decision, second.decision]}

    heard = Heard(alice)
    task = await begun(alice, run)
    tasks = running.services.tasks
    await heard.until("review_requested")
    asked = await tasks.get(task.task_id, alice.id)
    assert asked.review is not None
    assert (asked.state, asked.review.document, asked.review.round) == ("waiting_review", "# Draft", 1)
    await tasks.review(task.task_id, alice.id, "revise", " shorter")
    await running.until(lambda: heard.types.count("review_requested") == 2)
    assert heard.news[-1].task.review is not None
    assert heard.news[-1].task.review.document == "# Draft shorter"
    await tasks.review(task.task_id, alice.id, "approve", round=2)
    assert (await heard.until("completed")).data == {"decisions": ["revise", "approve"]}
    assert made == ["draft"]
    assert heard.types.count("progress") == 1


async def test_a_document_that_was_replaced_cannot_be_decided_about(running: Running) -> None:
    alice = await running.person("alice")

    async def run(work: Work) -> dict[str, Any]:
        await work.review("one")
        await work.review("two")
        return {}

    heard = Heard(alice)
    task = await begun(alice, run)
    await heard.until("review_requested")
    await running.services.tasks.review(task.task_id, alice.id, "revise", round=1)
    await running.until(lambda: heard.types.count("review_requested") == 2)
    with pytest.raises(BadState):
        await running.services.tasks.review(task.task_id, alice.id, "approve", round=1)


async def test_many_words_about_progress_are_held_back_but_the_last_is_told(running: Running) -> None:
    alice = await running.person("alice")

    async def run(work: Work) -> dict[str, Any]:
        for number in range(200):
            await work.progress(number / 200, "first", "counted", "%(number)s are counted", number=number)
        return {}

    heard = Heard(alice)
    await begun(alice, run)
    await heard.until("completed")
    counted = [news.event.values["number"] for news in heard.news if news.event.type == "progress"]
    assert counted[:PROGRESS_BURST] == list(range(PROGRESS_BURST))
    assert counted[-1] == 199
    assert len(counted) < 200


async def test_the_last_word_before_long_work_is_told(running: Running) -> None:
    alice = await running.person("alice")
    heard = Heard(alice)
    told: list[int] = []

    async def run(work: Work) -> dict[str, Any]:
        for number in range(PROGRESS_BURST + 5):
            await work.progress(number / 100, "first", "counted", "%(number)s are counted", number=number)
        await work.cpu(pid)
        told.extend(news.event.values["number"] for news in heard.news if news.event.type == "progress")
        return {}

    await begun(alice, run)
    await heard.until("completed")
    assert told[-1] == PROGRESS_BURST + 4


async def test_a_step_that_is_tried_again_does_not_tell_its_progress_again(running: Running) -> None:
    alice = await running.person("alice")
    tried: list[int] = []

    async def make() -> None:
        for number in range(2 + len(tried)):
            await work_of[0].progress(number / 10, "first", "counted", "%(number)s are counted", number=number)
        tried.append(1)
        if len(tried) < 2:
            raise Retry("busy", "It is busy")

    work_of: list[Work] = []

    async def run(work: Work) -> dict[str, Any]:
        work_of.append(work)
        await work.step("count", make)
        return {}

    heard = Heard(alice)
    await begun(alice, run)
    await heard.until("completed")
    assert [news.event.values["number"] for news in heard.news if news.event.type == "progress"] == [0, 1, 2]


async def test_more_events_than_are_kept_do_not_keep_a_task_from_its_end(start: Start) -> None:
    running = await start({"tasks.max_events": 10})
    alice = await running.person("alice")

    async def run(work: Work) -> dict[str, Any]:
        for number in range(15):
            await work.progress(number / 15, "first", "counted", "%(number)s are counted", number=number)
        return {}

    heard = Heard(alice)
    await begun(alice, run)
    completed = await heard.until("completed")
    assert completed.number == 11


# ── stopping ──


async def test_a_task_is_stopped_in_the_middle_of_a_step(running: Running) -> None:
    alice = await running.person("alice")

    async def run(work: Work) -> dict[str, Any]:
        await work.step("wait", forever)
        return {}

    heard = Heard(alice)
    task = await begun(alice, run)
    await heard.until("started")
    asked = await running.services.tasks.cancel(task.task_id, alice.id)
    assert asked.cancel_requested
    await heard.until("cancelled")
    assert heard.types == ["queued", "started", "cancel_requested", "cancelled"]
    again = await running.services.tasks.cancel(task.task_id, alice.id)
    assert again.state == "cancelled"


async def test_a_task_that_waits_for_its_turn_is_stopped_at_once(start: Start) -> None:
    running = await start({"tasks.at_once": 0})
    alice = await running.person("alice")
    task = await begun(alice, lambda work: work.step("never", forever))
    assert (await running.services.tasks.cancel(task.task_id, alice.id)).state == "cancelled"
    assert await types_of(running, task) == ["queued", "cancelled"]


async def test_a_task_that_waits_for_a_decision_is_stopped_at_once(running: Running) -> None:
    alice = await running.person("alice")

    async def run(work: Work) -> dict[str, Any]:
        await work.review("?")
        return {}

    heard = Heard(alice)
    task = await begun(alice, run)
    await heard.until("review_requested")
    assert (await running.services.tasks.cancel(task.task_id, alice.id)).state == "cancelled"


async def test_work_in_another_process_is_killed_when_its_task_is_stopped(running: Running, tmp_path: Path) -> None:
    alice = await running.person("alice")

    async def run(work: Work) -> dict[str, Any]:
        await work.cpu(spin, str(tmp_path / "pid"))
        return {}

    heard = Heard(alice)
    task = await begun(alice, run)
    worker = await until_written(tmp_path / "pid")
    await running.services.tasks.cancel(task.task_id, alice.id)
    await heard.until("cancelled")
    await until_gone(worker)


async def test_work_that_burns_cpu_is_done_elsewhere_within_its_memory(running: Running) -> None:
    alice = await running.person("alice")

    async def run(work: Work) -> dict[str, Any]:
        assert await work.cpu(pid) != pid()
        await work.cpu(take, 8 * 1024**3)
        return {}

    heard = Heard(alice)
    await begun(alice, run)
    assert (await heard.until("failed", "completed")).code == "out_of_memory"


async def test_a_step_whose_process_is_killed_is_tried_again(running: Running) -> None:
    alice = await running.person("alice")
    tried: list[int] = []

    async def run(work: Work) -> dict[str, Any]:
        async def make() -> int:
            tried.append(1)
            if len(tried) == 1:
                await work.cpu(die)
            return await work.cpu(pid)

        return {"pid": await work.step("die", make)}

    heard = Heard(alice)
    await begun(alice, run)
    await heard.until("completed")
    assert heard.types == ["queued", "started", "retrying", "completed"]


# ── several processes, and their ends ──


async def test_a_server_that_stops_gives_its_tasks_to_another(start: Start) -> None:
    leaving = await start()
    alice = await leaving.person("alice")
    made: list[str] = []

    async def make() -> str:
        made.append("first")
        return "first"

    async def hang(work: Work) -> dict[str, Any]:
        await work.step("first", make)
        await work.progress(0.5, "first", "half", "Half of it is done")
        await forever()
        return {}

    async def end(work: Work) -> dict[str, Any]:
        await work.step("first", make)
        await work.progress(0.5, "first", "half", "Half of it is done")
        return {"made": made}

    heard = Heard(alice)
    task = await begun(alice, hang)
    await heard.until("progress")
    await leaving.server.task_area.runner.stop(5)
    restarted = await start()
    heard = Heard(alice, restarted)
    restarted.server.task_area.kinds.register(Scripted(end))
    await restarted.server.task_area.runner.round()
    assert (await heard.until("completed")).data == {"made": ["first"]}
    assert await types_of(leaving, task) == ["queued", "started", "progress", "retrying", "completed"]


async def test_a_task_that_is_taken_up_while_the_server_stops_is_given_back_untouched(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await running.person("alice")
    runner, store = running.server.task_area.runner, running.server.task_area.runner._store
    claim, claims, goes_on = store.claim, asyncio.Event(), asyncio.Event()

    async def slowly(*args: Any, **kwargs: Any) -> bool:
        is_mine = await claim(*args, **kwargs)
        claims.set()
        await goes_on.wait()
        return is_mine

    monkeypatch.setattr(store, "claim", slowly)
    task = await begun(alice, lambda work: work.step("never", forever))
    await claims.wait()
    stopping = asyncio.create_task(runner.stop(5))
    await running.until(lambda: not runner._is_open, "it stops")
    goes_on.set()
    await stopping
    [free] = await store.claimable(["scripted"], running.clock.now(), 10, but_of=[])
    assert (free.task.task_id, free.owner, len(runner)) == (task.task_id, None, 0)
    assert await types_of(running, task) == ["queued"]


async def test_whoever_has_lost_the_lease_says_nothing_more(running: Running) -> None:
    alice = await running.person("alice")
    tasks = running.services.tasks
    told: list[bool] = []
    heard = Heard(alice)

    async def run(work: Work) -> dict[str, Any]:
        if work.task.run == 1:  # somebody else takes it up, while this one knows nothing of it
            await tasks.append(work.task.task_id, EventDraft(type="retrying", run=2))
            await work.progress(0.9, "first", "late", "Too late")
            told.append(True)
        return {}

    task = await begun(alice, run)
    await heard.until("completed")
    assert told == []
    assert await types_of(running, task) == ["queued", "started", "retrying", "retrying", "completed"]


async def test_whoever_has_lost_the_lease_notices_also_when_it_may_say_no_more(start: Start) -> None:
    running = await start({"tasks.max_events": 10})
    alice = await running.person("alice")
    tasks = running.services.tasks
    went_on: list[int] = []
    heard = Heard(alice)

    async def run(work: Work) -> dict[str, Any]:
        if work.task.run == 1:
            for number in range(8):
                await work.progress(number / 10, "first", "counted", f"{number} are counted")
            await tasks.append(work.task.task_id, EventDraft(type="retrying", run=2))
            await work.progress(0.9, "first", "late", "Too late")
            went_on.append(work.task.run)
        return {}

    await begun(alice, run)
    await heard.until("completed")
    assert went_on == []


async def test_a_task_at_which_servers_die_is_given_up(running: Running) -> None:
    alice = await running.person("alice")
    store = running.services.tasks._store
    heard = Heard(alice)
    await running.server.task_area.runner.stop(5)
    task = await begun(alice, lambda work: work.step("never", forever))
    for number in range(6):
        now = running.clock.now()
        assert await store.claim(task.task_id, f"dead {number}", now, now, was_lost=number > 0)
    running.server.task_area.runner.open()
    await running.server.task_area.runner.round()
    assert (await heard.until("failed")).code == "given_up"


@pytest.mark.parametrize("how", ["away", "broken off", "odd"])
async def test_work_that_cannot_be_done_is_left_alone_longer_each_time_and_fails_in_the_end(
    running: Running, expect_error: Expect, how: str
) -> None:
    if how == "odd":
        expect_error("task_failed_to_end")
    alice = await running.person("alice")
    runner, heard, begun_at = running.server.task_area.runner, Heard(alice), list[float]()

    async def run(work: Work) -> dict[str, Any]:
        begun_at.append(running.clock.monotonic())
        if how == "away":
            raise Unavailable
        if how == "broken off":
            raise asyncio.CancelledError
        return {"odd": object()}

    await begun(alice, run)
    while "failed" not in heard.types:
        await running.until(lambda: not runner._running, "nobody works at it")
        await runner.round()
        running.clock.move(3)
    assert (await heard.until("failed")).code == "begun_in_vain"
    assert len(begun_at) == MAX_POSTPONED
    pauses_s = [later - earlier for earlier, later in pairwise(begun_at)]
    assert all(pause_s >= min(60, 2**number) - 0.01 for number, pause_s in enumerate(pauses_s))


async def test_work_that_comes_farther_each_time_is_not_begun_in_vain(running: Running) -> None:
    alice = await running.person("alice")
    runner, heard = running.server.task_area.runner, Heard(alice)

    async def run(work: Work) -> dict[str, Any]:
        for number in range(work.task.run):
            await work.progress(number / 20, "first", "counted", f"{number} are counted")
        if work.task.run < MAX_POSTPONED + 3:
            raise Unavailable
        return {}

    await begun(alice, run)
    while "failed" not in heard.types and "completed" not in heard.types:
        await running.until(lambda: not runner._running, "nobody works at it")
        running.clock.move(2)
        await runner.round()
    assert "completed" in heard.types


# ── what others see of it ──


async def test_a_task_is_stopped_from_another_process(start: Start) -> None:
    running, other = await start(), await start({"tasks.at_once": 0})
    alice = await running.person("alice")
    heard = Heard(alice)
    task = await begun(alice, lambda work: work.step("wait", forever))
    await heard.until("started")
    assert (await other.services.tasks.cancel(task.task_id, alice.id)).cancel_requested
    await running.server.task_area.runner.round()
    await heard.until("cancelled")
    assert await types_of(running, task) == ["queued", "started", "cancel_requested", "cancelled"]


async def test_a_lease_holds_while_it_is_renewed_and_no_longer(start: Start) -> None:
    running, other = await start(), await start()
    alice = await running.person("alice")
    heard, elsewhere = Heard(alice), Heard(alice, other)

    async def end(work: Work) -> dict[str, Any]:
        return {"by": "the other"}

    other.server.task_area.kinds.register(Scripted(end))
    task = await begun(alice, lambda work: work.step("wait", forever))
    await heard.until("started")
    for seconds in (LEASE_S - 5, 10):
        running.clock.move(seconds)
        other.clock.move(seconds)
        await running.server.task_area.runner.renew()
    await other.server.task_area.runner.round()
    await other.until(lambda: not other.server.task_area.runner._running, "it has looked")
    assert elsewhere.types == []
    other.clock.move(LEASE_S)
    await other.server.task_area.runner.round()
    assert (await elsewhere.until("completed")).data == {"by": "the other"}
    await running.server.task_area.runner.round()
    await running.until(lambda: len(running.server.task_area.runner) == 0, "it has noticed")
    assert await types_of(running, task) == ["queued", "started", "retrying", "completed"]


@pytest.mark.parametrize(("at_once", "names"), [(1, ["alice", "bob"]), (4, ["alice"] * 3)], ids=["all", "a person"])
async def test_a_few_tasks_are_worked_at_together_and_the_others_wait(
    start: Start, at_once: int, names: list[str]
) -> None:
    running = await start({"tasks.at_once": at_once})
    people = {name: await running.person(name) for name in sorted(set(names))}
    heard = {name: Heard(person) for name, person in people.items()}
    tasks = [await begun(people[name], lambda work: work.step("wait", forever)) for name in names]
    runner = running.server.task_area.runner
    await running.until(lambda: len(runner) == len(names) - 1 and not runner._is_looking, "all but one have begun")
    assert [await types_of(running, task) for task in tasks][-1] == ["queued"]
    await heard[names[0]].until("started")
    await running.services.tasks.cancel(tasks[0].task_id, people[names[0]].id)
    await running.until(lambda: heard[names[-1]].types.count("started") == (1 if at_once == 1 else 3), "the last one")


async def test_work_that_takes_longer_than_it_may_ends(running: Running) -> None:
    alice = await running.person("alice")
    heard = Heard(alice)
    task = await begun(alice, lambda work: work.step("wait", forever))
    await heard.until("started")
    running.clock.move(Scripted.deadline_s + 1)
    await running.server.task_area.runner.renew()  # it is still at it
    await running.services.tasks.sweep()
    await running.until(lambda: len(running.server.task_area.runner) == 0, "nobody works at it")
    failed = await running.services.tasks.get(task.task_id, alice.id)
    assert failed.error is not None and failed.error.code == "deadline_passed"


@pytest.mark.parametrize("what", ["waiting", "running", "approved"])
async def test_the_time_in_which_the_server_was_away_is_not_the_works(running: Running, what: str) -> None:
    alice = await running.person("alice")
    tasks, runner = running.services.tasks, running.server.task_area.runner
    is_back = asyncio.Event()

    async def run(work: Work) -> dict[str, Any]:
        if what == "approved":
            await work.review("?")
        await is_back.wait()
        return {}

    heard = Heard(alice)
    if what == "waiting":
        await runner.stop(5)
    task = await begun(alice, run)
    if what != "waiting":
        await heard.until("review_requested" if what == "approved" else "started")
        await runner.stop(5)
    if what == "approved":
        await tasks.review(task.task_id, alice.id, "approve")
    running.clock.move(Scripted.deadline_s + 60)
    await tasks.sweep()
    is_back.set()
    runner.open()
    await runner.round()
    assert (await heard.until("completed", "failed")).type == "completed"


async def test_work_that_nobody_takes_up_again_ends(start: Start) -> None:
    running = await start({"tasks.at_once": 0})
    alice = await running.person("alice")
    tasks = running.services.tasks
    waiting, left = [await begun(alice, lambda work: work.step("never", forever)) for _ in range(2)]
    await tasks.append(left.task_id, EventDraft(type="started", run=1))
    running.clock.move(WAIT_S + Scripted.deadline_s + 1)
    await tasks.sweep()
    ended = [await tasks.get(task.task_id, alice.id) for task in (waiting, left)]
    assert [(task.state, task.code) for task in ended] == [("failed", "deadline_passed")] * 2


async def test_a_task_that_is_removed_while_others_are_looked_at_does_not_matter_to_them(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await start({"tasks.at_once": 0})
    alice = await running.person("alice")
    tasks, store = running.services.tasks, running.server.task_area.runner._store
    gone, late = [await begun(alice, lambda work: work.step("never", forever)) for _ in range(2)]
    due = store.due

    async def first_without(*args: Any) -> Due:
        found = await due(*args)
        await running.services.database.collection("tasks").delete({"_id": gone.task_id})
        return found._replace(late=sorted(found.late, key=lambda task: task.task_id))

    monkeypatch.setattr(store, "due", first_without)
    running.clock.move(WAIT_S + 1)
    await tasks.sweep()
    assert (await tasks.get(late.task_id, alice.id)).state == "failed"


async def test_the_results_of_steps_go_when_a_task_is_over(running: Running) -> None:
    alice = await running.person("alice")
    steps = running.services.database.collection("task_steps")

    async def make() -> str:
        return "something"

    async def run(work: Work) -> dict[str, Any]:
        await work.step("make", make)
        return {"kept": await steps.count({})}

    heard = Heard(alice)
    await begun(alice, run)
    assert (await heard.until("completed")).data == {"kept": 1}
    await running.until(lambda: len(running.services.background) == 0)
    assert await steps.count({}) == 0
