"""Talks as the tests of roadmaps write them down: a line for each thing that is said, «Alice: Hello»."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from server.realtime.frames import UserRef
from server.roadmaps.findings import Findings
from server.roadmaps.material import Utterance
from server.roadmaps.rules import read_part

BEGUN_AT = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)
"""A Wednesday."""
APART = timedelta(seconds=20)


def people(*names: str) -> tuple[UserRef, ...]:
    """People of those names; ids and user names are the same in small letters."""
    return tuple(UserRef(name.lower(), name.lower(), name) for name in names)


def talk(*lines: str) -> list[Utterance]:
    """What was said, one line every 20 s."""
    said = (line.partition(": ") for line in lines)
    return [Utterance(who.lower(), text, BEGUN_AT + number * APART, True) for number, (who, _, text) in enumerate(said)]


def read(*lines: str, also: tuple[str, ...] = ()) -> Findings:
    """What is found in a talk of those who speak in it, and of those who are ``also`` there."""
    names = dict.fromkeys([line.partition(": ")[0] for line in lines] + list(also))
    return read_part(people(*names), talk(*lines), len(lines), "UTC")


def steps(*lines: str, also: tuple[str, ...] = ()) -> list[tuple[str | None, str, str | None]]:
    """The steps of a talk: owner, text, day."""
    found = read(*lines, also=also).steps
    return [(step.owner, step.text, step.day.isoformat() if step.day else None) for step in found]


def decisions(*lines: str, also: tuple[str, ...] = ()) -> list[str]:
    """The decisions of a talk."""
    return [each.text for each in read(*lines, also=also).decisions]


def questions(*lines: str, also: tuple[str, ...] = ()) -> list[str]:
    """The open questions of a talk."""
    return [each.text for each in read(*lines, also=also).questions]
