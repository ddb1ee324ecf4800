"""Everybody's replies: one at a time in a dialogue, in the order of the questions, stored as they grow.

What is told was stored before. Where the server is killed, the questions that wait are there when it starts again, and
a reply that was cut off is found by its lease: nobody says any more that somebody is replying.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, TypeVar

import stamina

from server.books.indexes import IndexNotMade
from server.books.model import Book, Found
from server.clock import Clock
from server.dialogues.model import ReplyError, ReplyState, Source, Turn, messages_of, reply_view
from server.dialogues.responders.responder import Asked, Cited, NoReply, Responder
from server.errors import BadState, NotFound, Unavailable
from server.log import get_logger
from server.metrics import Metrics
from server.realtime.bus import Bus, ToDialogue, dialogue_topic
from server.realtime.frames import DialogueMessage, Reply, ReplyDelta, ReplyFailed, ToClient, encode
from server.settings import DialogueSettings
from server.store.dialogues import DialogueStore
from server.wire import rfc3339

log = get_logger("dialogues")

PASSAGES = 6
"""Looked at for one question: some 6,000 characters."""
EARLIER_TURNS = 12
"""Of what was said before, at most; the responder takes of them what it has room for."""
PER_PERSON = 3
"""Replies that one person is given at the same time, in as many dialogues: the others wait for their own, and nobody
for them."""
PART_EVERY_S = 0.05
"""What comes more quickly is told together: twenty writes a second for one reply, and no eye sees the difference."""
INSIST_FOR_S = 60.0
"""How long the database is asked again to take a part of a reply; whoever reads sees it stand still meanwhile."""
STOP_WITHIN_S = 5.0
"""Longer than any operation of the database may take: the interrupted replies are written down."""
AT_A_TIME = 200

STOPPED = ReplyError("server_stopped", "The server stopped while it was answering.")

T = TypeVar("T")


class Library(Protocol):
    """The books, as far as a dialogue needs them."""

    async def get(self, book_id: str, user_id: str) -> Book:
        """A book that the person may read; raises :class:`NotFound`."""
        ...

    async def find(self, book_id: str, question: str, limit: int = ...) -> list[Found]:
        """The passages of a book that may answer a question, best first."""
        ...


class Ending(NamedTuple):
    """How a reply ends."""

    state: ReplyState
    error: ReplyError | None = None
    sources: tuple[Source, ...] = ()


class _Overtaken(Exception):
    """The reply is no longer ours: the dialogue was deleted, or another process took us for dead."""


class _Growing:
    """A reply as far as it was read from the responder (``waiting``) and stored (``text``, ``parts``)."""

    def __init__(self) -> None:
        self.text = ""
        self.parts = 0
        self._waiting: list[str] = []
        self._length = 0
        self._is_whole = False
        self._more = asyncio.Event()

    async def read(self, pieces: AsyncGenerator[str, None], max_characters: int) -> None:
        """Takes what the responder says, to its end."""
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    if not piece:
                        continue
                    self._length += len(piece)
                    if self._length > max_characters:
                        raise NoReply("too_long", "The reply was longer than may be.")
                    self._waiting.append(piece)
                    self._more.set()
        finally:
            self._is_whole = True
            self._more.set()

    async def next_part(self) -> str:
        """What has come since, once something has; empty: that was all."""
        await self._more.wait()
        if not self._is_whole:
            await asyncio.sleep(PART_EVERY_S)
        part = "".join(self._waiting)
        self._waiting.clear()
        if not self._is_whole:
            self._more.clear()
        return part


class _Worker:
    """Replies to one dialogue. ``once_more``: something was asked while it looked for what to do; ``stored``: the end
    of the reply under way is; ``unwanted`` are turns that were ended before it had them."""

    def __init__(self) -> None:
        self.once_more = True
        self.task: asyncio.Task[None] | None = None
        self.turn_id: str | None = None
        self.answering: asyncio.Task[Ending] | None = None
        self.stored = asyncio.Event()
        self.stopped_as: Ending | None = None
        self.unwanted: set[str] = set()

    def stop(self, ending: Ending) -> None:
        """The reply under way ends like that, now."""
        if self.answering is not None and self.stopped_as is None:
            self.stopped_as = ending
            self.answering.cancel()


class _Places:
    """How many replies are given at the same time, to everybody and to each person; who waits is taken in turn."""

    def __init__(self, places: int) -> None:
        self._all = asyncio.Semaphore(places)
        self._per_person = max(1, min(PER_PERSON, places - 1))
        self._persons: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def of(self, user_id: str) -> AsyncIterator[None]:
        """A place for one reply to that person."""
        own, users = self._persons.get(user_id, (asyncio.Semaphore(self._per_person), 0))
        self._persons[user_id] = own, users + 1
        try:
            async with own, self._all:
                yield
        finally:
            own, users = self._persons.pop(user_id)
            if users > 1:
                self._persons[user_id] = own, users - 1


class Replies:
    """The replies of this process."""

    def __init__(
        self,
        store: DialogueStore,
        library: Library,
        responder: Responder,
        bus: Bus,
        clock: Clock,
        epoch: str,
        metrics: Metrics,
        settings: DialogueSettings,
    ) -> None:
        """``epoch`` tells this process from every other."""
        self._store = store
        self._library = library
        self._responder = responder
        self._bus = bus
        self._clock = clock
        self._epoch = epoch
        self._metrics = metrics
        self._settings = settings
        self._workers: dict[str, _Worker] = {}
        self._places = _Places(settings.replies_at_once)
        self._is_stopping = False

    def __len__(self) -> int:
        return len(self._workers)

    # ── what others ask for ──

    def wake(self, session_id: str) -> None:
        """Something waits in that dialogue: it is replied to, as soon as it is its turn."""
        if self._is_stopping:
            return
        worker = self._workers.get(session_id)
        if worker is not None:
            worker.once_more = True
            return
        worker = self._workers[session_id] = _Worker()
        worker.task = asyncio.get_running_loop().create_task(self._work(session_id, worker))

    async def cancel(self, turn: Turn) -> Turn | None:
        """Ends a reply that nobody wants any more, also one that has not begun; ``None`` if it was over before. When it
        returns, that is stored; raises :class:`Unavailable` where it could not be yet."""
        if turn.state == "waiting":
            ended = await self._store.finish(turn.turn_id, "cancelled", self._clock.now(), was="waiting")
            if ended is not None:
                self._tell_end(ended)
                return ended
        worker = self._workers.get(turn.session_id)
        if worker is not None and worker.turn_id == turn.turn_id and worker.answering is not None:
            stored = asyncio.create_task(worker.stored.wait())
            worker.stop(Ending("cancelled"))
            _, late = await asyncio.wait([stored], timeout=STOP_WITHIN_S)
            if late:
                stored.cancel()
                raise Unavailable()
            return turn
        if worker is not None:
            worker.unwanted.add(turn.turn_id)  # it may be about to have it
        # It is replied to by another process, which finds that it is no longer wanted when it stores the next part.
        return await self._end(turn, Ending("cancelled"))

    def forget(self, session_id: str) -> None:
        """The dialogue was deleted."""
        worker = self._workers.get(session_id)
        if worker is not None:
            worker.stop(Ending("cancelled"))

    async def round(self) -> None:
        """Says which replies are going on, ends those that nobody gives any more, and takes up what waits. A reply of
        our own is never taken for dead, however long the database was away."""
        now = self._clock.now()
        own = [worker.turn_id for worker in self._workers.values() if worker.turn_id is not None]
        if own:
            await self._store.renew(own, self._epoch, self._lease_until())
        for turn in await self._store.abandoned(now, AT_A_TIME):
            if turn.turn_id not in own:
                why = ReplyError("server_lost", "The server stopped while it was answering.")
                await self._end(turn, Ending("interrupted", why), silent_since=now)
        for session_id in await self._store.uncleared():
            await self._store.clear(session_id)
        for session_id in await self._store.waiting_dialogues(AT_A_TIME, besides=list(self._workers)):
            self.wake(session_id)

    async def stop(self) -> None:
        """The server stops: what is under way is interrupted, what waits stays until it starts again."""
        self._is_stopping = True
        for worker in self._workers.values():
            worker.stop(Ending("interrupted", STOPPED))
        tasks = [worker.task for worker in self._workers.values() if worker.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_WITHIN_S)
            for task in late:
                task.cancel()
        await self._responder.close()

    # ── one dialogue ──

    async def _work(self, session_id: str, worker: _Worker) -> None:
        try:
            dialogue = await self._store.by_id(session_id)
            if dialogue is None:
                await self._store.clear(session_id)
                return
            while worker.once_more and not self._is_stopping:
                worker.once_more = False
                while await self._next_turn(session_id, dialogue.user_id, worker):
                    pass
        except Unavailable:
            log.warning("reply_postponed", why="the database is away")  # the next round takes it up
        except Exception:
            log.exception("reply_failed")
        finally:
            del self._workers[session_id]

    async def _next_turn(self, session_id: str, user_id: str, worker: _Worker) -> bool:
        """Replies to the turn that is next, as soon as there is a place for it; false if there is none."""
        async with self._places.of(user_id):
            if self._is_stopping or (turn := await self._claim(session_id)) is None:
                return False
            try:
                if turn.turn_id not in worker.unwanted:
                    await self._reply(turn, worker)
            except _Overtaken:
                log.info("reply_overtaken")
        return True

    async def _claim(self, session_id: str) -> Turn | None:
        """The turn that is next, now ours; ``None`` if there is none, or somebody replies in this dialogue."""
        turn = await self._store.first_open(session_id)
        if turn is None:
            return None
        if turn.state == "streaming":
            # Ours and of no worker: the database took the claim, and its answer was lost.
            return turn if turn.lease_by == self._epoch and turn.parts == 0 else None
        return await self._store.claim(turn.turn_id, self._epoch, self._lease_until())

    async def _reply(self, turn: Turn, worker: _Worker) -> None:
        # The question as well: where the database took it and its answer was lost, nobody was told of it.
        for message in messages_of([turn]):
            self._tell(turn, DialogueMessage(timestamp=self._now(), session_id=turn.session_id, message=message))
        worker.turn_id = turn.turn_id
        worker.stopped_as = None
        worker.stored.clear()
        worker.answering = asyncio.get_running_loop().create_task(self._answer(turn))
        if self._is_stopping:  # since it was claimed
            worker.stop(Ending("interrupted", STOPPED))
        try:
            await asyncio.wait([worker.answering])
            if worker.answering.cancelled():
                ending = worker.stopped_as or Ending("cancelled")
            else:
                ending = worker.answering.result()
            await self._insist(lambda: self._end(turn, ending))
            worker.stored.set()
        except _Overtaken:
            worker.stored.set()  # by somebody else
            raise
        finally:
            worker.answering.cancel()
            worker.answering = worker.turn_id = None

    async def _answer(self, turn: Turn) -> Ending:
        """Gives the reply, and says how it ended; nothing of it is stored after that."""
        growing = _Growing()
        try:
            async with asyncio.timeout(self._settings.reply_timeout_s):
                asked = await self._asked(turn)
                await self._grow(turn, growing, asked)
            return Ending("complete", sources=self._sources(asked, growing.text))
        except NoReply as error:
            why = error.error
        except NotFound:
            why = ReplyError("book_gone", "The book is not there any more.")
        except IndexNotMade as error:  # the next time no more than now
            why = ReplyError(error.code, str(error.message))
        except BadState:
            why = ReplyError("book_not_ready", "The book is not ready to be asked.")
        except TimeoutError:
            why = ReplyError("too_slow", "The reply took too long.")
        except (Unavailable, _Overtaken):
            raise
        except Exception:
            log.exception("responder_failed", responder=self._responder.name)
            why = ReplyError("internal_error", "The server failed while it was answering.")
        return Ending("interrupted" if growing.parts else "failed", why)

    async def _asked(self, turn: Turn) -> Asked:
        dialogue = await self._insist(lambda: self._store.by_id(turn.session_id))
        if dialogue is None or dialogue.deleted_at is not None:
            await self._insist(lambda: self._store.clear(turn.session_id))
            raise _Overtaken
        book_id, user_id = dialogue.book_id, dialogue.user_id
        book = await self._insist(lambda: self._library.get(book_id, user_id))
        found = await self._insist(lambda: self._library.find(book_id, turn.question, PASSAGES))
        earlier = await self._insist(lambda: self._store.turns(turn.session_id, limit=EARLIER_TURNS, below=turn.number))
        complete = [each for each in earlier if each.state == "complete"]
        return Asked(turn.question, dialogue.book_title, complete, found, book.is_built_in)

    async def _grow(self, turn: Turn, growing: _Growing, asked: Asked) -> None:
        pieces = self._responder.reply(asked)
        reading = asyncio.create_task(growing.read(pieces, self._settings.max_reply_characters))
        try:
            while part := await growing.next_part():
                await self._store_part(turn, growing, part)
            await reading
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _store_part(self, turn: Turn, growing: _Growing, part: str) -> None:
        text, parts = growing.text + part, growing.parts + 1
        if not await self._insist(lambda: self._store.grow(turn.turn_id, self._epoch, parts, text)):
            raise _Overtaken
        growing.text, growing.parts = text, parts
        self._tell(
            turn,
            ReplyDelta(
                timestamp=self._now(), session_id=turn.session_id, message_id=turn.turn_id, part=parts, text=part
            ),
        )

    async def _end(self, turn: Turn, ending: Ending, silent_since: datetime | None = None) -> Turn | None:
        ended = await self._store.finish(
            turn.turn_id,
            ending.state,
            self._clock.now(),
            silent_since=silent_since,
            sources=ending.sources,
            error=ending.error,
        )
        if ended is not None:
            self._metrics.replies.labels(ending.state).inc()
        else:
            # Stored before, and the database's answer was lost; or it is not ours to say how it ended.
            ended = await self._store.turn(turn.session_id, turn.turn_id)
        if ended is not None and ended.is_over:
            self._tell_end(ended)
        return ended

    def _sources(self, asked: Asked, text: str) -> tuple[Source, ...]:
        return tuple(_source(cited, asked.book_title) for cited in self._responder.sources(asked, text))

    async def _insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """The database is asked again while it is away, for a while; doing it twice must change nothing twice."""
        async for attempt in stamina.retry_context(
            on=Unavailable, attempts=None, timeout=INSIST_FOR_S, wait_initial=0.1, wait_max=2.0, wait_jitter=0.1
        ):
            with attempt:
                return await write()
        raise Unavailable()

    # ── telling ──

    def _tell_end(self, turn: Turn) -> None:
        kind = Reply if turn.state == "complete" else ReplyFailed
        self._tell(turn, kind(timestamp=self._now(), session_id=turn.session_id, message=reply_view(turn)))

    def _tell(self, turn: Turn, frame: ToClient) -> None:
        self._bus.publish(dialogue_topic(turn.session_id), ToDialogue(turn.session_id, encode(frame)))

    def _now(self) -> str:
        return rfc3339(self._clock.now())

    def _lease_until(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self._settings.lease_s)


def _source(cited: Cited, book_title: str) -> Source:
    passage = cited.found.passage
    return Source(
        n=cited.n,
        passage_id=passage.passage_id,
        book_id=passage.book_id,
        book_title=book_title,
        chapter=passage.chapter,
        chapter_title=passage.chapter_title,
        quote=cited.quote,
        url=passage.path,
        heading=passage.heading,
    )
