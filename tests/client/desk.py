"""People with telephones, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ringback_client.client import Client
from ringback_client.phone import Phone
from ringback_client.session import Frame
from ringback_client.sound import Recorder, Voice
from ringback_client.websocket import RingbackSocket
from tests.running import PASSWORD, Running


class ListeningClient(Client):
    """A client that keeps the frames of all its sockets."""

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self.frames: list[Frame] = []

    def socket(self, path: str) -> RingbackSocket:
        """See `Client.socket`."""
        socket = super().socket(path)
        socket.on_frame(self.frames.append)
        return socket


class Desk:
    """One person with a telephone.

    Attributes:
        told: what the telephone has said so far.
    """

    def __init__(self, client: ListeningClient, phone: Phone, recorder: Recorder, told: list[str]) -> None:
        self.client = client
        self.phone = phone
        self.told = told
        self._recorder = recorder

    async def hears(self, seconds: float) -> None:
        """Wait until so much more sound has come."""
        enough_s = self._recorder.heard_s + seconds
        async with asyncio.timeout(10):
            while self._recorder.heard_s < enough_s:
                await asyncio.sleep(0.02)

    def descriptions(self) -> int:
        """How many offers and answers have come."""
        return sum(frame["type"] in ("offer", "answer") for frame in self.client.frames)

    async def said(self, line: str) -> None:
        """Wait until the telephone has said that."""
        async with asyncio.timeout(10):
            while line not in self.told:
                await asyncio.sleep(0.01)

    async def last_call(self) -> tuple[str, str | None]:
        """State and end of the newest call in the history."""
        call = (await self.client.api.calls(limit=1)).items[0]
        return call.state, call.end_reason


@asynccontextmanager
async def desk(
    running: Running,
    username: str,
    *,
    play: Path | None = None,
    record: Path | None = None,
    talk_s: float | None = None,
) -> AsyncIterator[Desk]:
    """Somebody new, signed in, with a telephone."""
    await running.services.accounts.add(username, PASSWORD)
    told: list[str] = []
    voice, recorder = Voice(play), Recorder(record)
    async with ListeningClient(running.origin) as client:
        await client.sign_in(username, PASSWORD)
        phone = Phone(client, voice=voice, recorder=recorder, tell=told.append, talk_s=talk_s)
        yield Desk(client, phone, recorder, told)
    voice.close()
    recorder.close()
