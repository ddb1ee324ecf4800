"""A walk through a running server as two people: does it do what a caller and a callee need of it?

    steps = await run("https://calls.example", [Login("alice", …), Login("bob", …)])
    passed = all(step.ok for step in steps)

Health, sign-in, both inboxes; then two calls, in one the caller enters the room first and in the other the callee, with
ringing, signaling, hang-up and history; a task that is followed and stopped; a dialogue with the assistant; at last
what a server must refuse. No step shows a token or a password.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from .address import socket_url
from .call import CallRoom
from .client import Client
from .dialogues import DialogueMessage
from .errors import Closed, RingbackError
from .model import Call
from .session import Frame
from .user import UserInbox
from .websocket import RingbackSocket

# On a server that is well a step takes milliseconds; one that takes this long would fail a person too.
STEP_TIMEOUT_S = 10.0

# What has to arrive byte for byte: line ends, quotes, what JSON may escape, and more than Latin.
OFFER = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns="offer" \\ / é 東 \U0001f4de\r\nt=0 0\r\n'
ANSWER = 'v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\ns="answer" \\ / é 東 \U0001f4de\r\nt=0 0\r\n'
CANDIDATES = [{"candidate": "candidate:1 1 udp 2113937151 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}]


QUESTION = "How do I ring two people at once?"
"""Something that the handbook answers."""


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody to do it as."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried.

    Attributes:
        name: what was done.
        expected: what should be seen.
        seen: what was.
        ok: whether that is the same.
        duration_ms: how long it took.
    """

    name: str
    expected: str
    seen: str
    ok: bool
    duration_ms: float


async def run(base_url: str, people: Sequence[Login], *, on_step: Callable[[Step], None] | None = None) -> list[Step]:
    """Walk through the server at `base_url` as two people, who call each other; the steps in their order.

    `on_step` is told of each step as it is done. One that fails ends the part of the walk that builds upon it, so that
    a list without a failure is a walk to the end. Raises ValueError unless the people are two different ones.
    """
    if len(people) != 2 or people[0].username.lower() == people[1].username.lower():
        raise ValueError("it takes two different people")
    journal = _Journal(on_step)
    # One brings its credentials in the first frame and the other in a header: both ways in are walked.
    async with Client(base_url) as first, Client(base_url, credentials="header") as second:
        alice, bob = _Person(people[0], first), _Person(people[1], second)
        try:
            await journal.step("the server is well", "healthy", alice.check_health())
        except _Broken:
            return journal.steps
        with contextlib.suppress(_Broken):
            await _arrive(journal, alice, bob)
            await _Conversation(journal, alice, bob, first_in_room=alice, hangs_up=alice).walk()
            await _Conversation(journal, alice, bob, first_in_room=bob, hangs_up=bob).walk()
            await _follow_a_task(journal, alice)
            await _write(journal, alice)
        with contextlib.suppress(_Broken):
            await _leave(journal, alice, bob)
        with contextlib.suppress(_Broken):
            await _refusals(journal, base_url)
    return journal.steps


class _Broken(Exception):
    """A step failed, and what follows builds upon it."""


class _Journal:
    """Tries one step after the other and writes down what came of it."""

    def __init__(self, on_step: Callable[[Step], None] | None) -> None:
        self.steps: list[Step] = []
        self._on_step = on_step

    async def step(self, name: str, expected: str, trying: Awaitable[str]) -> None:
        """`trying` returns what is to be seen; whatever it raises is seen instead."""
        began = time.perf_counter()
        try:
            seen = await asyncio.wait_for(trying, STEP_TIMEOUT_S)
        except Exception as error:
            seen = f"{type(error).__name__}: {error}".rstrip(": ")
        step = Step(name, expected, seen, seen == expected, (time.perf_counter() - began) * 1000)
        self.steps.append(step)
        if self._on_step is not None:
            self._on_step(step)
        if not step.ok:
            raise _Broken(name)


class _Person:
    """One of the two, with what is open for them."""

    def __init__(self, login: Login, client: Client) -> None:
        self.name = login.username
        self.client = client
        self.inbox: UserInbox = client.inbox()
        self._password = login.password

    async def check_health(self) -> str:
        return str((await self.client.api.health())["status"])

    async def sign_in(self) -> str:
        user = await self.client.sign_in(self.name, self._password, device="selftest")
        return f"signed in as {user.username}"

    async def open_inbox(self) -> str:
        await self.inbox.open(STEP_TIMEOUT_S)
        return f"connected as {self.inbox.socket.terms.user.username}" if self.inbox.socket.terms else "not connected"

    async def sign_out(self) -> str:
        await self.client.api.logout()
        return await _code_of(self.inbox.socket)


async def _arrive(journal: _Journal, alice: _Person, bob: _Person) -> None:
    """Sign in and open the inboxes."""
    for person in (alice, bob):
        await journal.step(f"{person.name} signs in", f"signed in as {person.name}", person.sign_in())
        await journal.step(f"{person.name} opens the inbox", f"connected as {person.name}", person.open_inbox())


