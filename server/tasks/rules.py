"""The rules of a task's life, without input or output: what may happen when, and what an event makes of a task."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from server.errors import BadRequest, BadState
from server.languages.sentences import N_
from server.tasks.model import (
    FINAL,
    EventDraft,
    EventType,
    Failure,
    Review,
    ReviewRequest,
    State,
    Task,
    TaskEvent,
)

MAX_DOCUMENT_CHARACTERS = 200_000
"""Of what somebody is to read and decide about: a book of some hundred pages."""
MAX_DOCUMENT_OF_OTHERS_CHARACTERS = 60_000
"""Of such a document from another program: what has room in the body of a request, with what is around it."""
MAX_TOLD_BYTES = 8 * 1_048_576
"""Of what another program says of one task: all of it is read at once by whoever looks at the task."""
REVIEW_DAYS = 30
"""How long a task waits for somebody to decide."""
WAIT_S = 7 * 86_400.0
"""How long work may wait for a process that takes it up: a week, in which a server that was away is back."""
CANCEL_WITHIN_S = 60.0
"""How long whoever does the work has to stop, once that was asked for; then it counts as stopped."""

ALLOWED: dict[EventType, frozenset[State]] = {
    "queued": frozenset(),  # the first event, and only that: see decide
    "started": frozenset({"queued", "running"}),
    "progress": frozenset({"queued", "running"}),
    "retrying": frozenset({"queued", "running"}),
    "stalled": frozenset({"running"}),
    "review_requested": frozenset({"queued", "running"}),
    "reviewed": frozenset({"waiting_review"}),
    "cancel_requested": frozenset({"queued", "running", "waiting_review"}),
    "completed": frozenset({"queued", "running"}),
    "failed": frozenset({"queued", "running", "waiting_review"}),
    "cancelled": frozenset({"queued", "running", "waiting_review"}),
}
"""In which states each type of event may happen."""

STATE_AFTER: dict[EventType, State] = {
    "queued": "queued",
    "started": "running",
    "progress": "running",
    "retrying": "running",
    "review_requested": "waiting_review",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
"""The state that an event brings about; the others leave it, but for ``reviewed``."""

SENTENCES: dict[EventType, tuple[str, str]] = {
    "queued": ("queued", "Waiting for its turn"),
    "started": ("started", "The work has begun"),
    "retrying": ("taken_up_again", "The work goes on from where it was"),
    "stalled": ("stalled", "Nothing has been heard of the work for a while"),
    "review_requested": ("review_requested", "Somebody has to look at this and decide"),
    "cancel_requested": ("cancel_requested", "It is being stopped"),
    "completed": ("completed", "Done"),
    "failed": ("failed", "It did not succeed"),
    "cancelled": ("cancelled", "Stopped"),
}
"""What is said of an event that says nothing itself: its code and its sentence."""

APPROVED = ("approved", "Approved")
REVISE = ("revise", "Another round was asked for")


def decide(task: Task, draft: EventDraft, key: str, now: datetime) -> TaskEvent:
    """The event that ``draft`` becomes if it is the next one of ``task``; raises :class:`BadState` when it cannot
    happen now, :class:`BadRequest` for data that breaks a rule."""
    if not may(task, draft.type):
        raise _not_now(task)
    data = _data(task, draft)
    code, message = _said(draft, data)
    return TaskEvent(
        key=key,
        task_id=task.task_id,
        number=task.number + 1,
        type=draft.type,
        timestamp=now,
        state=_state(task, draft.type),
        progress=_progress(task, draft),
        stage=task.stage if draft.stage is None else draft.stage,
        message=message,
        code=code,
        values=draft.values,
        data=data,
        deadline=_deadline(task, draft, now),
        event_id=draft.event_id,
        run=draft.run,
        user_id=draft.user_id,
        told_bytes=task.told_bytes + (_size_bytes(draft) if task.is_external else 0),
    )


def may(task: Task, type: EventType) -> bool:
    """Whether such an event can be the next one."""
    if task.number == 0 or type == "queued":
        return task.number == 0 and type == "queued"
    if type == "stalled" and task.stalled:
        return False
    if type == "cancel_requested" and task.cancel_requested:
        return False
    return task.state in ALLOWED[type]


def is_bounded(task: Task, draft: EventDraft) -> bool:
    """Whether there may be only so many of such events: not of those that end a task or take it up, nor of decisions,
    nor of what the server itself asks about."""
    if draft.type == "review_requested":
        return task.is_external
    return draft.type in ("started", "progress", "retrying") and draft.run is None


def _size_bytes(draft: EventDraft) -> int:
    return len(msgspec.json.encode((draft.message, draft.values, draft.data)))


def fold(task: Task, event: TaskEvent) -> Task:
    """The task after ``event``; one that it knows already changes nothing."""
    if event.number <= task.number:
        return task
    changes: dict[str, Any] = {
        "number": event.number,
        "state": event.state,
        "stalled": event.type == "stalled" or (task.stalled and event.type == "cancel_requested"),
        "progress": event.progress,
        "stage": event.stage,
        "message": event.message,
        "code": event.code,
        "values": event.values,
        "updated_at": event.timestamp,
        "deadline": event.deadline,
        "cancel_requested": task.cancel_requested or event.type == "cancel_requested",
        "run": task.run if event.run is None else event.run,
        "told_bytes": event.told_bytes,
        "review": None,
    }
    if task.started_at is None and event.state == "running":
        changes["started_at"] = event.timestamp
    if event.state in FINAL:
        changes["ended_at"] = event.timestamp
    return replace(task, **changes | _from_data(task, event))


def _from_data(task: Task, event: TaskEvent) -> dict[str, Any]:
    """What the data of an event change."""
    data = event.data or {}
    match event.type:
        case "review_requested":
            return {"review": ReviewRequest(data["document"], data["round"])}
        case "reviewed":
            return {"reviews": (*task.reviews, Review(data["decision"], data["comment"], data["round"]))}
        case "completed":
            return {"result": event.data}
        case "failed":
            return {"error": Failure(event.code or "failed", event.message or "")}
    return {"review": task.review} if event.state == "waiting_review" else {}


def fold_all(task: Task, events: list[TaskEvent]) -> Task:
    """The task after these events, in order."""
    for event in events:
        task = fold(task, event)
    return task


def _not_now(task: Task) -> BadState:
    if task.is_over:
        return BadState("The task is over")
    if task.state == "waiting_review":
        return BadState("The task waits for somebody's decision")
    return BadState("That cannot happen to the task now")


def _state(task: Task, type: EventType) -> State:
    if type == "reviewed":
        return "running" if task.is_external else "queued"
    return STATE_AFTER.get(type, task.state)


def _progress(task: Task, draft: EventDraft) -> float:
    """The bar never goes back, also when work is done again."""
    if draft.type == "completed":
        return 1.0
    return task.progress if draft.progress is None else max(task.progress, min(1.0, max(0.0, draft.progress)))


def first_deadline(is_external: bool, work_s: float, now: datetime) -> datetime:
    """That of a task to be worked at. Nobody sees when another program begins; of the server's own work the time that
    it may take begins when it is taken up, and until then it only waits."""
    return now + timedelta(seconds=work_s if is_external else WAIT_S)


def _deadline(task: Task, draft: EventDraft, now: datetime) -> datetime:
    match draft.type:
        case "review_requested":
            return now + timedelta(days=REVIEW_DAYS)
        case "reviewed":
            return first_deadline(task.is_external, task.work_s, now)
        case "cancel_requested":
            return min(task.deadline, now + timedelta(seconds=CANCEL_WITHIN_S))
    if draft.run is not None and not task.cancel_requested:  # it is taken up
        return now + timedelta(seconds=task.work_s)
    return task.deadline


def _data(task: Task, draft: EventDraft) -> dict[str, Any] | None:
    if draft.type == "reviewed" and (task.review is None or (draft.data or {}).get("round") != task.review.round):
        raise BadState("There is nothing to decide any more")  # another document has taken the place of that one
    if draft.type != "review_requested":
        return draft.data
    document = (draft.data or {}).get("document")
    most = MAX_DOCUMENT_OF_OTHERS_CHARACTERS if task.is_external else MAX_DOCUMENT_CHARACTERS
    if not isinstance(document, str) or not document.strip() or len(document) > most:
        rule = N_("a text of 1 to %(most)s characters", most=most)
        raise BadRequest.of("data.document", rule)
    return {"document": document, "round": len(task.reviews) + 1}


def _said(draft: EventDraft, data: dict[str, Any] | None) -> tuple[str | None, str | None]:
    """The code and the sentence of an event."""
    if draft.message is not None:
        return draft.code, str(draft.message)
    if draft.type == "reviewed":
        code, sentence = APPROVED if (data or {}).get("decision") == "approve" else REVISE
    elif draft.type in SENTENCES:
        code, sentence = SENTENCES[draft.type]
    else:
        return draft.code, None
    return draft.code or code, str(sentence)
