"""People on a ``ringback serve`` that runs in a process of its own, and stops, and is started again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from signal import Signals
from urllib.parse import urlsplit

from ringback_client.backoff import Backoff
from ringback_client.call import CallRoom
from ringback_client.client import Client
from ringback_client.errors import Closed
from ringback_client.websocket import SocketState
from tests.cli.shell import Process, Shell
from tests.peer import PATIENCE_S
from tests.running import PASSWORD, Running


def port_of(server: Process) -> int:
    """Where it listens."""
    port = urlsplit(server.url).port
    assert port is not None
    return port


def same_key(running: Running) -> Mapping[str, object]:
    """The setting with which a process takes the tokens that ``running`` has issued."""
    return {"auth.secret": running.server.settings.auth.secret}


class Talk:
    """Alice and Bob, with the reference client, in a call whose media flows."""

    def __init__(self, clients: list[Client], rooms: list[CallRoom]) -> None:
        self.clients = clients
        self.rooms = rooms
        self.endings: list[str] = []  # how their connections ended, one after the other
        for room in rooms:
            room.socket.on_state(partial(self._note, room))

    def _note(self, room: CallRoom, state: SocketState) -> None:
        if state is SocketState.WAITING and room.socket.last_ending is not None:
            self.endings.append(room.socket.last_ending.name)

    @property
    def call_id(self) -> str:
        """Which call it is."""
        assert self.rooms[0].call is not None
        return self.rooms[0].call.call_id

    def goes_on(self) -> bool:
        """Whether both are in the room, see each other there, and the call is active."""
        return all(
            room.socket.state is SocketState.CONNECTED
            and room.call is not None
            and room.call.state == "active"
            and [leg.state for leg in room.call.legs] == ["joined", "joined"]
            and [other.connection for other in room.participants.values()] == ["connected"]
            for room in self.rooms
        )

    async def until_it_goes_on(self) -> None:
        """Waits for that."""
        async with asyncio.timeout(PATIENCE_S):
            while not self.goes_on():
                await asyncio.sleep(0.005)

    async def hang_up(self) -> None:
        """One ends the call, and both are let go in peace."""
        await self.rooms[0].hangup()
        for room in self.rooms:
            ending = await room.socket.closed()
            assert isinstance(ending, Closed) and ending.name == "normal", ending

    async def offer(self, sdp: str) -> None:
        """One offers, and it arrives at the other."""
        mine, theirs = self.rooms
        await mine.offer(theirs.leg_id, sdp)
        assert (await theirs.socket.wait_for("offer"))["sdp"] == sdp


@asynccontextmanager
async def talk(server: Process, password: str = PASSWORD) -> AsyncIterator[Talk]:
    """Alice and Bob talk by way of ``server``; they have accounts with that password."""
    clients, rooms = [], []
    for name in ("alice", "bob"):
        clients.append(Client(server.url, backoff=lambda: Backoff(lambda: 0.2)))
        await clients[-1].sign_in(name, password)
    alice, bob = clients
    call = await alice.api.create_call(["bob"])
    await bob.api.answer(call.call_id)
    for client in clients:
        rooms.append(await client.room(call.call_id).open(PATIENCE_S))
    for mine, theirs in (rooms, reversed(rooms)):
        await mine.stats(theirs.leg_id, "connected")
    talking = Talk(clients, rooms)
    await talking.until_it_goes_on()
    yield talking
    for room in rooms:
        await room.close()
    for client in clients:
        await client.close()


async def stop(server: Process, number: Signals) -> tuple[int, str]:
    """Sends a signal and waits for the end, while the loop of the test goes on."""
    return await asyncio.to_thread(server.stop, number)


def again(shell: Shell, port: int) -> AbstractContextManager[Process]:
    """The same server anew: same folder, same port."""
    return shell.serving("--port", str(port))
