"""What a roadmap is made of: everything that was written and said in a call, and what happened in it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from server.realtime.frames import UserRef

Occurrence = Literal["called", "joined", "left", "recorded", "ended"]


class Utterance(msgspec.Struct, frozen=True):
    """What one person (``by``, a user id) said in one breath or wrote in one message."""

    by: str
    text: str
    at: datetime
    written: bool


class Happening(msgspec.Struct, frozen=True):
    """Something in the timeline of the call; ``by`` is the user id of whom it is about."""

    what: Occurrence
    at: datetime
    by: str


class Material(msgspec.Struct, frozen=True):
    """A call as a roadmap sees it: ``people`` are those who took part, ``utterances`` are in the order of time."""

    call_id: str
    people: tuple[UserRef, ...]
    begun_at: datetime
    ended_at: datetime
    utterances: tuple[Utterance, ...]
    happenings: tuple[Happening, ...]
