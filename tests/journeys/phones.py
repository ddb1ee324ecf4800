"""Telephones of the reference package, several in one process: each takes the next call and says what it hears.

    python -m tests.journeys.phones URL PASSWORD dave erin frank

One line each time somebody is heard for the first time or for another second: ``dave hears 5``, from how many others
sound has come within the last second; in the end ``dave: hangup``, why the call was over.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from ringback_client import Client
from ringback_client.phone import Phone
from ringback_client.sound import Recorder, Voice

LOOK_EVERY_S = 1.0


class Ears(Recorder):
    """Counts the frames of each track instead of keeping them."""

    def __init__(self) -> None:
        super().__init__()
        self._frames: dict[str, int] = {}

    async def take(self, track: MediaStreamTrack) -> None:
        """See :meth:`Recorder.take`."""
        while True:
            try:
                await track.recv()
            except MediaStreamError:
                return
            self._frames[track.id] = self._frames.get(track.id, 0) + 1

    async def tell(self, name: str) -> None:
        """Says each second from how many tracks there was something new."""
        before: dict[str, int] = {}
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            heard = sum(frames > before.get(track, 0) for track, frames in self._frames.items())
            before = dict(self._frames)
            print(f"{name} hears {heard}", flush=True)


async def answer(url: str, password: str, name: str) -> None:
    """One telephone, for one call."""
    ears = Ears()
    async with Client(url) as client:
        await client.sign_in(name, password, device="a telephone")
        with closing(Voice()) as voice, closing(ears):
            telling = asyncio.create_task(ears.tell(name))
            phone = Phone(client, voice=voice, recorder=ears, tell=lambda line: print(f"{name}: {line}", flush=True))
            ended = await phone.wait()
            telling.cancel()
            print(f"{name}: {ended.end_reason}", flush=True)


async def main(url: str, password: str, *names: str) -> None:
    """All of them at once."""
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(answer(url, password, name))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
