"""The collections ``tasks``, ``task_events`` and ``task_steps``: what is being done, what has happened, what is ready.

The events are the truth: storing one under its number, which is unique in its task, is the moment from which it has
happened. The document of a task is what its events come to; whoever reads one adds the events that are newer. Beside
that it holds ``open`` while something may still happen, and the lease of the process that does the work:
``lease_owner`` and ``lease_until``.

What people and programs have written themselves (parameters, values, data, results) is stored as JSON text: it comes
back as it was, whatever the names and numbers in it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from server.store.driver import ASCENDING, DESCENDING, Collection, Database, Document, Duplicate, IndexModel
from server.tasks.model import EXTERNAL, Task, TaskEvent

IS_OPEN: Document = {"open": True}
NO_LEASE = datetime.fromtimestamp(0, UTC)
TAKEN_UP = ["queued", "running"]
"""The states in which somebody is to do the work."""
FREE_FORM = ("params", "title_values", "values", "data", "result", "review", "reviews", "error")

TASK_INDEXES = [
    IndexModel([("user_id", ASCENDING), ("_id", DESCENDING)], name="of_user"),
    IndexModel([("user_id", ASCENDING), ("open", DESCENDING), ("_id", DESCENDING)], name="of_user_open_first"),
    IndexModel([("worker_id", ASCENDING), ("_id", DESCENDING)], name="of_worker", partialFilterExpression=IS_OPEN),
    IndexModel([("lease_until", ASCENDING)], name="leases", partialFilterExpression=IS_OPEN),
    IndexModel([("deadline", ASCENDING)], name="deadlines", partialFilterExpression=IS_OPEN),
    IndexModel(
        [("state", ASCENDING), ("stalled", ASCENDING), ("updated_at", ASCENDING)],
        name="silent",
        partialFilterExpression=IS_OPEN,
    ),
    IndexModel([("user_id", ASCENDING)], name="open_of_user", partialFilterExpression=IS_OPEN),
    IndexModel(
        [("created_by", ASCENDING), ("client_key", ASCENDING)],
        name="one_task_for_a_client_key",
        unique=True,
        partialFilterExpression={"client_key": {"$type": "string"}},
    ),
    IndexModel([("ended_at", ASCENDING)], name="ended", partialFilterExpression={"ended_at": {"$type": "date"}}),
]
EVENT_INDEXES = [
    IndexModel([("task_id", ASCENDING), ("number", ASCENDING)], name="one_event_for_a_number", unique=True),
    IndexModel(
        [("task_id", ASCENDING), ("event_id", ASCENDING)],
        name="one_event_for_an_event_id",
        unique=True,
        partialFilterExpression={"event_id": {"$type": "string"}},
    ),
]
STEP_INDEXES = [IndexModel([("task_id", ASCENDING), ("name", ASCENDING)], name="one_result_for_a_step", unique=True)]


class Claimable(NamedTuple):
    """A task that nobody works at; ``owner`` is who did last and has not given it back, ``lost`` how often that was
    so, ``postponed`` how often it was given back because it could not be done."""

    task: Task
    owner: str | None
    lost: int
    postponed: int


class Due(NamedTuple):
    """Tasks that somebody has to look after: those past their deadline, and those of which nothing is heard."""

    late: list[Task]
    silent: list[Task]


class TaskStore:
    """Tasks in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._tasks: Collection = database.collection("tasks")
        self._events: Collection = database.collection("task_events")
        self._steps: Collection = database.collection("task_steps")

    async def ensure_indexes(self) -> None:
        """Makes the indexes; see :meth:`Collection.ensure_indexes`."""
        await self._tasks.ensure_indexes(TASK_INDEXES)
        await self._events.ensure_indexes(EVENT_INDEXES)
        await self._steps.ensure_indexes(STEP_INDEXES)

    # ── tasks ──

    async def insert(self, task: Task) -> None:
        """Stores a new task, to which nothing has happened yet. Raises :class:`~server.store.driver.Duplicate` for a
        ``client_key`` that whoever created it has used before."""
        lease: Document = {"lease_owner": None, "lease_until": NO_LEASE, "lost": 0}
        await self._tasks.insert({"_id": task.task_id} | _stored(task, "task_id") | lease)

    async def get(self, task_id: str) -> Task | None:
        """The task with that id, as its document says: its events may be newer."""
        found = await self._tasks.find_one({"_id": task_id})
        return None if found is None else _task(found)

    async def write(self, task: Task) -> bool:
        """Brings the document of a task up to ``task``; false if there is a newer one, or none any more."""
        change: Document = {"$set": _stored(task, "task_id")}
        if task.is_over:
            change["$unset"] = {"open": ""}
        return await self._tasks.update({"_id": task.task_id, "number": {"$lt": task.number}}, change)

    async def by_client_key(self, created_by: str, client_key: str) -> Task | None:
        """The task that somebody has created under that name."""
        name = {"$eq": client_key, "$type": "string"}
        found = await self._tasks.find_one({"created_by": created_by, "client_key": name})
        return None if found is None else _task(found)

    async def of_user(
        self, user_id: str, *, limit: int, states: list[str] | None = None, before: str | None = None
    ) -> list[Task]:
        """A person's tasks, newest first; ``before`` is the id of the last one that was seen."""
        return await self._newest({"user_id": user_id}, limit, states, before)

    async def newest(self, limit: int, states: list[str] | None = None) -> list[Task]:
        """Everybody's tasks, newest first."""
        return await self._newest({}, limit, states, None)

    async def for_worker(
        self, worker_id: str, *, limit: int, states: list[str] | None = None, before: str | None = None
    ) -> list[Task]:
        """The tasks that a service account may drive and that are not over, newest first."""
        query: Document = {"worker_id": {"$in": [worker_id, None]}, "kind": EXTERNAL} | IS_OPEN
        return await self._newest(query, limit, states, before)

    async def _newest(self, query: Document, limit: int, states: list[str] | None, before: str | None) -> list[Task]:
        if states is not None:
            query = query | {"state": {"$in": states}}
        if before is not None:
            query = query | {"_id": {"$lt": before}}  # UUIDv7: the order of ids is the order of time
        found = await self._tasks.find(query, sort=[("_id", DESCENDING)], limit=limit)
        return [_task(document) for document in found]

    async def open_of_user(self, user_id: str) -> list[Task]:
        """A person's tasks that are not over, newest first."""
        found = await self._tasks.find({"user_id": user_id} | IS_OPEN, sort=[("_id", DESCENDING)])
        return [_task(document) for document in found]

    async def open_first(self, user_id: str, limit: int) -> list[Task]:
        """A person's tasks, first those that are not over; each newest first."""
        order = [("open", DESCENDING), ("_id", DESCENDING)]
        found = await self._tasks.find({"user_id": user_id}, sort=order, limit=limit)
        return [_task(document) for document in found]

    async def count_open(self, user_id: str) -> int:
        """How many tasks of that person are not over."""
        return await self._tasks.count({"user_id": user_id} | IS_OPEN)

    async def count_waiting(self, user_id: str) -> int:
        """How many tasks of that person wait for a review."""
        return await self._tasks.count({"user_id": user_id, "state": "waiting_review"} | IS_OPEN)

    async def due(self, now: datetime, silent_since: datetime, left_since: datetime, limit: int = 200) -> Due:
        """Tasks past their deadline, and those that run and of which nothing was heard since ``silent_since``.

        Work of the server's own that nobody does any more is taken up again, and has its time anew: it is past its
        deadline only when it was so at ``left_since``.
        """
        unheard: Document = {"state": "running", "stalled": False, "updated_at": {"$lte": silent_since}}
        late = await self._tasks.find(_past_deadline(now, left_since), sort=[("deadline", ASCENDING)], limit=limit)
        silent = await self._tasks.find(IS_OPEN | unheard, sort=[("updated_at", ASCENDING)], limit=limit)
        return Due([_task(document) for document in late], [_task(document) for document in silent])

    # ── leases ──

    async def claimable(self, kinds: list[str], now: datetime, limit: int, *, but_of: list[str]) -> list[Claimable]:
        """Tasks of these kinds that somebody has to work at and nobody does, oldest first, ``but_of`` some people."""
        query = IS_OPEN | {
            "lease_until": {"$lte": now},
            "state": {"$in": TAKEN_UP},
            "kind": {"$in": kinds},
            "user_id": {"$nin": but_of},
        }
        found = await self._tasks.find(query, sort=[("_id", ASCENDING)], limit=limit)
        return [Claimable(_task(each), each["lease_owner"], each["lost"], each.get("postponed", 0)) for each in found]

    async def claim(self, task_id: str, owner: str, now: datetime, until: datetime, *, was_lost: bool) -> bool:
        """Takes the lease of a task that has none; false if somebody was faster. ``was_lost``: whoever had it before
        has not given it back."""
        change: Document = {"$set": {"lease_owner": owner, "lease_until": until}}
        if was_lost:
            change["$inc"] = {"lost": 1}
        return await self._tasks.update(IS_OPEN | {"_id": task_id, "lease_until": {"$lte": now}}, change)

    async def renew(self, owner: str, task_ids: list[str], until: datetime) -> None:
        """Moves the end of the leases that ``owner`` has on these tasks."""
        if not task_ids:
            return
        await self._tasks.update_all({"_id": {"$in": task_ids}, "lease_owner": owner}, {"$set": {"lease_until": until}})

    async def give_back(self, task_id: str, owner: str) -> None:
        """Ends a lease; one that somebody else has by now stays."""
        await self.postpone(task_id, owner, NO_LEASE, 0)

    async def postpone(self, task_id: str, owner: str, until: datetime, times: int) -> None:
        """As :meth:`give_back`, for work that is not to be taken up before ``until``; that was so ``times`` times."""
        change = {"$set": {"lease_owner": None, "lease_until": until, "postponed": times}}
        await self._tasks.update({"_id": task_id, "lease_owner": owner}, change)

    async def to_be_stopped(self, owner: str, task_ids: list[str]) -> list[str]:
        """At which of these tasks ``owner`` has to work no longer: stopped, over, somebody else's, or gone."""
        query: Document = {
            "_id": {"$in": task_ids},
            "lease_owner": owner,
            "cancel_requested": False,
        } | IS_OPEN
        found = await self._tasks.find(query, fields=["_id"])
        there = {str(each["_id"]) for each in found}
        return [each for each in task_ids if each not in there]

    # ── events ──

    async def append(self, event: TaskEvent) -> None:
        """Stores an event: from now on it has happened. Raises :class:`~server.store.driver.Duplicate` if there is one
        of its number, or of its ``event_id``, or if it is stored already."""
        await self._events.insert({"_id": event.key} | _stored(event, "key"))

    async def events(self, task_id: str, after: int = 0, limit: int = 0) -> list[TaskEvent]:
        """The events of a task behind the number ``after``, in order; at most ``limit``, 0: all."""
        query = {"task_id": task_id, "number": {"$gt": after}}
        found = await self._events.find(query, sort=[("number", ASCENDING)], limit=limit)
        return [_event(document) for document in found]

    async def progress_of(self, task_id: str) -> list[TaskEvent]:
        """What was told of the progress of a task, in order."""
        found = await self._events.find({"task_id": task_id, "type": "progress"}, sort=[("number", ASCENDING)])
        return [_event(document) for document in found]

    async def newer(self, tasks: list[Task]) -> dict[str, list[TaskEvent]]:
        """By task id, the events in order that these documents do not know of yet."""
        newer: dict[str, list[TaskEvent]] = {}
        if tasks:
            behind = [{"task_id": task.task_id, "number": {"$gt": task.number}} for task in tasks]
            for document in await self._events.find({"$or": behind}, sort=[("number", ASCENDING)]):
                event = _event(document)
                newer.setdefault(event.task_id, []).append(event)
        return newer

    async def by_event_id(self, task_id: str, event_id: str) -> TaskEvent | None:
        """The event of that task which another program has given that name."""
        name = {"$eq": event_id, "$type": "string"}
        found = await self._events.find_one({"task_id": task_id, "event_id": name})
        return None if found is None else _event(found)

    # ── steps ──

    async def step(self, task_id: str, name: str) -> bytes | None:
        """The result of a step that is ready, as JSON."""
        found = await self._steps.find_one({"task_id": task_id, "name": name})
        return None if found is None else bytes(found["result"])

    async def keep_step(self, task_id: str, name: str, result: bytes) -> bytes:
        """Keeps the result of a step, as JSON; returns the one that holds: whoever was first."""
        try:
            await self._steps.insert({"task_id": task_id, "name": name, "result": result})
        except Duplicate:
            return await self.step(task_id, name) or result
        return result

    async def forget_steps(self, task_id: str) -> None:
        """Removes the results of all steps of a task that is over."""
        await self._steps.delete({"task_id": task_id})

    # ── removing ──

    async def remove_of(self, user_id: str) -> int:
        """Removes all tasks of a person, with what has happened in them; returns how many there were."""
        return await self._remove({"user_id": user_id}, 0)

    async def remove_ended_before(self, moment: datetime, limit: int) -> int:
        """Removes tasks that ended before ``moment``, at most ``limit``; returns how many that were."""
        return await self._remove({"ended_at": {"$lt": moment, "$type": "date"}}, limit)

    async def forget(self, task_id: str) -> None:
        """Removes what is left of a task that is gone."""
        await self._steps.delete({"task_id": task_id})
        await self._events.delete({"task_id": task_id})

    async def _remove(self, query: Document, limit: int) -> int:
        ids = [each["_id"] for each in await self._tasks.find(query, limit=limit, fields=["_id"])]
        if ids:
            of_these = {"task_id": {"$in": ids}}
            await self._steps.delete(of_these)
            await self._events.delete(of_these)
            await self._tasks.delete({"_id": {"$in": ids}})
            await self._events.delete(of_these)  # stored while the first were removed; a later one finds no task
        return len(ids)