async def _write(journal: _Journal, alice: _Person) -> None:
    """Ask the handbook something, over a socket, and find the same over HTTP."""
    dialogues = alice.client.dialogues
    started: list[str] = []
    streamed: list[DialogueMessage] = []

    async def start() -> str:
        books = msgspec.json.decode(await alice.client.api.request("GET", "/books"))["items"]
        book = next(book for book in books if book["built_in"] and book["state"] == "ready")
        started.append((await dialogues.start(book["book_id"])).session_id)
        return "started"

    async def ask() -> str:
        async with dialogues.open(started[0]) as room:
            streamed.append(await room.reply(await room.ask(QUESTION), STEP_TIMEOUT_S))
            return streamed[0].state

    async def compare() -> str:
        messages = (await dialogues.get(started[0])).messages
        return "the same" if [each for each in messages if each.role == "assistant"] == streamed else "something else"

    async def delete() -> str:
        await dialogues.delete(started.pop())
        return "gone"

    try:
        await journal.step(f"{alice.name} starts a dialogue about the handbook", "started", start())
        await journal.step(f"{alice.name} asks, and the reply grows to its end", "complete", ask())
        await journal.step("the history of the dialogue has what was streamed", "the same", compare())
        await journal.step("the dialogue is deleted", "gone", delete())
    finally:
        for session_id in started:
            with contextlib.suppress(RingbackError):
                await dialogues.delete(session_id)


async def _refusals(journal: _Journal, base_url: str) -> None:
    """Sockets that have to be refused, each with its code."""

    async def refused(path: str) -> str:
        async def no_token() -> str:
            return "not-a-token"

        socket = RingbackSocket(socket_url(base_url, path), no_token)
        try:
            with contextlib.suppress(Closed):
                await socket.open(STEP_TIMEOUT_S)
            return await _code_of(socket)
        finally:
            await socket.close()

    await journal.step("a wrong path is opened", "4510 no_such_endpoint", refused("/ws/usr"))
    await journal.step("a token that is none is shown", "4501 unauthenticated", refused("/ws/user"))


async def _follow_a_task(journal: _Journal, alice: _Person) -> None:
    """Start a task that waits for another program, follow it, stop it: its events, then the end."""
    tasks, task_id = alice.client.tasks, ""

    async def start() -> str:
        nonlocal task_id
        task = await tasks.create("external", title="selftest")
        task_id = task.task_id
        return task.state

    async def follow() -> str:
        async with tasks.follow(task_id) as feed:
            types = [(await anext(aiter(feed))).type]
            await tasks.cancel(task_id)
            types += [event.type async for event in feed]
            return f"{', '.join(types)}, then {await _code_of(feed.socket)}"

    await journal.step(f"{alice.name} starts a task", "queued", start())
    expected = "queued, cancelled, then 1000 normal"
    try:
        await journal.step(f"{alice.name} follows the task and stops it", expected, follow())
    except _Broken:
        with contextlib.suppress(RingbackError):
            await tasks.cancel(task_id)
        raise


async def _leave(journal: _Journal, alice: _Person, bob: _Person) -> None:
    """Sign out; the sign-in's sockets have to go with it."""
    try:
        for person in (alice, bob):
            if person.client.api.user is not None:
                name = f"{person.name} signs out, the inbox closes"
                await journal.step(name, "4506 signed_out", person.sign_out())
    finally:
        await alice.inbox.close()
        await bob.inbox.close()


