"""What a long task is: its events, what they make of it, and how both cross the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from server.languages.sentences import Sentence, Translate, said
from server.wire import optional_rfc3339, rfc3339

State = Literal["queued", "running", "waiting_review", "completed", "failed", "cancelled"]
EventType = Literal[
    "queued",
    "started",
    "progress",
    "retrying",
    "stalled",
    "review_requested",
    "reviewed",
    "cancel_requested",
    "completed",
    "failed",
    "cancelled",
]
Decision = Literal["approve", "revise"]

FINAL: frozenset[str] = frozenset({"completed", "failed", "cancelled"})
"""States after which nothing happens any more, and the types of the events that bring them about."""

EXTERNAL = "external"
"""The kind of tasks that another program drives; all others are run by the server."""


class Review(msgspec.Struct, frozen=True):
    """What a person has decided about a document; the first review of a task is round 1."""

    decision: Decision
    comment: str
    round: int


class ReviewRequest(msgspec.Struct, frozen=True):
    """A document, in Markdown, about which somebody is to decide."""

    document: str
    round: int


class Failure(msgspec.Struct, frozen=True):
    """Why a task failed: a code for programs, a sentence for people."""

    code: str
    message: str


class EventDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is to happen to a task; ``None`` leaves that as it is.

    ``message`` is an English sentence, ``code`` and ``values`` say the same for whoever says it in another language.
    ``data`` belongs to the type: ``{document}`` to ``review_requested``, ``{decision, comment, round}`` to
    ``reviewed``, the result to ``completed``. ``event_id`` is the name that another program has given the event.
    ``run`` counts how often the work was taken up, and belongs to ``started`` and ``retrying`` of the server's own.
    ``user_id`` is the person who brings it about, if somebody does.
    """

    type: EventType
    progress: float | None = None
    stage: str | None = None
    message: str | None = None
    code: str | None = None
    values: dict[str, Any] = {}
    data: dict[str, Any] | None = None
    event_id: str | None = None
    run: int | None = None
    user_id: str | None = None


class TaskEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that has happened to a task, and how the task stands since. Numbers count 1, 2, 3 … in each task.

    ``key`` is unlike that of every other event, so that whoever has stored it knows it again. ``deadline`` is the one
    that holds from now on, ``told_bytes`` the task's since then.
    """

    key: str
    task_id: str
    number: int
    type: EventType
    timestamp: datetime
    state: State
    progress: float
    stage: str | None
    message: str | None
    code: str | None
    values: dict[str, Any]
    data: dict[str, Any] | None
    deadline: datetime
    event_id: str | None = None
    run: int | None = None
    user_id: str | None = None
    told_bytes: int = 0

    @property
    def is_final(self) -> bool:
        """Whether nothing comes after it."""
        return self.type in FINAL


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task as it stands after the event with the number ``number`` (0: none yet).

    ``title`` is an English sentence or a person's own words; ``title_message`` and ``title_values`` are the sentence
    that it was made of. ``worker_id`` is the service account that drives a task of kind ``external`` (``None``: any).
    ``work_s`` is how long the work may take, ``run`` how often it was taken up. ``client_key`` is the name that
    ``created_by``, a person or a service account, has given it. ``told_bytes`` is what another program has said of it.
    """

    task_id: str
    kind: str
    title: str
    user_id: str
    stages: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    deadline: datetime
    work_s: float
    params: dict[str, Any] = {}
    title_message: str | None = None
    title_values: dict[str, Any] = {}
    worker_id: str | None = None
    state: State = "queued"
    stalled: bool = False
    progress: float = 0.0
    stage: str | None = None
    message: str | None = None
    code: str | None = None
    values: dict[str, Any] = {}
    number: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cancel_requested: bool = False
    review: ReviewRequest | None = None
    reviews: tuple[Review, ...] = ()
    result: dict[str, Any] | None = None
    error: Failure | None = None
    run: int = 0
    created_by: str | None = None
    client_key: str | None = None
    told_bytes: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.state in FINAL

    @property
    def is_external(self) -> bool:
        """Whether another program does the work."""
        return self.kind == EXTERNAL


def task_view(task: Task, ws_url: str, translate: Translate = str) -> dict[str, Any]:
    """The task as it crosses the wire (``docs/protocol.md``, «Tasks»); ``ws_url`` is where it is followed."""
    return {
        "task_id": task.task_id,
        "kind": task.kind,
        "title": title_in(task, translate),
        "user_id": task.user_id,
        "state": task.state,
        "stalled": task.stalled,
        "progress": task.progress,
        "stage": task.stage,
        "stages": list(task.stages),
        "message": task.message,
        "code": task.code,
        "values": task.values,
        "number": task.number,
        "created_at": rfc3339(task.created_at),
        "started_at": optional_rfc3339(task.started_at),
        "updated_at": rfc3339(task.updated_at),
        "ended_at": optional_rfc3339(task.ended_at),
        "deadline": rfc3339(task.deadline),
        "cancel_requested": task.cancel_requested,
        "review": None if task.review is None else msgspec.to_builtins(task.review),
        "result": task.result,
        "error": None if task.error is None else msgspec.to_builtins(task.error),
        "ws_url": ws_url,
    }


def event_view(event: TaskEvent) -> dict[str, Any]:
    """The event as it crosses the wire (``docs/protocol.md``, «Tasks»)."""
    return {
        "task_id": event.task_id,
        "number": event.number,
        "type": event.type,
        "timestamp": rfc3339(event.timestamp),
        "state": event.state,
        "progress": event.progress,
        "stage": event.stage,
        "message": event.message,
        "code": event.code,
        "values": event.values,
        "data": event.data,
        "user_id": event.user_id,
    }


def title_in(task: Task, translate: Translate) -> str:
    """The title in the language of ``translate``; a person's own words stay."""
    if task.title_message is None:
        return task.title
    return said(Sentence(task.title_message, task.title_values), translate)
