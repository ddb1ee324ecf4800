"""The frames that a resume may ask for: bounded in number and bytes, without I/O or clock."""

from __future__ import annotations

from collections import deque


class ResumeBuffer:
    """The last frames of one session as ``(seq, body)``, oldest first.

    At most ``max_frames`` frames and ``max_bytes`` bytes are kept; what falls out can no longer be replayed. ``body``
    is the encoded frame without ``seq``; a room's frame is one object in the buffers of everybody in the room.
    """

    __slots__ = ("_bytes", "_frames", "_max_bytes", "_max_frames", "last_seq")

    def __init__(self, max_frames: int, max_bytes: int) -> None:
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        # Made with the first frame: ten thousand idle connections have none.
        self._frames: deque[bytes] | None = None
        self._bytes = 0
        self.last_seq = 0

    def append(self, body: bytes) -> int:
        """Keeps ``body`` as the next frame and returns its ``seq`` (1, 2, 3 …)."""
        frames = self._frames
        if frames is None:
            frames = self._frames = deque()
        frames.append(body)
        self._bytes += len(body)
        self.last_seq += 1
        while len(frames) > self._max_frames or self._bytes > self._max_bytes:
            self._bytes -= len(frames.popleft())
        return self.last_seq

    def after(self, seq: int) -> list[tuple[int, bytes]] | None:
        """Every frame after ``seq`` with its number, in order; ``None`` if one is gone or ``seq`` was never sent."""
        if seq > self.last_seq:
            return None
        frames = self._frames or ()
        first = self.last_seq - len(frames) + 1
        if seq < first - 1:
            return None
        return [(first + index, body) for index, body in enumerate(frames) if first + index > seq]

    @property
    def size_bytes(self) -> int:
        """Bytes held now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._frames or ())
