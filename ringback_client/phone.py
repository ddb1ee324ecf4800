"""A telephone: places a call or answers one, and keeps its sound going until the end. Part of the extra `media`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from .call import CallRoom
from .client import Client
from .errors import ApiError, Closed, RingbackError, Unreachable
from .media import MediaPeer
from .model import Call, IceServer, Sending
from .session import Frame
from .sound import Recorder, Voice

logger = logging.getLogger(__name__)

# The server's code for a room whose call is over.
CALL_ENDED = 4508

STATES = {"inviting": "trying to reach them", "ringing": "it rings", "connecting": "answered", "active": "talking"}


class Phone:
    """One person's telephone, for one call after the other.

    phone = Phone(client, voice=Voice(Path("hello.wav")), recorder=Recorder(Path("answer.wav")), tell=print)
    call = await phone.call("bob")
    print(call.end_reason)
    """

    def __init__(
        self,
        client: Client,
        *,
        voice: Voice,
        recorder: Recorder,
        tell: Callable[[str], None] = logger.info,
        talk_s: float | None = None,
    ) -> None:
        """`client` is signed in. `tell` is given a line for each thing that happens.

        With `talk_s` the telephone hangs up that many seconds after the sound began; else the other side does.
        """
        self._client = client
        self._voice = voice
        self._recorder = recorder
        self._tell = tell
        self._talk_s = talk_s

    async def call(self, username: str) -> Call:
        """Call somebody by name; the call when it is over. Cancelled, it hangs up."""
        call = await self._client.api.create_call([username])
        self._tell(f"calling {username}")
        return await self.join(call)

    async def wait(self, timeout_s: float | None = None) -> Call:
        """Answer the next call; the call when it is over. TimeoutError if none comes. Cancelled, it hangs up."""
        async with self._client.inbox() as inbox:
            self._tell("waiting for a call")
            incoming = await inbox.next_incoming(timeout_s)
            me = self._client.api.user
            self._tell(f"{incoming.call.caller_of(me.id if me else '').username} is calling")
            await inbox.ringing(incoming.call.call_id)
            return await self.join(await inbox.answer(incoming.call.call_id))

    async def join(self, call: Call) -> Call:
        """Enter a call that one takes part in, be it for a second time; the call when it is over.

        Raises Closed with 4504 when it is joined once more from elsewhere. Cancelled, it hangs up.
        """
        room = self._client.room(call.call_id)
        try:
            async with room:
                await _Conversation(self._client, room, self._voice, self._recorder, self._tell, self._talk_s).follow()
        except Closed as closed:
            if closed.code != CALL_ENDED:  # it ended before we were in, or while the socket was away
                raise
        except asyncio.CancelledError:
            with contextlib.suppress(RingbackError):
                await self._client.api.hangup(call.call_id)
            raise
        ended = await self._client.api.call(call.call_id)
        self._tell(f"the call is over: {ended.end_reason}")
        return ended


class _Conversation:
    """What happens in one room: who comes is connected, who goes is let go."""

    def __init__(
        self,
        client: Client,
        room: CallRoom,
        voice: Voice,
        recorder: Recorder,
        tell: Callable[[str], None],
        talk_s: float | None,
    ) -> None:
        self._client = client
        self._room = room
        self._voice = voice
        self._recorder = recorder
        self._tell = tell
        self._talk_s = talk_s
        self._peers: dict[str, MediaPeer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: str | None = None
        self._state: str | None = None
        self._talking = False

    async def follow(self) -> None:
        """Until the room closes."""
        try:
            async for frame in self._room.socket:
                await self._on_frame(frame)
        finally:
            for task in self._tasks:
                task.cancel()
            for leg_id in list(self._peers):
                await self._let_go(leg_id)

    async def _on_frame(self, frame: Frame) -> None:
        match frame["type"]:
            case "connected":
                await self._on_connected(frame)
            case "join":
                # With a fresh connection, even if we knew the leg; who comes makes the offer.
                await self._connect(frame["participant"]["leg_id"])
            case "leave":
                await self._let_go(frame["leg_id"])
            case "offer" | "answer" | "candidate" if frame["from"] in self._peers:
                self._start(self._peers[frame["from"]].receive(frame))
            case "call" | "ended":
                self._on_state(frame["call"]["state"])

    async def _on_connected(self, frame: Frame) -> None:
        """A new session is a newcomer to the others, whom they expect to offer; a resumed one goes on as it was."""
        if frame["connection_id"] == self._session:
            return
        self._session = frame["connection_id"]
        self._on_state(frame["snapshot"]["call"]["state"])
        self._start(self._room.media(Sending(audio=True)))
        for participant in frame["snapshot"]["participants"]:
            peer = await self._connect(participant["leg_id"])
            self._start(peer.offer())

    async def _connect(self, leg_id: str) -> MediaPeer:
        await self._let_go(leg_id)
        peer = self._peers[leg_id] = MediaPeer(
            self._room,
            leg_id,
            polite=self._room.polite_towards(leg_id),
            voice=self._voice,
            recorder=self._recorder,
            ice_servers=await self._ice_servers(),
            fresh_ice_servers=self._ice_servers,
        )
        self._start(self._watch(peer))
        return peer

    async def _ice_servers(self) -> list[IceServer]:
        """Those that are good now. Without any, a call within one network still works, and one that has just ended
        ends."""
        try:
            return await self._client.api.ice_servers()
        except (ApiError, Unreachable) as error:
            logger.warning("no STUN and TURN servers: %s", error)
            return []

    async def _let_go(self, leg_id: str) -> None:
        peer = self._peers.pop(leg_id, None)
        if peer is not None:
            await peer.close()

    async def _watch(self, peer: MediaPeer) -> None:
        """Say when the sound begins, and give the call up if it is lost for good."""
        await peer.connected.wait()
        if not self._talking:
            self._talking = True
            self._tell("connected: sound flows both ways")
            if self._talk_s is not None:
                self._start(self._hang_up_later(self._talk_s))
        await peer.lost.wait()
        self._tell("the sound is lost")
        if not any(other.connected.is_set() for other in self._peers.values()):
            await self._end("ice_failed")

    async def _hang_up_later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._end()

    async def _end(self, reason: str | None = None) -> None:
        await self._room.go(reason)

    def _on_state(self, state: str) -> None:
        if state != self._state and state != "ended":
            self._state = state
            self._tell(STATES.get(state, state))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._attempt(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, work: Coroutine[Any, Any, None]) -> None:
        """One thing that fails – a description that makes no sense, a leg that has just gone – does not end a call."""
        try:
            await work
        except Exception as error:
            logger.warning("in the call: %s: %s", type(error).__name__, error)
