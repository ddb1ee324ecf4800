"""``/ws/dialogue/{session_id}``: where the owner of a dialogue writes, and sees the replies grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from server.close_codes import CloseCode
from server.dialogues.model import Turn, dialogue_view, messages_of
from server.ids import is_id
from server.realtime import frames
from server.realtime.bus import Bus, DialogueDeleted, Message, ToDialogue, dialogue_topic
from server.realtime.dispatch import Commands, Result
from server.realtime.endpoint import Refused
from server.realtime.hub import Hub
from server.realtime.session import Session

if TYPE_CHECKING:
    from server.dialogues.dialogues import Dialogues

SNAPSHOT_MESSAGES = 50
"""What a page shows first; the rest is a question over HTTP."""
SNAPSHOT_BYTES = 200_000
"""Fewer of them where they are long: a snapshot is sent at each coming back, also to a telephone on a thin line, which
has to take it within ``sockets.max_blocked_s``."""


class DialogueEndpoint:
    """The endpoint ``dialogue``. Whoever has it open hears everything that happens in it, on all their devices."""

    kind = "dialogue"

    def __init__(self, dialogues: Dialogues, hub: Hub, bus: Bus, interval_s: float, resume_window_s: float) -> None:
        self._dialogues = dialogues
        self._hub = hub
        self._bus = bus
        self.interval_s = interval_s
        self.resume_window_s = resume_window_s
        self._open: dict[str, set[Session]] = {}  # by dialogue
        self.commands = Commands(
            reader=frames.FrameReader(frames.Ask, frames.CancelReply, frames.AskAgain),
            quick={},
            slow={
                frames.Ask: self._ask,
                frames.CancelReply: self._cancel,
                frames.AskAgain: self._ask_again,
            },
        )

    # ── coming and going ──

    async def open(self, session: Session) -> dict[str, Any]:
        """Listens, then reads: what is said meanwhile waits in the session, and comes behind the snapshot. Whoever is
        not the owner is told that there is no such dialogue, and nothing of what waits."""
        if not is_id(session.resource):
            raise Refused(CloseCode.NOT_FOUND, "There is no such dialogue")
        self._hub.admit(session)
        here = self._open.setdefault(session.resource, set())
        if not here:
            self._bus.subscribe(dialogue_topic(session.resource), self._on_news)
        here.add(session)
        return await self.reopen(session)

    async def reopen(self, session: Session) -> dict[str, Any]:
        """The dialogue and its newest messages, the growing one with the parts that it has: one read."""
        found = await self._dialogues.newest(session.resource, session.who.user.id, SNAPSHOT_MESSAGES)
        if found is None:
            raise Refused(CloseCode.NOT_FOUND, "There is no such dialogue")
        dialogue, turns = found
        if dialogue.deleted_at is not None:
            raise Refused(CloseCode.ENDED, "The dialogue was deleted")
        messages = messages_of(_newest_of(turns))[-SNAPSHOT_MESSAGES:]
        return {"dialogue": dialogue_view(dialogue, self._dialogues.ws_url(dialogue)), "messages": messages}

    def session_attached(self, session: Session) -> None:
        """Nobody else is told."""

    def session_detached(self, session: Session) -> None:
        """Nobody else is told."""

    def session_silenced(self, session: Session) -> None:
        """A dialogue does not ring."""

    def session_over(self, session: Session, code: CloseCode) -> None:
        """The session hears no more."""
        here = self._open.get(session.resource, set())
        here.discard(session)
        if not here and self._open.pop(session.resource, None) is not None:
            self._bus.unsubscribe(dialogue_topic(session.resource), self._on_news)

    # ── news ──

    def _on_news(self, news: Message) -> None:
        if isinstance(news, ToDialogue):
            for session in self._open.get(news.session_id, ()):
                session.deliver(news.body)
        elif isinstance(news, DialogueDeleted):
            for session in list(self._open.get(news.session_id, ())):
                self._hub.retire(session, CloseCode.ENDED)

    # ── frames ──

    async def _ask(self, session: Session, frame: frames.Ask) -> Result:
        client_id = frame.client_id or _once(session, frame)
        turn = await self._dialogues.ask(session.resource, session.who.user.id, frame.text, client_id)
        return {"message_id": turn.question_id, "reply_id": turn.turn_id}

    async def _cancel(self, session: Session, frame: frames.CancelReply) -> Result:
        await self._dialogues.cancel(session.resource, session.who.user.id, frame.message_id)
        return None

    async def _ask_again(self, session: Session, frame: frames.AskAgain) -> Result:
        client_id = _once(session, frame)
        turn = await self._dialogues.ask_again(session.resource, session.who.user.id, frame.message_id, client_id)
        return {"message_id": turn.turn_id}


def _newest_of(turns: list[Turn]) -> list[Turn]:
    """As many of the newest turns as a snapshot has room for; the newest is one of them, and so is all that is not
    over, which grows where it is shown."""
    begin, size = len(turns), 0
    needed = next((at for at, turn in enumerate(turns) if not turn.is_over), len(turns) - 1)
    for turn in reversed(turns):
        size += len(msgspec.json.encode(messages_of([turn])))
        if size > SNAPSHOT_BYTES and begin <= needed:
            break
        begin -= 1
    return turns[begin:]


def _once(session: Session, frame: frames.FromClient) -> str | None:
    """A name for what a frame wants, the same when it is sent again: the session forgets a frame that was answered with
    «try again», and the database may have taken it all the same."""
    return f"{session.id}:{frame.id}" if frame.id is not None else None