def _past_deadline(now: datetime, left_since: datetime) -> Document:
    """The query for tasks that have taken too long; see :meth:`TaskStore.due`."""
    is_worked_at: Document = {"lease_owner": {"$ne": None}, "lease_until": {"$gt": now}}
    counts: list[Document] = [
        {"kind": EXTERNAL},
        {"state": {"$ne": "running"}},
        {"cancel_requested": True},
        {"deadline": {"$lte": left_since}},
        is_worked_at,
    ]
    return IS_OPEN | {"deadline": {"$lte": now}, "$or": counts}


def _stored(value: Task | TaskEvent, key: str) -> Document:
    document: dict[str, Any] = msgspec.to_builtins(value, builtin_types=(datetime,))
    del document[key]
    for name in FREE_FORM:
        if document.get(name) is not None:
            document[name] = msgspec.json.encode(document[name]).decode()
    if isinstance(value, Task) and not value.is_over:
        document["open"] = True
    return document


def _read(document: Document, key: str) -> Document:
    read = dict(document)
    read[key] = read.pop("_id")
    for name in FREE_FORM:
        if read.get(name) is not None:
            read[name] = msgspec.json.decode(read[name])
    return read


def _task(document: Document) -> Task:
    return msgspec.convert(_read(document, "task_id"), Task)


def _event(document: Document) -> TaskEvent:
    return msgspec.convert(_read(document, "key"), TaskEvent)
