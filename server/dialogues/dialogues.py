"""Everybody's dialogues: starting one, asking, cancelling, reading, deleting."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from server.clock import Clock
from server.dialogues.endpoint import DialogueEndpoint
from server.dialogues.model import Dialogue, Turn, dialogue_view, messages_of, question_view, reply_view
from server.dialogues.replies import Library, Replies
from server.dialogues.responders.responder import Responder
from server.errors import BadRequest, BadState, NotFound, RateLimited, TooLarge
from server.ids import is_id, new_id
from server.languages.sentences import N_
from server.metrics import Metrics
from server.realtime.bus import Bus, DialogueDeleted, ToDialogue, dialogue_topic
from server.realtime.frames import DialogueMessage, encode
from server.realtime.hub import Hub
from server.realtime.limits import TokenBucket
from server.settings import Settings
from server.store.dialogues import DialogueStore
from server.store.driver import Duplicate
from server.wire import rfc3339

TITLE_CHARACTERS = 80
"""A dialogue is called by its first question, or the beginning of it."""


class DialoguePage(NamedTuple):
    """Some of a person's dialogues as the wire has them, and the ``before`` of the next page."""

    items: list[dict[str, Any]]
    next: str | None


class Dialogues:
    """A message is stored before anybody is told of it, and stays with the dialogue. Attributes: ``store``, ``replies``
    and ``endpoint``, the parts that the rest of the server has to do with."""

    def __init__(
        self,
        store: DialogueStore,
        library: Library,
        responder: Responder,
        hub: Hub,
        bus: Bus,
        clock: Clock,
        epoch: str,
        metrics: Metrics,
        settings: Settings,
        sockets_at: str,
    ) -> None:
        """``sockets_at``: under what path the sockets of dialogues lie."""
        self._sockets_at = sockets_at
        self.store = store
        self._library = library
        self._responder = responder
        self._bus = bus
        self._clock = clock
        self._settings = settings.dialogues
        self._buckets: dict[str, TokenBucket] = {}
        self.replies = Replies(store, library, responder, bus, clock, epoch, metrics, settings.dialogues)
        sockets = settings.sockets
        self.endpoint = DialogueEndpoint(self, hub, bus, sockets.heartbeat_interval_s, sockets.resume_window_s)

    # ── a dialogue ──

    async def start(self, book_id: str, user_id: str) -> Dialogue:
        """Begins a dialogue about a book that the person may read; raises :class:`NotFound`, :class:`BadState` for one
        that is not read yet or could not be, :class:`RateLimited`."""
        self._require_within_rate(user_id)
        book = await self._library.get(book_id, user_id)
        if book.state != "ready":
            raise BadState("The book cannot be read")
        now = self._clock.now()
        dialogue = Dialogue(
            session_id=new_id(),
            user_id=user_id,
            title=str(book.title),
            book_id=book_id,
            book_title=str(book.title),
            responder=self._responder.name,
            created_at=now,
            updated_at=now,
        )
        await self.store.insert(dialogue)
        return dialogue

    async def get(self, session_id: str, user_id: str) -> Dialogue:
        """The dialogue; raises :class:`NotFound` for everybody whose it is not, as if there were none."""
        dialogue = await self.store.get(session_id, user_id) if is_id(session_id) else None
        if dialogue is None or dialogue.deleted_at is not None:
            raise NotFound("There is no such dialogue")
        return dialogue

    async def newest(self, session_id: str, user_id: str, turns: int) -> tuple[Dialogue, list[Turn]] | None:
        """The dialogue, also one that was deleted, and its newest turns; ``None`` for everybody whose it is not."""
        return await self.store.with_turns(session_id, user_id, turns)

    async def page(self, user_id: str, *, limit: int, before: str | None) -> DialoguePage:
        """A person's dialogues, the one that was last written in first; each with its ``last_message``."""
        listed = await self.store.list_of(user_id, limit=limit + 1, before=_seen(before))
        items = []
        for dialogue, last in listed[:limit]:
            message = None if last is None else (reply_view(last) if last.text else question_view(last))
            items.append(dialogue_view(dialogue, self.ws_url(dialogue)) | {"last_message": message})
        return DialoguePage(items, _cursor(listed[limit - 1].dialogue) if len(listed) > limit else None)

    async def messages(self, session_id: str, *, limit: int, before: str | None) -> tuple[list[dict[str, Any]], Any]:
        """The newest messages of a dialogue, oldest first, and the ``before`` of the page behind them: the number of
        the last one that was seen."""
        if before is not None and not (before.isdecimal() and len(before) <= 9):
            raise BadRequest.of("before", N_("the next of an earlier page"))
        end = None if before is None else int(before)
        # A turn n has the messages 2n - 1 and 2n.
        turns = await self.store.turns(session_id, limit=limit + 1, below=None if end is None else end // 2 + 1)
        messages = [each for each in messages_of(turns) if end is None or each["number"] < end]
        shown = messages[-limit:]
        return shown, str(shown[0]["number"]) if len(messages) > limit else None

    async def delete(self, session_id: str, user_id: str) -> None:
        """Removes a dialogue and all that was said in it; raises as :meth:`get`. Its sockets close."""
        if not is_id(session_id) or not await self.store.set_deleted(session_id, user_id, self._clock.now()):
            raise NotFound("There is no such dialogue")
        self._bus.publish(dialogue_topic(session_id), DialogueDeleted(session_id))
        self.replies.forget(session_id)
        await self.store.clear(session_id)

    def ws_url(self, dialogue: Dialogue) -> str:
        """Where the dialogue goes on: a path under the server's own address."""
        return f"{self._sockets_at}/{dialogue.session_id}"

    # ── what is said in it ──

    async def ask(self, session_id: str, user_id: str, text: str, client_id: str | None = None) -> Turn:
        """Stores a message; its reply comes as soon as it is its turn. The same ``client_id`` is the same message.

        Raises :class:`BadRequest`, :class:`TooLarge`, :class:`RateLimited`, :class:`NotFound`.
        """
        if not text.strip():
            raise BadRequest.of("text", N_("not empty"))
        if len(text) > self._settings.max_message_characters:
            limit = self._settings.max_message_characters
            raise TooLarge(N_("A message has at most %(count)s characters", count=limit))
        known = await self.store.by_client_id(session_id, client_id) if client_id is not None else None
        if known is not None:
            return self._told(known)
        self._require_within_rate(user_id)
        turn = await self._begin(session_id, user_id, text, client_id=client_id)
        try:
            await self.store.insert_turn(turn)
        except Duplicate:  # the same was written at the same time
            assert client_id is not None
            return await self.ask(session_id, user_id, text, client_id)
        return self._told(turn)

    async def ask_again(self, session_id: str, user_id: str, message_id: str, client_id: str | None = None) -> Turn:
        """Wants the reply to a message once more, as a new one; the same ``client_id`` is the same wish. Raises
        :class:`NotFound` where there is no such message, :class:`BadState` while its reply is under way,
        :class:`RateLimited`."""
        known = await self.store.by_client_id(session_id, client_id) if client_id is not None else None
        if known is not None:
            return self._told(known)
        earlier = await self.store.turn(session_id, message_id)
        if earlier is None:
            raise NotFound("There is no such message")
        if not earlier.is_over:
            raise BadState("The reply is under way")
        self._require_within_rate(user_id)
        turn = await self._begin(
            session_id, user_id, earlier.question, client_id=client_id, question_id=earlier.question_id
        )
        await self.store.insert_turn(turn)
        return self._told(turn)

    async def cancel(self, session_id: str, user_id: str, message_id: str | None = None) -> None:
        """Ends the reply with that id, or to that message; without one, the reply that is being given, or else the
        next. Raises :class:`BadState` where nothing is under way, :class:`NotFound` where there is no such message."""
        turn = await (self.store.turn(session_id, message_id) if message_id else self.store.first_open(session_id))
        if turn is None and message_id:
            raise NotFound("There is no such message")
        if turn is None or turn.is_over:
            raise BadState("Nothing is being answered")
        await self.replies.cancel(turn)

    async def _begin(
        self, session_id: str, user_id: str, text: str, *, client_id: str | None = None, question_id: str | None = None
    ) -> Turn:
        if await self.store.count_waiting(session_id) >= self._settings.max_waiting:
            raise RateLimited("Too many messages wait for an answer", retry_after_s=5.0)
        now = self._clock.now()
        dialogue = await self.store.begin_turn(session_id, user_id, now)
        if dialogue is None:
            raise NotFound("There is no such dialogue")
        if dialogue.turns == 1:
            await self.store.set_title(session_id, _shortened(" ".join(text.split()), TITLE_CHARACTERS))
        return Turn(
            turn_id=new_id(),
            session_id=session_id,
            number=dialogue.turns,
            question_id=question_id or new_id(),
            question=text,
            asked_at=now,
            is_again=question_id is not None,
            client_id=client_id,
        )

    def _told(self, turn: Turn) -> Turn:
        """Also of one that was stored before: the first time, the database's answer may have been lost."""
        now = rfc3339(self._clock.now())
        for message in messages_of([turn]):
            frame = DialogueMessage(timestamp=now, session_id=turn.session_id, message=message)
            self._bus.publish(dialogue_topic(turn.session_id), ToDialogue(turn.session_id, encode(frame)))
        self.replies.wake(turn.session_id)
        return turn

    def _require_within_rate(self, user_id: str) -> None:
        now_s = self._clock.monotonic()
        per_minute = self._settings.messages_per_minute
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now_s)}
        bucket = self._buckets.setdefault(user_id, TokenBucket(per_minute / 60.0, per_minute, now_s))
        if not bucket.take(now_s):
            raise RateLimited("Too many messages in a short time; wait a while", retry_after_s=bucket.wait_s())


def _shortened(text: str, characters: int) -> str:
    """``text``, or its beginning with a sign that there is more."""
    return text if len(text) <= characters else text[: characters - 1].rstrip() + "…"


def _cursor(dialogue: Dialogue) -> str:
    assert dialogue.updated_at is not None
    return f"{round(dialogue.updated_at.timestamp() * 1000)}.{dialogue.session_id}"


def _seen(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    ms, _, session_id = cursor.partition(".")
    if not (ms.isdecimal() and len(ms) <= 14 and is_id(session_id)):
        raise BadRequest.of("before", N_("the next of an earlier page"))
    return datetime.fromtimestamp(int(ms) / 1000, UTC), session_id
