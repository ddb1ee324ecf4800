"""How many recordings are on their way at once: each is kept in memory until it is whole."""

from __future__ import annotations

from collections import Counter

from server.errors import RateLimited

PER_PERSON = 2
"""One that hangs in a network that is gone, and the one that is sent again."""
AT_ONCE = 32
"""On this process: with 4 MiB each, 128 MiB."""
COME_BACK_S = 5.0


class Upload:
    """The place of one recording; whoever has it gives it back by :meth:`release`, once or more often."""

    def __init__(self, uploads: Uploads, user_id: str) -> None:
        self._uploads: Uploads | None = uploads
        self._user_id = user_id

    def release(self) -> None:
        """The recording is stored, or will never be whole."""
        if self._uploads is not None:
            self._uploads.forget(self._user_id)
            self._uploads = None


class Uploads:
    """The recordings that are on their way to this process."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    def begin(self, user_id: str) -> Upload:
        """A place for one more recording of that person; raises :class:`RateLimited` if there is none."""
        if self._of[user_id] >= PER_PERSON:
            raise RateLimited("Your other messages are still being sent; wait a moment", retry_after_s=COME_BACK_S)
        if self._of.total() >= AT_ONCE:
            raise RateLimited("Many messages are being sent at the moment; wait a while", retry_after_s=COME_BACK_S)
        self._of[user_id] += 1
        return Upload(self, user_id)

    def forget(self, user_id: str) -> None:
        """One of that person is not on its way any more."""
        self._of[user_id] -= 1
        self._of += Counter()  # which leaves out those that have none

    def __len__(self) -> int:
        return self._of.total()
