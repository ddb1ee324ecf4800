"""What a softphone says and hears: a sound file out, a wav file in. Part of the extra `media`."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from .errors import MediaMissing

try:
    import av
    from aiortc.contrib.media import MediaRelay
    from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
except ModuleNotFoundError as missing:
    raise MediaMissing(missing.name or "aiortc") from None

# What Opus carries (RFC 6716), in the portions in which WebRTC sends it.
SAMPLES_PER_S = 48_000
SAMPLES_PER_FRAME = 960  # 20 ms
BYTES_PER_SAMPLE = 2


class Voice:
    """A sound file, once, then silence: like a microphone that stays open. Without a file it is silent from the start.

    Attributes:
        played: set when the file is over.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Any format that ffmpeg knows. Raises OSError without such a file, ValueError without sound in it."""
        self.played = asyncio.Event()
        self._source = _Source(path, self.played)
        self._relay = MediaRelay()

    def track(self) -> MediaStreamTrack:
        """A track for one connection. Tracks share the one voice: a second listener hears it from where it is."""
        return self._relay.subscribe(self._source, buffered=False)

    def close(self) -> None:
        """Say nothing any more."""
        self._source.stop()


class _Source(MediaStreamTrack):
    """The one track behind a voice. It begins when somebody first listens."""

    kind = "audio"

    def __init__(self, path: Path | None, played: asyncio.Event) -> None:
        super().__init__()
        self._played = played
        self._frames: Iterator[av.AudioFrame] = iter(()) if path is None else _read(path)
        self._sent_samples = 0
        self._began_at: float | None = None

    async def recv(self) -> av.AudioFrame:
        """The next frame, when its time has come."""
        if self.readyState != "live":
            raise MediaStreamError
        now = asyncio.get_running_loop().time()
        if self._began_at is None:
            self._began_at = now
        await asyncio.sleep(self._began_at + self._sent_samples / SAMPLES_PER_S - now)
        frame = next(self._frames, None)
        if frame is None:
            self._played.set()
            frame = _silence()
        frame.pts, frame.time_base = self._sent_samples, Fraction(1, SAMPLES_PER_S)
        self._sent_samples += frame.samples
        return frame


class Recorder:
    """Writes what is heard to a wav file, 48 kHz mono; without a file it only listens.

    A recorder can take several tracks one after the other, as they come when a connection is made anew.

    Attributes:
        heard_s: how much sound there was so far, in seconds.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Raises OSError if the file cannot be written."""
        self.heard_s = 0.0
        self._file = None if path is None else wave.open(str(path), "wb")  # noqa: SIM115 (closed by `close`)
        if self._file is not None:
            self._file.setnchannels(1)
            self._file.setsampwidth(BYTES_PER_SAMPLE)
            self._file.setframerate(SAMPLES_PER_S)

    async def take(self, track: MediaStreamTrack) -> None:
        """Listen to a track until it ends."""
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLES_PER_S)
        while True:
            try:
                heard = await track.recv()
            except MediaStreamError:
                return
            if isinstance(heard, av.AudioFrame):
                for frame in resampler.resample(heard):
                    self._write(frame)

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, frame: av.AudioFrame) -> None:
        self.heard_s += frame.samples / SAMPLES_PER_S
        if self._file is not None:
            # A plane may be longer than what is in it.
            self._file.writeframesraw(bytes(frame.planes[0])[: frame.samples * BYTES_PER_SAMPLE])


def _read(path: Path) -> Iterator[av.AudioFrame]:
    """Open a sound file now and return its frames, to be decoded as they are wanted."""
    container = av.open(str(path))
    if not container.streams.audio:
        container.close()
        raise ValueError(f"there is no sound in {path}")
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLES_PER_S, frame_size=SAMPLES_PER_FRAME)

    def frames() -> Iterator[av.AudioFrame]:
        with container:
            for frame in container.decode(audio=0):
                yield from resampler.resample(frame)
            yield from resampler.resample(None)

    return frames()


def _silence() -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=SAMPLES_PER_FRAME)
    frame.sample_rate = SAMPLES_PER_S
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame
