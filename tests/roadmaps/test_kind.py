"""The task that makes a roadmap: of a call that is over, with a review by whoever asked for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.calls.transcript import TranscriptLine
from server.errors import BadRequest, BadState, Forbidden, NotFound, RingbackError
from server.ids import new_id
from server.roadmaps import comments, kind, reading
from server.roadmaps.document import Writer
from server.roadmaps.model import Roadmap
from server.store.roadmaps import RoadmapStore
from server.tasks.model import Task
from tests.helpers import today
from tests.running import Person, Running
from tests.tasks.working import LONG_PATIENCE_S

pytestmark = pytest.mark.gen_test

CHAT = (
    ("alice", "Who will send the draft?"),
    ("bob", "I'll send it to you by Friday"),
    ("alice", "Let's go with Postgres"),
    ("alice", "Next topic: money"),
    ("bob", "What is the budget?"),
)


async def call_of(caller: Person, callee: Person, *, chat: tuple[tuple[str, str], ...] = CHAT) -> dict[str, Any]:
    """A call that is over, in which that was written."""
    call = await caller.place(callee.user.username)
    await callee.do("answer", call)
    for name, text in chat:
        await caller.running.services.chats.write(
            call["call_id"], (caller if name == "alice" else callee).user.ref, text
        )
    await caller.do("hangup", call)
    return call


async def ask(person: Person, call: dict[str, Any], **params: Any) -> Task:
    asked = {"call_id": call["call_id"]} | params
    return await person.running.services.tasks.create(person.id, "call_roadmap", asked, user=person.user.ref)


async def reached(person: Person, task: Task, state: str, round: int = 1) -> Task:
    """The task once it has that state."""
    async with asyncio.timeout(LONG_PATIENCE_S):  # processes are started for it, which come after all others
        while True:
            found = await person.running.services.tasks.get(task.task_id, person.id)
            if found.state == state and (found.review is None or found.review.round == round):
                return found
            assert not found.is_over, found.error
            await asyncio.sleep(0.01)


async def decide(person: Person, task: Task, decision: Any, comment: str = "") -> None:
    await person.running.services.tasks.review(task.task_id, person.id, decision, comment)


def document_of(task: Task) -> str:
    assert task.review is not None
    return task.review.document


async def test_what_was_written_and_said_becomes_a_roadmap_that_everybody_reads(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await call_of(alice, bob)
    leg = next(leg for leg in call["legs"] if leg["user"]["username"] == "bob")
    line = TranscriptLine(
        new_id(), call["call_id"], leg["leg_id"], "s-1", "I'll also call the printer tomorrow.", today()
    )
    await running.services.transcripts.add(line)
    task = await ask(bob, call, time_zone="Europe/Berlin")
    draft = document_of(await reached(bob, task, "waiting_review"))
    assert "- [ ] **bob**: Send it to alice by Friday" in draft
    assert "- [ ] **bob**: Call the printer tomorrow" in draft
    assert "- Go with Postgres" in draft and "- What is the budget?" in draft and "**Money**" in draft
    assert await running.services.roadmaps.of_call(call["call_id"], bob.id) is None

    await decide(bob, task, "approve")
    result = (await reached(bob, task, "completed")).result or {}
    read = await running.services.roadmaps.get(result["roadmap_id"], alice.id)
    assert (read.document, read.made_by.username, result["url"]) == (draft, "bob", f"/roadmaps/{read.roadmap_id}")
    with pytest.raises(BadState):
        await ask(alice, call)


async def test_another_round_takes_up_the_comment(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    task = await ask(alice, await call_of(alice, bob), language="zh")
    await reached(alice, task, "waiting_review")
    await decide(alice, task, "revise", "Remove: Postgres\nBob will order paper\nA good talk.")
    second = document_of(await reached(alice, task, "waiting_review", round=2))
    assert "Postgres" not in second
    assert "- [ ] **bob**: Order paper" in second and "## 备注\n\n- A good talk." in second


async def test_a_comment_is_read_in_another_process(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("calls wait for this")

    for module in (comments, reading):
        monkeypatch.setattr(module, "read_part", refuse)
    alice, bob = await running.people("alice", "bob")
    task = await ask(alice, await call_of(alice, bob))
    await reached(alice, task, "waiting_review")
    await decide(alice, task, "revise", "Bob will order paper")
    assert "- [ ] **bob**: Order paper" in document_of(await reached(alice, task, "waiting_review", round=2))


async def test_what_is_kept_is_what_was_shown(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await call_of(alice, bob)
    task = await ask(alice, call)
    shown = document_of(await reached(alice, task, "waiting_review"))
    monkeypatch.setattr(Writer, "document", lambda *args: "# As the next version of Ringback writes it")
    await running.services.chats.write(call["call_id"], bob.user.ref, "Decision: something else")
    await decide(alice, task, "approve")
    result = (await reached(alice, task, "completed")).result or {}
    assert (await running.services.roadmaps.get(result["roadmap_id"], alice.id)).document == shown


async def test_a_call_that_is_in_nobodys_history_any_more_gets_none(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await call_of(alice, bob)
    task = await ask(alice, call)
    await reached(alice, task, "waiting_review")
    for person in (alice, bob):
        await person.api("DELETE", f"/calls/{call['call_id']}")
    await running.services.calls.remove_forgotten()
    await decide(alice, task, "approve")
    error = (await reached(alice, task, "failed")).error
    assert error is not None and error.code == "call_removed"


async def test_rounds_have_an_end(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "MAX_ROUNDS", 1)
    alice, bob = await running.people("alice", "bob")
    task = await ask(alice, await call_of(alice, bob))
    await reached(alice, task, "waiting_review")
    await decide(alice, task, "revise", "Again")
    error = (await reached(alice, task, "failed")).error
    assert error is not None and error.code == "too_many_rounds"


async def test_nobody_reviews_in_vain(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await call_of(alice, bob)
    task = await ask(alice, call)
    await reached(alice, task, "waiting_review")
    with pytest.raises(BadState):
        await ask(alice, call)
    faster = await ask(bob, call)
    await reached(bob, faster, "waiting_review")
    await keep(bob, call, faster)
    await decide(alice, task, "revise", "Bob will order paper")
    error = (await reached(alice, task, "failed")).error
    assert error is not None and error.code == "roadmap_exists"


async def test_a_run_that_broke_off_after_it_was_kept_does_not_keep_it_twice(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call = await call_of(alice, bob)
    task, late = await ask(alice, call), await ask(bob, call)
    for person, each in ((alice, task), (bob, late)):
        await reached(person, each, "waiting_review")
    kept = await keep(alice, call, task)
    for person, each in ((alice, task), (bob, late)):
        await decide(person, each, "approve")
    assert ((await reached(alice, task, "completed")).result or {})["roadmap_id"] == kept
    error = (await reached(bob, late, "failed")).error
    assert error is not None and error.code == "roadmap_exists"


async def keep(person: Person, call: dict[str, Any], task: Task) -> str:
    """A roadmap as a run of ``task`` leaves it that dies before it has said so."""
    ref, now = person.user.ref, today()
    made = Roadmap(new_id(), call["call_id"], task.task_id, "Plan", "en", "# Plan", (person.id,), ref, ref, now, now)
    await RoadmapStore(person.running.services.database).insert(made)
    return made.roadmap_id


async def test_a_call_in_which_nothing_was_written_has_none(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    error = (await reached(alice, await ask(alice, await call_of(alice, bob, chat=())), "failed")).error
    assert error is not None and error.code == "nothing_said"


async def test_a_roadmap_is_refused(running: Running) -> None:
    alice, bob, carol = await running.people("alice", "bob", "carol")
    over = await call_of(alice, bob)
    unanswered = await alice.place("carol")
    await alice.do("cancel", unanswered)
    going_on = await alice.place("bob")
    await bob.do("answer", going_on)

    async def refusal(person: Person, call: dict[str, Any], **params: Any) -> type[RingbackError]:
        with pytest.raises(RingbackError) as refused:
            await ask(person, call, **params)
        return type(refused.value)

    assert await refusal(carol, over) is NotFound
    assert await refusal(carol, unanswered) is Forbidden
    assert await refusal(alice, going_on) is BadState
    assert await refusal(alice, over, time_zone="Mars/Olympus") is BadRequest
    assert await refusal(alice, over, language="xx") is BadRequest
    assert await refusal(alice, over, depth=3) is BadRequest
    assert await refusal(alice, {"call_id": "no id"}) is NotFound
