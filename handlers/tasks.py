"""Long tasks over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from handlers.auth import NoBody
from handlers.base import ApiHandler, bad_query
from server.errors import BadRequest
from server.ids import is_id
from server.languages.sentences import N_
from server.tasks.model import EXTERNAL, FINAL, Decision, EventDraft, State, Task, event_view

MAX_COMMENT_CHARACTERS = 10_000
"""Of what somebody says about a document: some pages."""
STATES: tuple[str, ...] = get_args(State)
OPEN = [state for state in STATES if state not in FINAL]

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Stage = Annotated[str, Meta(min_length=1, max_length=100)]


class TaskBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /tasks``; the last three are for tasks of kind ``external``, ``client_key`` is the sender's own name."""

    kind: Name
    title: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    params: dict[str, Any] = {}
    client_key: Name | None = None
    user: Name | None = None
    worker: Name | None = None
    stages: Annotated[list[Stage], Meta(max_length=50)] | None = None


class TasksHandler(ApiHandler):
    """``/tasks``: starting one, and the own ones."""

    async def post(self) -> None:
        """202 with the task, the same for a repeated ``client_key``; 400 for what its kind does not take, 429 with too
        many under way."""
        body = self.read(TaskBody)
        title = _title(body.title)
        if body.kind == EXTERNAL:
            task = await self.services.external_tasks.create(
                self.who,
                body.params,
                title=title,
                user=body.user,
                worker=body.worker,
                stages=body.stages,
                client_key=body.client_key,
            )
        else:
            for name in ("user", "worker", "stages"):
                if getattr(body, name) is not None:
                    raise BadRequest.of(name, N_("only for tasks of the kind external"))
            user = self.who.user
            task = await self.services.tasks.create(
                user.id, body.kind, body.params, title=title, user=user, client_key=body.client_key
            )
        self.reply(self.services.tasks.view(task, self.language.translate), 202)

    async def get(self) -> None:
        """200 with tasks, newest first: one's own; for a service account those that it may drive and are not over."""
        before = self.get_query_argument("before", None)
        if before is not None and not is_id(before):
            raise bad_query("before", N_("the next of an earlier page"))
        who, tasks = self.who, self.services.tasks
        page = await tasks.list_of(
            who.user.id, states=self._states(), before=before, limit=self.page_limit(), is_service=who.service
        )
        translate = self.language.translate
        self.reply({"items": [tasks.brief(task, translate) for task in page.tasks], "next": page.next})

    def _states(self) -> list[str] | None:
        state = self.get_query_argument("state", None)
        if state is None:
            return None
        if state != "open" and state not in STATES:
            raise bad_query("state", N_("one of %(names)s", names=", ".join(("open", *STATES))))
        return OPEN if state == "open" else [state]


class OneTaskHandler(ApiHandler):
    """What the addresses of one task share."""

    def answer(self, task: Task) -> None:
        """200 with the task."""
        self.reply(self.services.tasks.view(task, self.language.translate))


class TaskHandler(OneTaskHandler):
    """``/tasks/{task_id}``."""

    async def get(self, task_id: str) -> None:
        """200 with the task, what it was asked to do, and everything that has happened in it."""
        tasks, who = self.services.tasks, self.who
        task = await tasks.get(task_id, who.user.id, is_service=who.service)
        events = await tasks.events(task_id)
        more = {"params": task.params, "events": [event_view(event) for event in events if event.number <= task.number]}
        self.reply(tasks.view(task, self.language.translate) | more)


class TaskCancelHandler(OneTaskHandler):
    """``POST /tasks/{task_id}/cancel``."""

    async def post(self, task_id: str) -> None:
        """200 with the task; 409 ``bad_state`` for one that is over."""
        self.read(NoBody)
        self.answer(await self.services.tasks.cancel(task_id, self.who.user.id))


class ReviewBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /tasks/{task_id}/review``; ``round`` says which document was looked at."""

    decision: Decision
    comment: Annotated[str, Meta(max_length=MAX_COMMENT_CHARACTERS)] = ""
    round: Annotated[int, Meta(ge=1, le=2**53)] | None = None


class TaskReviewHandler(OneTaskHandler):
    """``POST /tasks/{task_id}/review``."""

    async def post(self, task_id: str) -> None:
        """200 with the task; 409 ``bad_state`` when there is nothing to decide, or something else by now."""
        body = self.read(ReviewBody)
        who = self.who.user.id
        self.answer(await self.services.tasks.review(task_id, who, body.decision, body.comment, body.round))


class EventBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /tasks/{task_id}/events``."""

    event_id: Name
    type: Literal["started", "progress", "retrying", "review_requested", "completed", "failed", "cancelled"]
    progress: Annotated[float, Meta(ge=0, le=1)] | None = None
    stage: Stage | None = None
    message: Annotated[str, Meta(min_length=1, max_length=2_000)] | None = None
    code: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,63}$")] | None = None
    values: dict[str, str | int | float | bool | None] = {}
    data: dict[str, Any] | None = None


class TaskEventsHandler(ApiHandler):
    """``POST /tasks/{task_id}/events``: another program says how the work goes."""

    async def post(self, task_id: str) -> None:
        """201 with the event and the task; 200 for an ``event_id`` that was sent before; 409 ``bad_state`` when that
        cannot happen now."""
        draft = EventDraft(**msgspec.structs.asdict(self.read(EventBody)))
        driven = await self.services.external_tasks.drive(self.who, task_id, draft)
        task = self.services.tasks.view(driven.task, self.language.translate)
        self.reply({"event": event_view(driven.event), "task": task}, 201 if driven.is_new else 200)


def _title(given: str | None) -> str | None:
    title = None if given is None else given.strip()
    if title is not None and not (title and title.isprintable()):
        raise BadRequest.of("title", N_("1 to %(count)s printable characters", count=200))
    return title
