"""What is done in another process, so that no call waits for it: a part is read, a comment of a review is taken up."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from datetime import datetime

import msgspec

from server.realtime.frames import UserRef
from server.roadmaps.comments import applied, wanted_by
from server.roadmaps.findings import Findings
from server.roadmaps.material import Utterance
from server.roadmaps.parts import Part
from server.roadmaps.rules import read_part

MAX_NOTES = 200
"""Of a roadmap: more than stands on a page or two is no note."""


class Round(msgspec.Struct, frozen=True):
    """What one round of the review leaves: what is listed, the notes, and once it is written, the document."""

    found: Findings
    notes: tuple[str, ...] = ()
    document: str = ""


def read_or_left(people: Sequence[UserRef], said: Sequence[Utterance], part: Part, time_zone: str) -> Findings:
    """What the rules find in ``part``, whose utterances ``said`` begins with.

    A rule that fails costs what is in this part, not the roadmap: ``unread`` says then where it failed.
    """
    try:
        return read_part(people, said, part.count, time_zone, part.title)
    except MemoryError:
        raise
    except Exception as error:
        return Findings(part.title, said[0].at if said else None, unread=_place_of(error))


def next_round(before: Round, comment: str, people: Sequence[UserRef], by: str, at: datetime, time_zone: str) -> Round:
    """The round after ``before``, for which the person ``by`` has asked with ``comment``; without its document."""
    wanted = wanted_by(comment, people, by, at, time_zone)
    notes = tuple(note for note in before.notes if note not in wanted.without) + wanted.notes
    return Round(applied(before.found, wanted), notes[:MAX_NOTES])


def _place_of(error: Exception) -> str:
    """Where in the rules ``error`` came from. What it says is left out: it may be what somebody has said."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, line {last.lineno}"
