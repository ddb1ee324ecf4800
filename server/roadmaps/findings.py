"""What rules find in a call: decisions, steps and questions, each with who said it when."""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class Said(msgspec.Struct, frozen=True):
    """A sentence worth quoting; ``by`` is a user id."""

    text: str
    by: str
    at: datetime


class Step(msgspec.Struct, frozen=True):
    """Something to be done. ``owner`` is a name as a reader sees it, None while nobody has taken it; ``due`` is how the
    day was said, ``day`` which one that is; ``about`` the sentence before, where the step only says «that»."""

    text: str
    by: str
    at: datetime
    owner: str | None = None
    due: str | None = None
    day: date | None = None
    about: str | None = None


class Findings(msgspec.Struct, frozen=True):
    """What was found in one part of a call, each list in the order of time. ``gist`` are the sentences that say most of
    what it was about. ``unread`` says where the rules failed, if they could not read this part."""

    title: str | None = None
    begun_at: datetime | None = None
    decisions: tuple[Said, ...] = ()
    steps: tuple[Step, ...] = ()
    questions: tuple[Said, ...] = ()
    gist: tuple[Said, ...] = ()
    unread: str | None = None
