"""A small book, a dialogue about it, and a page that draws the dialogue from what it is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from server.books.model import Book, Chapter, Passage, State
from server.dialogues.model import Turn
from server.dialogues.replies import Replies
from server.ids import new_id
from server.store.books import BookStore
from server.store.dialogues import DialogueStore
from tests.peer import Frame, Peer
from tests.running import Answer, Person, Running

TITLE = "Lamps"
TEXTS = (
    (
        "Lighthouses",
        "Keeping the light",
        "The keeper trims the wick of the lamp every four hours. Then the light is white.",
    ),
    ("Lighthouses", "Fog", "In fog the horn sounds twice a minute, and nobody sleeps."),
    ("灯塔", "守灯", "守灯人每四小时修剪一次灯芯。雾天每分钟鸣笛两次。"),
)
QUESTION = "How often does the keeper trim the wick?"
ORDER = {"waiting": 0, "streaming": 1}


async def book_of(running: Running, user_id: str, state: State = "ready") -> str:
    """A book of that person, ready to be asked if nothing else is said; its id."""
    book_id, now = new_id(), datetime.now(UTC)
    titles = list(dict.fromkeys(chapter for chapter, _, _ in TEXTS))
    passages = [
        Passage(new_id(), book_id, n, titles.index(chapter) + 1, chapter, heading, text)
        for n, (chapter, heading, text) in enumerate(TEXTS, 1)
    ]
    chapters = tuple(
        Chapter(n, title, sum(passage.chapter == n for passage in passages)) for n, title in enumerate(titles, 1)
    )
    store = BookStore(running.services.database)
    await store.insert_passages(passages, "1")
    await store.insert(Book(book_id, user_id, TITLE, "markdown", 1, state, "1", now, now, chapters=chapters))
    return book_id


class View:
    """What somebody sees of a dialogue who goes by the rules of the protocol: the messages, by their numbers."""

    def __init__(self) -> None:
        self._messages: dict[str, dict[str, Any]] = {}

    @property
    def messages(self) -> list[dict[str, Any]]:
        """In their order."""
        return sorted(self._messages.values(), key=lambda message: int(message["number"]))

    def take_all(self, frames: list[Frame]) -> None:
        """Takes frames in their order; some may have been taken before."""
        for frame in frames:
            self.take(frame)

    def take(self, frame: Frame) -> None:
        """Takes a frame into the picture; a message never goes back, and a part is added once."""
        if frame["type"] == "connected":
            for message in frame["snapshot"]["messages"]:
                self._put(message)
        elif frame["type"] in ("message", "reply", "reply_failed"):
            self._put(frame["message"])
        elif frame["type"] == "reply_delta":
            message = self._messages[frame["message_id"]]
            assert frame["part"] <= message["parts"] + 1, "a part is missing"
            if frame["part"] == message["parts"] + 1:
                self._messages[frame["message_id"]] = message | {
                    "text": message["text"] + frame["text"],
                    "parts": frame["part"],
                }

    def _put(self, message: dict[str, Any]) -> None:
        known = self._messages.get(message["message_id"])
        if known is None or _age(message) >= _age(known):
            self._messages[message["message_id"]] = message


def _age(message: dict[str, Any]) -> tuple[int, int]:
    return ORDER.get(message["state"], 2), message["parts"]


class Talking:
    """Alice and her dialogue."""

    def __init__(self, running: Running, alice: Person, book_id: str, dialogue: dict[str, Any]) -> None:
        self.running = running
        self.alice = alice
        self.book_id = book_id
        self.dialogue = dialogue

    @property
    def session_id(self) -> str:
        """Which dialogue it is."""
        return str(self.dialogue["session_id"])

    @property
    def path(self) -> str:
        """Where its socket is."""
        return f"/ws/dialogue/{self.session_id}"

    @property
    def replies(self) -> Replies:
        """Those of its server."""
        return self.running.services.dialogues.replies

    @property
    def store(self) -> DialogueStore:
        """Where it is stored."""
        return self.running.services.dialogues.store

    async def another(self, username: str) -> Talking:
        """A dialogue of somebody else's, about a book of theirs."""
        return await begin(self.running, username)

    async def open(self, **query: str) -> Peer:
        """Its socket, once it is connected."""
        peer = await self.alice.open(self.path, **query)
        await peer.next("connected")
        return peer

    async def has_said(self, *numbers: int, text: str = "!") -> None:
        """Stores turns with these numbers, answered long ago with that."""
        now = self.running.clock.now()
        for number in numbers:
            turn = Turn(new_id(), self.session_id, number, new_id(), f"{number}?", now, "complete", text=text)
            await self.store.insert_turn(msgspec.structs.replace(turn, parts=1, completed_at=now))

    async def has_asked(self, number: int) -> None:
        """Stores a turn with that number, which waits for its reply."""
        await self.store.insert_turn(
            Turn(new_id(), self.session_id, number, new_id(), QUESTION, self.running.clock.now())
        )

    async def history(self, query: str = "") -> list[dict[str, Any]]:
        """Its messages, over HTTP."""
        answer = await self.alice.api("GET", f"/dialogues/{self.session_id}{query}")
        assert answer.status == 200, answer
        messages: list[dict[str, Any]] = answer.document["messages"]
        return messages

    async def replied(self, peer: Peer, text: str = QUESTION) -> dict[str, Any]:
        """Asks, and returns the reply when it is over, however it went."""
        ack = await peer.request("message", text=text)
        assert ack["type"] == "ack", ack
        return await over(peer, ack["reply_id"])


async def over(peer: Peer, reply_id: str) -> dict[str, Any]:
    """That reply, when it is over."""
    while True:
        frame = await peer.next_of("reply", "reply_failed")
        message: dict[str, Any] = frame["message"]
        if message["message_id"] == reply_id:
            return message


async def start_dialogue(person: Person, book_id: str) -> Answer:
    """Asks for a dialogue about that book."""
    return await person.api("POST", "/dialogues/book/start", {"book_id": book_id})


async def begin(running: Running, username: str = "alice") -> Talking:
    """Somebody, a book of theirs, and a dialogue about it."""
    alice = await running.person(username)
    book_id = await book_of(running, alice.id)
    answer = await start_dialogue(alice, book_id)
    assert answer.status == 201, answer
    return Talking(running, alice, book_id, answer.document)


def seen_by(peer: Peer) -> View:
    """What somebody sees who was told what came over this socket."""
    view = View()
    view.take_all(peer.frames)
    return view
