"""What the inbox and the call room have in common: a socket, and a picture of the world that its frames keep true."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from .session import Frame
from .websocket import RingbackSocket


class Channel:
    """A socket with a meaning. A subclass keeps its attributes up to date in `_apply`.

    Attributes:
        socket: the socket below: its frames, its state, its `wake()`.
    """

    def __init__(self, socket: RingbackSocket) -> None:
        """Takes over a socket that is not open yet."""
        self.socket = socket
        socket.on_frame(self._apply)

    async def open(self, timeout_s: float | None = None) -> Self:
        """Connect, and have the first snapshot. Raises as `RingbackSocket.open` does."""
        await self.socket.open(timeout_s)
        return self

    async def close(self) -> None:
        """Disconnect with 1000 and stay away."""
        await self.socket.close()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def _apply(self, frame: Frame) -> None:
        """Take a frame into the picture."""
        raise NotImplementedError