class _Conversation:
    """One call from Alice to Bob. Whoever enters the room second finds the other there and makes the offer."""

    def __init__(
        self, journal: _Journal, alice: _Person, bob: _Person, *, first_in_room: _Person, hangs_up: _Person
    ) -> None:
        self._journal = journal
        self._alice, self._bob = alice, bob
        self._first = first_in_room
        self._second = bob if first_in_room is alice else alice
        self._hangs_up = hangs_up
        self._call: Call | None = None
        self._rooms: dict[_Person, CallRoom] = {}

    async def walk(self) -> None:
        """From dialling to the history."""
        try:
            await self._ring()
            await self._meet()
            await self._negotiate()
            await self._end()
        finally:
            await self._tidy_up()

    async def _ring(self) -> None:
        alice, bob, step = self._alice, self._bob, self._journal.step
        await step(f"{alice.name} calls {bob.name} by name", "inviting", self._dial())
        await step(f"{bob.name} is told", f"a call from {alice.name}", self._incoming())
        await step(f"{bob.name}'s device rings, and {alice.name} sees it", "ringing", self._ringing())

    async def _meet(self) -> None:
        """The caller may be in the room before the callee answers; the callee answers, then enters."""
        first, second, step = self._first, self._second, self._journal.step
        if first is self._bob:
            await self._answer()
        await step(f"{first.name} enters the room first", "nobody there", self._enter(first))
        if first is not self._bob:
            await self._answer()
        await step(f"{second.name} enters the room", f"{first.name} is there", self._enter(second))
        await step(f"{first.name} sees it", f"{second.name} joins", self._join(first))

    async def _negotiate(self) -> None:
        first, second, step = self._first, self._second, self._journal.step
        whole = "byte for byte"
        await step(f"{second.name}'s offer reaches {first.name}", whole, self._relay("offer", second, first, OFFER))
        await step(f"{first.name}'s answer reaches {second.name}", whole, self._relay("answer", first, second, ANSWER))
        await step(f"{second.name}'s candidates reach {first.name}", whole, self._relay_candidates(second, first))
        await step(f"{first.name}'s candidates reach {second.name}", whole, self._relay_candidates(first, second))
        await step("both report that media flows", "active", self._report())

    async def _end(self) -> None:
        step = self._journal.step
        await step(f"{self._hangs_up.name} hangs up", "done", self._hang_up())
        for person in (self._alice, self._bob):
            await step(f"{person.name}'s room closes", "ended comes last, bye 1000", self._last_words(person))
        for person in (self._alice, self._bob):
            await step(f"{person.name}'s history has the call", "ended: hangup", self._history(person))

    async def _tidy_up(self) -> None:
        """Leave nothing that rings or lasts, whatever went wrong."""
        for room in self._rooms.values():
            await room.close()
        if self._call is not None:
            with contextlib.suppress(RingbackError):
                await self._alice.client.api.hangup(self._call.call_id)

    # The single steps; each returns what was seen

    async def _dial(self) -> str:
        self._call = await self._alice.client.api.create_call([self._bob.name])
        return self._call.state

    async def _incoming(self) -> str:
        frame = await self._bob.inbox.socket.wait_for("incoming", where=self._is_this_call)
        return f"a call from {frame['call']['legs'][0]['user']['username']}"

    async def _ringing(self) -> str:
        await self._bob.inbox.ringing(self._call_id)
        frame = await self._alice.inbox.socket.wait_for(
            "call", where=lambda frame: self._is_this_call(frame) and frame["call"]["state"] != "inviting"
        )
        return str(frame["call"]["state"])

    async def _answer(self) -> None:
        async def answer() -> str:
            return (await self._bob.inbox.answer(self._call_id)).state

        await self._journal.step(f"{self._bob.name} answers", "connecting", answer())

    async def _enter(self, person: _Person) -> str:
        room = self._rooms[person] = person.client.room(self._call_id)
        await room.open(STEP_TIMEOUT_S)
        there = [other.user.username for other in room.participants.values()]
        return f"{', '.join(there)} is there" if there else "nobody there"

    async def _join(self, person: _Person) -> str:
        frame = await self._rooms[person].socket.wait_for("join")
        return f"{frame['participant']['user']['username']} joins"

    async def _relay(self, kind: str, sender: _Person, receiver: _Person, sdp: str) -> str:
        source, target = self._rooms[sender], self._rooms[receiver]
        await (source.offer if kind == "offer" else source.answer)(target.leg_id, sdp)
        frame = await target.socket.wait_for(kind, from_=source.leg_id)
        return "byte for byte" if frame["sdp"] == sdp else "changed"

    async def _relay_candidates(self, sender: _Person, receiver: _Person) -> str:
        source, target = self._rooms[sender], self._rooms[receiver]
        await source.candidate(target.leg_id, CANDIDATES)
        frame = await target.socket.wait_for("candidate", from_=source.leg_id)
        return "byte for byte" if frame["candidates"] == CANDIDATES else "changed"

    async def _report(self) -> str:
        first, second = self._rooms[self._first], self._rooms[self._second]
        await first.stats(second.leg_id, "connected")
        await second.stats(first.leg_id, "connected")
        frame = await first.socket.wait_for("call", where=lambda frame: frame["call"]["state"] in ("active", "ended"))
        return str(frame["call"]["state"])

    async def _hang_up(self) -> str:
        await self._rooms[self._hangs_up].hangup()
        return "done"

    async def _last_words(self, person: _Person) -> str:
        socket = self._rooms[person].socket
        types = [frame["type"] async for frame in socket]
        announced = "bye" if socket.last_ending and socket.last_ending.announced else "no bye"
        return f"{types[-1]} comes last, {announced} {(await _code_of(socket)).split()[0]}"

    async def _history(self, person: _Person) -> str:
        calls = (await person.client.api.calls(limit=10)).items
        found = next((call for call in calls if call.call_id == self._call_id), None)
        return f"{found.state}: {found.end_reason}" if found else "not there"

    @property
    def _call_id(self) -> str:
        assert self._call is not None
        return self._call.call_id

    def _is_this_call(self, frame: Frame) -> bool:
        return bool(frame["call"]["call_id"] == self._call_id)


async def _code_of(socket: RingbackSocket) -> str:
    """How a socket ended: `4510 no_such_endpoint`."""
    error = await socket.closed()
    return f"{error.code} {error.name}" if isinstance(error, Closed) else str(error)
