"""A task and what happens in its life, for those who follow it."""

from __future__ import annotations

from typing import Any

from server.tasks.model import EventDraft, Task, TaskEvent, event_view
from tests.peer import Frame, Peer
from tests.running import Person, Running

LIFE = (
    EventDraft(type="started"),
    EventDraft(type="progress", progress=0.2, stage="read", code="chapter_read", message="Chapter 1 was read"),
    EventDraft(
        type="progress", progress=0.4, stage="read", message="第二章 «two»", values={"n": 2}, data={"deep": [1]}
    ),
    EventDraft(type="review_requested", stage="review", data={"document": "# Plan\n\n- one"}),
    EventDraft(type="reviewed", data={"decision": "revise", "comment": "shorter", "round": 1}),
    EventDraft(type="progress", progress=0.9, stage="write", message="It is being written"),
    EventDraft(type="cancel_requested"),
    EventDraft(type="completed", data={"url": "https://example.com/plan", "title": "Plan"}),
)
"""What comes after ``queued``, up to the end."""


async def begun(owner: Person, title: str = "A plan") -> Task:
    """A new task; nothing but ``queued`` has happened to it."""
    running = owner.running
    return await running.services.tasks.create(owner.id, "external", {}, title=title, user=owner.user.ref)


async def live(running: Running, task: Task, *drafts: EventDraft) -> None:
    """Lets these things happen, one after the other."""
    for draft in drafts:
        await running.services.tasks.append(task.task_id, draft)


async def story(running: Running, task: Task) -> list[dict[str, Any]]:
    """All events of a task, as they are stored."""
    return [event_view(event) for event in await events_of(running, task)]


async def events_of(running: Running, task: Task) -> list[TaskEvent]:
    """The same as structs."""
    return await running.services.tasks.events(task.task_id)


def heard(*peers: Peer) -> list[Frame]:
    """The events that came, as they came, without their numbers in the session."""
    frames = [frame for peer in peers for frame in peer.frames if "number" in frame]
    return [{name: value for name, value in frame.items() if name != "seq"} for frame in frames]


async def follow(owner: Person, task: Task, *, history: bool = True, **query: str) -> Peer:
    """A socket on the task, upgraded; nothing has been received yet."""
    wish = {"include_history": "true"} if history else {}
    return await owner.open(f"/ws/task/{task.task_id}", **wish, **query)


def shown(peer: Peer) -> dict[str, Any]:
    """How the task stood when the socket connected."""
    status: dict[str, Any] = peer.connected["snapshot"]["current_status"]
    return status
