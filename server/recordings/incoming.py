"""A recording on its way: written down piece by piece, and never whole in memory."""

from __future__ import annotations

from server.errors import BadRequest, TooLarge, UnsupportedMediaType
from server.languages.sentences import N_
from server.store.driver import NewFile
from server.voicemail.audio import HEAD_BYTES, audio_type


class Incoming:
    """One recording while it comes in. The first bytes say what it is; what is none is not stored at all."""

    def __init__(self, file: NewFile, max_bytes: int) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._head: bytes | None = b""
        self.size_bytes = 0
        self.container = ""
        """``webm``, ``ogg`` or ``mp4``, once it is known."""

    async def add(self, piece: bytes) -> None:
        """One more piece; raises :class:`TooLarge`, :class:`UnsupportedMediaType`."""
        self.size_bytes += len(piece)
        if self.size_bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        if self._head is None:
            await self._file.write(piece)
            return
        self._head += piece
        if len(self._head) >= HEAD_BYTES:
            await self._begin()

    async def end(self) -> None:
        """It is whole; raises :class:`BadRequest` if there is nothing, and as :meth:`add`."""
        if self.size_bytes == 0:
            raise BadRequest("The body is empty; it has to be a recording", fields={"body": N_("empty")})
        if self._head is not None:
            await self._begin()
        await self._file.close()

    async def take_back(self) -> None:
        """It will not be kept."""
        await self._file.take_back()

    async def _begin(self) -> None:
        head, self._head = self._head or b"", None
        found = audio_type(head)
        if found is None:
            raise UnsupportedMediaType("The body has to be a recording in WebM, Ogg or MP4")
        self.container = found.partition("/")[2]
        await self._file.write(head)


def too_large(max_bytes: int) -> TooLarge:
    """The refusal of what is larger than a recording may be."""
    return TooLarge(N_("A recording that is kept has at most %(count)s bytes", count=max_bytes))
