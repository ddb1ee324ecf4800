"""Tasks of the kind ``external``: another program does the work, and says how it goes."""

from __future__ import annotations

from typing import Any

from server.auth.identity import Identity
from server.clock import Clock
from server.errors import BadRequest, Forbidden, RateLimited
from server.languages.sentences import N_
from server.realtime.frames import UserRef
from server.realtime.limits import TokenBucket
from server.store.users import User, UserStore
from server.tasks.endings import TaskFailed
from server.tasks.model import EXTERNAL, EventDraft, Task
from server.tasks.tasks import Stored, Tasks
from server.tasks.work import Work

DEADLINE_S = 7 * 86_400.0
"""A week: nobody here knows how long the work of others takes."""
EVENTS_PER_S = 50.0
EVENTS_AT_ONCE = 500
"""Of one service account, for all its tasks: each is stored, and told to every device of a person."""


class External:
    """The kind whose work is done elsewhere; the runner leaves it alone."""

    name = EXTERNAL
    stages: tuple[str, ...] = ()
    deadline_s = DEADLINE_S

    def title(self, params: dict[str, Any]) -> str:
        """See :class:`~server.tasks.kinds.Kind`."""
        return N_("Task of another program")

    async def check(self, params: dict[str, Any], user: UserRef) -> dict[str, Any]:
        """Whatever they are, they are for the other program."""
        return params

    async def run(self, work: Work) -> dict[str, Any]:
        """Never called."""
        raise TaskFailed("not_here", "Another program does this work")


class ExternalTasks:
    """What service accounts may do with tasks, and people with tasks for service accounts."""

    def __init__(self, tasks: Tasks, users: UserStore, clock: Clock) -> None:
        self._tasks = tasks
        self._users = users
        self._clock = clock
        self._buckets: dict[str, TokenBucket] = {}  # of service accounts: as many as somebody has added by hand

    async def create(
        self,
        who: Identity,
        params: dict[str, Any],
        *,
        title: str | None = None,
        user: str | None = None,
        worker: str | None = None,
        stages: list[str] | None = None,
        client_key: str | None = None,
    ) -> Task:
        """A task of ``who`` that the service account called ``worker`` drives, or any; or, where ``who`` is a service
        account, one of the person called ``user`` that it drives itself.

        Raises :class:`Forbidden`, :class:`BadRequest`, and as :meth:`Tasks.create`.
        """
        owner, worker_id = await self._roles(who, user, worker)
        return await self._tasks.create(
            owner.id,
            EXTERNAL,
            params,
            title=title,
            user=owner,
            worker_id=worker_id,
            stages=stages,
            created_by=who.user.id,
            client_key=client_key,
        )

    async def _roles(self, who: Identity, user: str | None, worker: str | None) -> tuple[UserRef, str | None]:
        """Whose task it is, and who drives it."""
        if who.service:
            if worker is not None:
                raise BadRequest.of("worker", N_("a service account drives the tasks itself that it starts"))
            person = None if user is None else await self._users.by_name(user)
            if person is None or person.service or person.disabled:
                raise BadRequest.of("user", N_("the user name of a person"))
            return person.ref, who.user.id
        if user is not None:
            raise Forbidden("Only service accounts start tasks for others")
        return who.user, None if worker is None else (await self._service(worker)).user_id

    async def _service(self, username: str) -> User:
        service = await self._users.by_name(username)
        if service is None or not service.service or service.disabled:
            raise BadRequest.of("worker", N_("the name of a service account"))
        return service

    async def drive(self, who: Identity, task_id: str, draft: EventDraft) -> Stored:
        """Makes ``draft`` the next event of a task; the same ``event_id`` again changes nothing.

        Raises :class:`~server.errors.NotFound` for tasks that this account does not drive, :class:`Forbidden` for
        people, :class:`RateLimited`, and as :meth:`Tasks.append`.
        """
        task = await self._tasks.get(task_id, who.user.id, is_service=who.service)
        if not who.service or not task.is_external:
            raise Forbidden("Only the service account that does the work says how it goes")
        self._count(who.user.id)
        return await self._tasks.commit(task_id, checked(draft), known=task)

    def _count(self, service_id: str) -> None:
        now_s = self._clock.monotonic()
        bucket = self._buckets.setdefault(service_id, TokenBucket(EVENTS_PER_S, EVENTS_AT_ONCE, now_s))
        if not bucket.take(now_s):
            raise RateLimited("Too much from you in a short time; wait a moment", retry_after_s=bucket.wait_s())


def checked(draft: EventDraft) -> EventDraft:
    """``draft`` if its data can be shown to people; raises :class:`BadRequest`."""
    if draft.type == "completed":
        for name in ("url", "title"):
            value = (draft.data or {}).get(name)
            if value is not None and not isinstance(value, str):
                raise BadRequest.of(f"data.{name}", N_("a text"))
        url = (draft.data or {}).get("url")
        if url is not None and not is_link(url):
            raise BadRequest.of("data.url", N_("an address that begins with https://, http:// or one /"))
    return draft


def is_link(url: str) -> bool:
    """Whether a page may lead there: a page of this server, or one of the web."""
    is_here = url.startswith("/") and not url.startswith(("//", "/\\"))
    return url.isprintable() and " " not in url and (is_here or url.startswith(("https://", "http://")))
