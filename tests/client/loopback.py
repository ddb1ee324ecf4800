"""Two media peers on one machine, with an in-memory way between them, and the sound to try it with."""

from __future__ import annotations

import asyncio
import math
import struct
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

from ringback_client.clock import Clock
from ringback_client.media import MediaPeer
from ringback_client.model import IceServer, PathState
from ringback_client.sound import Recorder, Voice

SAMPLES_PER_S = 48_000

Candidates = Literal["inside", "before", "after", "never", "none"]


def write_tone(path: Path, frequency_hz: float, seconds: float = 10.0) -> Path:
    """A wav file with one tone, at 8 kHz as on an old telephone, so that it has to be resampled."""
    samples = range(int(seconds * 8_000))
    values = [int(12_000 * math.sin(2 * math.pi * frequency_hz * n / 8_000)) for n in samples]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(struct.pack(f"<{len(values)}h", *values))
    return path


def dominant_hz(path: Path) -> int:
    """The strongest of the frequencies 100, 110 … 2,000 Hz in the last half second of a wav file (Goertzel)."""
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLES_PER_S, 1, 2)
        count = SAMPLES_PER_S // 2
        file.setpos(max(0, file.getnframes() - count))
        samples = [value for (value,) in struct.iter_unpack("<h", file.readframes(count))][::6]  # 8 kHz is enough
    return max(range(100, 2_001, 10), key=lambda hz: _power(samples, hz, SAMPLES_PER_S / 6))


def _power(samples: list[int], frequency_hz: float, rate_hz: float) -> float:
    """Goertzel's algorithm: the power of one frequency."""
    coefficient = 2 * math.cos(2 * math.pi * frequency_hz / rate_hz)
    before, last = 0.0, 0.0
    for sample in samples:
        before, last = last, sample + coefficient * last - before
    return last * last + before * before - coefficient * before * last


class Wire:
    """One end's signaling: what it is given arrives at the other peer, in order.

    Attributes:
        peer: the peer at the other end.
        said: the types of what was carried.
        states: the states of the path that were reported.
        candidates: how the candidates of a description travel: inside it, in a frame before or after it, not at all,
            or not at all and the description says that there are none.
    """

    def __init__(self) -> None:
        self.peer: MediaPeer | None = None
        self.said: list[str] = []
        self.states: list[PathState] = []
        self.candidates: Candidates = "inside"
        self._carrying: set[asyncio.Task[None]] = set()

    async def offer(self, to: str, sdp: str) -> None:
        """Carry an offer."""
        self._describe("offer", sdp)

    async def answer(self, to: str, sdp: str) -> None:
        """Carry an answer."""
        self._describe("answer", sdp)

    async def stats(self, leg_id: str, connection: PathState) -> None:
        """Note the state of the path."""
        self.states.append(connection)

    def _describe(self, kind: str, sdp: str) -> None:
        lines = sdp.splitlines()
        found = [line.removeprefix("a=") for line in lines if line.startswith("a=candidate:")]
        inits = [{"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0} for line in found] + [{"candidate": ""}]
        if self.candidates != "inside":
            left_out = "a=candidate:" if self.candidates == "none" else ("a=candidate:", "a=end-of-candidates")
            sdp = "".join(f"{line}\r\n" for line in lines if not line.startswith(left_out))
        if self.candidates == "before":
            self._carry({"type": "candidate", "candidates": inits})
        self._carry({"type": kind, "sdp": sdp})
        if self.candidates == "after":
            self._carry({"type": "candidate", "candidates": inits})

    def _carry(self, frame: dict[str, Any]) -> None:
        assert self.peer is not None
        self.said.append(frame["type"])
        task = asyncio.create_task(self.peer.receive(frame))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)


class End:
    """One person: a voice, an ear, and the peer between them."""

    def __init__(self, other: str, *, polite: bool, play: Path | None, record: Path | None) -> None:
        self.voice, self.recorder, self.wire = Voice(play), Recorder(record), Wire()
        self._other = other
        self._left: list[MediaPeer] = []
        self.peer = MediaPeer(self.wire, other, polite=polite, voice=self.voice, recorder=self.recorder)

    async def begin_anew(
        self,
        *,
        polite: bool,
        goodbye: bool = True,
        clock: Clock | None = None,
        fresh_ice_servers: Callable[[], Awaitable[list[IceServer]]] | None = None,
    ) -> None:
        """Have a fresh connection, as a page does that is loaded again, with or without a goodbye of the old one."""
        self._left.append(self.peer)
        if goodbye:
            await self.peer.close()
        self.peer = MediaPeer(
            self.wire,
            self._other,
            polite=polite,
            voice=self.voice,
            recorder=self.recorder,
            fresh_ice_servers=fresh_ice_servers,
            clock=clock,
        )

    async def hears(self, seconds: float) -> None:
        """Wait until so much more sound has come."""
        enough_s = self.recorder.heard_s + seconds
        async with asyncio.timeout(15):
            while self.recorder.heard_s < enough_s:
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Hang up."""
        for peer in (self.peer, *self._left):
            await peer.close()
        self.voice.close()
        self.recorder.close()


async def connected(*ends: End) -> None:
    """Wait until all of them are."""
    async with asyncio.timeout(15):
        await asyncio.gather(*(end.peer.connected.wait() for end in ends))
