"""What somebody who reviews a roadmap wants otherwise, by rules they can know (``docs/roadmaps.md``).

A line that begins with «remove» or «删除» takes entries away that contain the rest of it; everything else is read as if
they had said it at the end of the call, and what is neither decision, step nor question becomes a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from server.realtime.frames import UserRef
from server.roadmaps.findings import Findings, Said, Step
from server.roadmaps.material import Utterance
from server.roadmaps.rules import read_part

_REMOVE = re.compile(
    r"^\s*(?:[-*]\s+)?(?:(?:remove|delete)(?=[ :：])|删除|删掉|去掉)\s*[:：]?\s*(?P<what>.+)$", re.IGNORECASE
)
MAX_LINES = 200
"""Of a comment that are read; those after them become notes as they are."""
MAX_ENTRIES = 400
"""In one list of a roadmap: more than its document has room for."""

_QUOTES = " .。\"'\u201c\u201d\u2018\u2019«»「」"


Entry = TypeVar("Entry", Said, Step)


class Wanted(NamedTuple):
    """What a comment asks for: entries that contain one of ``without`` go, ``more`` and ``notes`` come."""

    without: tuple[str, ...]
    more: Findings
    notes: tuple[str, ...]


def wanted_by(comment: str, people: Sequence[UserRef], by: str, at: datetime, time_zone: str) -> Wanted:
    """What the person ``by``, who took part, says in ``comment``."""
    without: list[str] = []
    notes: list[str] = []
    more = Findings()
    lines = [line.strip() for line in comment.splitlines() if line.strip()]
    for line in lines[:MAX_LINES]:
        found = _REMOVE.match(line)
        if found:
            without.append(found["what"].strip(_QUOTES))
            continue
        read = _read(people, Utterance(by, line, at, True), time_zone)
        if read.decisions or read.steps or read.questions:
            more = joined([more, read])
        else:
            notes.append(line)
    return Wanted(tuple(filter(None, without)), more, (*notes, *lines[MAX_LINES:]))


def _read(people: Sequence[UserRef], said: Utterance, time_zone: str) -> Findings:
    """What the rules find in one line; nothing when they fail, so that the line becomes a note."""
    try:
        return read_part(people, [said], 1, time_zone)
    except MemoryError:
        raise
    except Exception:
        return Findings()


def applied(findings: Findings, wanted: Wanted) -> Findings:
    """``findings`` without what is not wanted, and with what is."""
    kept = replace(
        findings,
        decisions=tuple(each for each in findings.decisions if not _is_any(each.text, wanted.without)),
        steps=tuple(each for each in findings.steps if not _is_any(f"{each.owner}: {each.text}", wanted.without)),
        questions=tuple(each for each in findings.questions if not _is_any(each.text, wanted.without)),
    )
    return joined([kept, wanted.more])


def joined(findings: Sequence[Findings]) -> Findings:
    """The lists of several as one, the first :data:`MAX_ENTRIES` of each; of what was said twice the first."""
    return Findings(
        decisions=_once(each for one in findings for each in one.decisions),
        steps=_once(each for one in findings for each in one.steps),
        questions=_once(each for one in findings for each in one.questions),
    )


def _once(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    found: dict[str, Entry] = {}
    for entry in entries:
        found.setdefault(re.sub(r"\W", "", entry.text).casefold(), entry)
    return tuple(islice(found.values(), MAX_ENTRIES))


def _is_any(text: str, parts: Sequence[str]) -> bool:
    return any(part.casefold() in text.casefold() for part in parts)
