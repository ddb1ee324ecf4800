"""Written dialogues with the assistant about a book: start one, ask, watch the reply grow."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from .api import read
from .channel import Channel
from .clock import Clock, SystemClock, within
from .session import Frame
from .websocket import RingbackSocket, SocketState

if TYPE_CHECKING:
    from .client import Client

_ORDER = {"waiting": 0, "streaming": 1}
REPLY_TIMEOUT_S = 300.0
"""As long as the server lets a reply take."""


class BookRef(msgspec.Struct, frozen=True):
    """What a dialogue is about."""

    book_id: str
    title: str


class Source(msgspec.Struct, frozen=True):
    """A passage that a reply is taken from; `n` is how the text names it, `url` the page where it stands, `heading`
    what it stands under in its chapter, or empty."""

    n: int
    passage_id: str
    book_id: str
    book_title: str
    chapter: int
    chapter_title: str
    quote: str
    url: str
    heading: str = ""


class ReplyError(msgspec.Struct, frozen=True):
    """Why a reply is not whole; decide by `code`."""

    code: str
    message: str


class DialogueMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message: the person's (`role` "person"), or a reply (`role` "assistant") as far as it has come.

    Attributes:
        state: stored; or waiting, streaming, complete, interrupted, cancelled, failed.
        parts: of how many parts `text` is made.
        reply_to: of a reply: the `message_id` that it answers.
    """

    message_id: str
    session_id: str
    number: int
    role: str
    text: str
    state: str
    parts: int = 0
    reply_to: str | None = None
    sources: tuple[Source, ...] = ()
    error: ReplyError | None = None
    created_at: datetime
    completed_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it changes any more."""
        return self.state not in _ORDER


class Dialogue(msgspec.Struct, frozen=True, kw_only=True):
    """A dialogue; `title` is what its first message begins with."""

    session_id: str
    title: str
    book: BookRef
    responder: str
    created_at: datetime
    updated_at: datetime
    ws_url: str
    last_message: DialogueMessage | None = None


class DialoguePage(msgspec.Struct, frozen=True):
    """One page of dialogues, and the cursor of the next (`before=`); None on the last."""

    items: tuple[Dialogue, ...]
    next: str | None = None


class DialogueHistory(Dialogue, frozen=True, kw_only=True):
    """A dialogue with a page of its messages, oldest first, and the cursor of the page before it."""

    messages: tuple[DialogueMessage, ...]
    next: str | None = None


class DialogueRoom(Channel):
    """`/ws/dialogue/{session_id}`.

        async with client.dialogues.open(session_id) as room:
            reply_id = await room.ask("How do I ring two people at once?")
            async for message in room.growing(reply_id):
                print(message.text)

    Attributes:
        dialogue: the dialogue as the newest snapshot has it; None before the room is open.
        messages: by id; each is only ever replaced by one that is further on.
    """

    def __init__(self, socket: RingbackSocket, *, clock: Clock | None = None) -> None:
        super().__init__(socket)
        self.dialogue: Dialogue | None = None
        self.messages: dict[str, DialogueMessage] = {}
        self._clock = clock or SystemClock()
        self._changed = asyncio.Event()
        socket.on_state(lambda _: self._changed.set())

    @property
    def history(self) -> list[DialogueMessage]:
        """The messages that are known, in their order."""
        return sorted(self.messages.values(), key=lambda message: message.number)

    async def ask(self, text: str, client_id: str | None = None) -> str:
        """Write something; when it returns, that is stored. Returns the id of the reply.

        With a `client_id` of one's own it can be said again without harm, also over another socket. FrameError
        `rate_limited`, `too_large`, `unavailable`.
        """
        frame = {"type": "message", "text": text, "client_id": client_id or str(uuid.uuid4())}
        return str((await self.socket.request(frame))["reply_id"])

    async def ask_again(self, message_id: str) -> str:
        """Want another reply to a message, or instead of a reply. Returns its id. FrameError `bad_state`."""
        return str((await self.socket.request({"type": "ask_again", "message_id": message_id}))["message_id"])

    async def cancel(self, message_id: str | None = None) -> None:
        """End that reply, or the one that is being given. FrameError `bad_state` if nothing is under way."""
        await self.socket.request({"type": "cancel"} | ({"message_id": message_id} if message_id else {}))

    async def reply(self, reply_id: str, timeout_s: float = REPLY_TIMEOUT_S) -> DialogueMessage:
        """That reply, once it is over, however it went. Raises TimeoutError, or what ended the socket."""

        async def last() -> DialogueMessage:
            return [message async for message in self.growing(reply_id)][-1]

        return await within(self._clock, timeout_s, last(), "a reply")

    async def growing(self, reply_id: str) -> AsyncIterator[DialogueMessage]:
        """That reply, each time there is more of it, up to its end. Raises what ended the socket."""
        known: DialogueMessage | None = None
        while known is None or not known.is_over:
            self._changed.clear()
            message = self.messages.get(reply_id)
            if message is not None and message != known:
                known = message
                yield message
            elif self.socket.state is SocketState.CLOSED:
                raise await self.socket.closed()
            else:
                await self._changed.wait()

    # Underneath

    def _apply(self, frame: Frame) -> None:
        match frame["type"]:
            case "connected":
                self.dialogue = msgspec.convert(frame["snapshot"]["dialogue"], Dialogue)
                for message in frame["snapshot"]["messages"]:
                    self._put(msgspec.convert(message, DialogueMessage))
            case "message" | "reply" | "reply_failed":
                self._put(msgspec.convert(frame["message"], DialogueMessage))
            case "reply_delta":
                self._grow(frame)
        self._changed.set()

    def _put(self, message: DialogueMessage) -> None:
        """A message never goes back: what is replayed may be older than the snapshot before it."""
        known = self.messages.get(message.message_id)
        if known is None or _age(message) >= _age(known):
            self.messages[message.message_id] = message

    def _grow(self, frame: Frame) -> None:
        """A part that was had before, by the snapshot say, is not added again."""
        known = self.messages.get(frame["message_id"])
        if known is not None and not known.is_over and frame["part"] == known.parts + 1:
            self.messages[known.message_id] = msgspec.structs.replace(
                known, state="streaming", text=known.text + frame["text"], parts=frame["part"]
            )


class Dialogues:
    """The dialogues of the person who is signed in, as `client.dialogues`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(self, book_id: str) -> Dialogue:
        """Begin a dialogue about a book. ApiError `not_found`, `bad_state` while the book is not ready."""
        return read(Dialogue, await self._client.api.request("POST", "/dialogues/book/start", {"book_id": book_id}))

    async def list(self, *, limit: int | None = None, before: str | None = None) -> DialoguePage:
        """One page of the own dialogues, the one last written in first."""
        return read(DialoguePage, await self._client.api.request("GET", "/dialogues", limit=limit, before=before))

    async def get(self, session_id: str, *, limit: int | None = None, before: str | None = None) -> DialogueHistory:
        """A dialogue with its newest messages, oldest first; `before` is the `next` of a newer page.

        ApiError `not_found`, also for somebody else's.
        """
        path = f"/dialogues/{session_id}"
        return read(DialogueHistory, await self._client.api.request("GET", path, limit=limit, before=before))

    async def delete(self, session_id: str) -> None:
        """Delete a dialogue with all that was written in it. ApiError `not_found`."""
        await self._client.api.request("DELETE", f"/dialogues/{session_id}")

    def open(self, session_id: str, *, clock: Clock | None = None) -> DialogueRoom:
        """The socket of a dialogue, to be opened with `async with`."""
        return DialogueRoom(self._client.socket(f"/ws/dialogue/{session_id}"), clock=clock)


def _age(message: DialogueMessage) -> tuple[int, int]:
    return _ORDER.get(message.state, len(_ORDER)), message.parts
