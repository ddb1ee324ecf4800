"""The memory of a session: which frames this client has had. Pure, without I/O.

A session outlives its sockets. The server numbers its frames 1, 2, 3 …; after a resume it sends again what came after
the last one that we say we have. This is where "every frame exactly once" is decided.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

Frame = dict[str, Any]


class Verdict(Enum):
    """What to do with a numbered frame."""

    DELIVER = auto()  # the next one
    DUPLICATE = auto()  # had before: drop it
    GAP = auto()  # one in between is missing: resume from where we are


class Session:
    """One session with one server.

    Attributes:
        connection_id: the name of the session, given by `connected`; None while there is none to resume.
        last_seq: the number of the last frame delivered.
        replaying: True from a `connected` that took the session up again until its `resumed`.
    """

    def __init__(self) -> None:
        self.connection_id: str | None = None
        self.last_seq = 0
        self.replaying = False
        self._epoch: Any = None
        self._counting = True  # False from a lost resume until the next number, which is taken as it comes

    def resume_request(self) -> dict[str, str | int]:
        """What to say when connecting: `resume` and `last_seq`, or nothing."""
        return {} if self.connection_id is None else {"resume": self.connection_id, "last_seq": self.last_seq}

    def connected(self, frame: Frame) -> bool:
        """Take in a `connected`; True if it is the session of before, False if a new one begins.

        Another `epoch` is another memory on the server's side, whatever the id says.
        """
        kept = bool(self.connection_id == frame["connection_id"] and self._epoch == frame["epoch"])
        if not kept:
            self.last_seq, self._counting = 0, True
        self.connection_id, self._epoch, self.replaying = frame["connection_id"], frame["epoch"], kept
        return kept

    def resumed(self, frame: Frame) -> None:
        """Take in a `resumed`; where frames were lost (`complete` false) counting starts at the next one that comes."""
        self.replaying = False
        self._counting = bool(frame["complete"])

    def judge(self, seq: int) -> Verdict:
        """Decide on a numbered frame, and remember it if it is the next."""
        if self._counting and seq <= self.last_seq:
            return Verdict.DUPLICATE
        if self._counting and seq > self.last_seq + 1:
            return Verdict.GAP
        self.last_seq, self._counting = seq, True
        return Verdict.DELIVER

    def forget(self) -> None:
        """Nothing is left to resume: the next connection begins a new session."""
        self.connection_id, self.last_seq, self.replaying, self._counting = None, 0, False, True
