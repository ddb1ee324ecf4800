"""Two people in a call with the reference client, of whom one is on a bad network, and what each of them heard."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from typing import Any

from handlers.base import API
from ringback_client.backoff import Backoff
from ringback_client.call import CallRoom
from ringback_client.model import Sending
from ringback_client.session import Frame
from ringback_client.user import UserInbox
from ringback_client.websocket import RingbackSocket, SocketState
from server.rooms.chat_log import KEPT_MESSAGES
from server.rooms.room import SILENT_MEDIA
from tests.faults.cutting import Splitter, texts
from tests.faults.proxy import Link
from tests.peer import PATIENCE_S
from tests.running import Person, Running

Heard = list[tuple[str, Any]]

SDP = 'v=0\r\ns="quotes" and \\backslashes\\ é\U0001f600\r\n'


def socket_of(person: Person, path: str, port: int, may_come: asyncio.Event | None = None) -> RingbackSocket:
    """The reference client's socket at ``path``, by way of ``port``; it comes back without a pause, when it may."""

    async def token() -> str:
        if may_come is not None:
            await may_come.wait()
        return person.access_token

    url = f"ws://127.0.0.1:{port}{API}{path}"
    return RingbackSocket(url, token, credentials="header", backoff=Backoff(lambda: 0.0))


class Participant:
    """One person in the room of a call.

    Attributes:
        may_come: while it is not set, whoever is away stays away.
        heard: what was said and shown there, as ``(type, what)`` in order; news of the network are not in it.
        resumed: for each return to the session whether it brought everything that was missed.
    """

    def __init__(self, person: Person, call: dict[str, Any], port: int) -> None:
        self.may_come = asyncio.Event()
        self.may_come.set()
        self.room = CallRoom(socket_of(person, f"/ws/call/{call['call_id']}", port, self.may_come))
        self.heard: Heard = []
        self.resumed: list[bool] = []
        self._shown: Any = SILENT_MEDIA
        self.room.socket.on_frame(self._listen)

    def _listen(self, frame: Frame) -> None:
        match frame["type"]:
            case "offer" | "answer" as kind:
                self.heard.append((kind, frame["sdp"]))
            case "candidate":
                self.heard.append(("candidate", frame["candidates"]))
            case "chat":
                self.heard.append(("chat", frame["text"]))
            case "participant" if frame["media"] != self._shown:
                self._shown = frame["media"]
                self.heard.append(("hand", self._shown["hand"]))
            case "resumed":
                self.resumed.append(frame["complete"])

    @property
    def is_at_peace(self) -> bool:
        """Whether both are there, on the wire and in the database."""
        room = self.room
        there = [other.connection for other in room.participants.values()]
        return there == ["connected"] and room.call is not None and {leg.state for leg in room.call.legs} == {"joined"}


class Conversation:
    """Alice and Bob, each by way of a port where the network may be a bad one."""

    def __init__(self, running: Running, alice: Participant, bob: Participant) -> None:
        self._running = running
        self.alice, self.bob = alice, bob
        self._turns = 0
        self._alice_should_hear: Heard = []
        self._bob_should_hear: Heard = []

    @classmethod
    async def begin(cls, running: Running, port: int, bobs_port: int | None = None) -> Conversation:
        """A call that both have answered and entered; without a port of his own Bob is well connected."""
        alice, bob = await running.people("alice", "bob")
        call = await running.answered(alice, bob)
        conversation = cls(running, Participant(alice, call, port), Participant(bob, call, bobs_port or running.port))
        await conversation.bob.room.open()
        await conversation.alice.room.open()
        await conversation.settle()
        return conversation

    async def turn(self) -> None:
        """Each says one thing of every kind to the other, unlike anything said before, and has it acknowledged."""
        self._turns += 1
        number = self._turns
        alice, bob = self.alice.room, self.bob.room
        offer, answer, candidate = f"{SDP}{number}", f"a {SDP}{number}", [{"candidate": f"candidate:{number}"}]
        hand = bool(number % 2)
        await bob.offer(alice.leg_id, offer)
        await alice.answer(bob.leg_id, answer)
        await bob.candidate(alice.leg_id, candidate)
        await alice.candidate(bob.leg_id, [])
        await alice.chat(f"alice {number}")
        await bob.chat(f"bob {number}")
        await alice.media(Sending(hand=hand))
        await bob.media(Sending(hand=hand))
        chats = [("chat", f"alice {number}"), ("chat", f"bob {number}")]
        self._alice_should_hear += [("offer", offer), ("candidate", candidate), *chats, ("hand", hand)]
        self._bob_should_hear += [("answer", answer), ("candidate", []), *chats, ("hand", hand)]

    async def talk_behind_her_back(self, count: int) -> None:
        """Alice is away and stays away while Bob says so many things."""
        self.alice.may_come.clear()
        await self._running.until(lambda: self.alice.room.socket.state is not SocketState.CONNECTED, "she is away")
        for number in range(count):
            await self.bob.room.chat(f"behind her back {number}")
        self.alice.may_come.set()

    async def settle(self) -> None:
        """Waits until the network is as it was, and each has heard as much as was said to them."""
        alice, bob = self.alice, self.bob
        await self._running.until(lambda: alice.is_at_peace and bob.is_at_peace, "both are back")
        await self._running.until(
            lambda: len(alice.heard) >= len(self._alice_should_hear) and len(bob.heard) >= len(self._bob_should_hear),
            f"everything was heard: {alice.heard[-5:]}, {bob.heard[-5:]}",
        )

    def expect_all_heard_once(self) -> None:
        """Each has heard exactly what was said, in order."""
        assert self.alice.heard == self._alice_should_hear
        assert self.bob.heard == self._bob_should_hear
        # Only what is new is looked at the next time.
        for heard in (self.alice.heard, self.bob.heard, self._alice_should_hear, self._bob_should_hear):
            heard.clear()

    async def agree(self) -> None:
        """Waits until, whatever each was told, both see the same: the call, the messages, what the other sends."""
        alice, bob = self.alice.room, self.bob.room
        hand = bool(self._turns % 2)
        await self._running.until(
            lambda: (
                self.alice.is_at_peace
                and self.bob.is_at_peace
                and alice.call == bob.call
                and alice.chat_log[-KEPT_MESSAGES:] == bob.chat_log[-KEPT_MESSAGES:]
                and bob.chat_log[-1].text == f"bob {self._turns}"
                and all(other.media.hand is hand for room in (alice, bob) for other in room.participants.values())
            ),
            "both see the same",
        )

    async def end(self) -> None:
        """Both leave their sockets."""
        await self.alice.room.close()
        await self.bob.room.close()


class Ledger:
    """What the server said over the wire, session by session: every number once, or the same again."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, int], bytes] = {}

    def check(self, links: Iterable[Link]) -> None:
        """Each connection goes on from the number that the client asked for, and no number ever means two things."""
        for link in links:
            self._check_link(link)

    def _check_link(self, link: Link) -> None:
        asked = re.search(rb"resume=([0-9a-f-]+)&last_seq=(\d+)", link.up.carried)
        session, expected = "", 1
        for text in texts(Splitter().feed(bytes(link.down.carried))[1:]):
            frame = json.loads(text)
            if frame["type"] == "connected":
                session = frame["connection_id"]
                if asked and asked[1].decode() == session:
                    expected = int(asked[2]) + 1
            if frame["type"] == "resumed":
                assert frame["to"] + 1 == expected or not frame["complete"], (frame, expected)
                expected = frame["to"] + 1
            if "seq" in frame:
                assert frame["seq"] == expected, (frame, expected)
                assert self._said.setdefault((session, expected), text) == text
                expected += 1


class Telephone:
    """A device by way of a port where the network may be a bad one: it rings, and the call is taken.

    Attributes:
        told: the call's revisions that it was told of by frames, in order.
    """

    def __init__(self, person: Person, port: int) -> None:
        self.inbox = UserInbox(socket_of(person, "/ws/user", port))
        self.told: dict[str, list[int]] = {}
        self.inbox.socket.on_frame(self._listen)

    def _listen(self, frame: Frame) -> None:
        if frame["type"] in ("incoming", "call"):
            self.told.setdefault(frame["call_id"], []).append(frame["call"]["rev"])

    async def take_a_call(self) -> str:
        """Shows the next call that rings, and answers it; returns its id."""
        incoming = await self.inbox.next_incoming(PATIENCE_S)
        await self.inbox.ringing(incoming.call.call_id)
        return (await self.inbox.answer(incoming.call.call_id)).call_id
