"""How good a call was: what its participants measured of the paths between them, kept small however long it lasts.

Plain functions of values: a report comes about every ten seconds from each participant, and a path's course grows by
it. What is kept of a path is bounded: the mean and the extremes of each measure over all of it, and a timeline of at
most :data:`MAX_POINTS` points whose step doubles whenever it is full.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from server.calls.model import Call
from server.realtime.frames import PathQuality
from server.wire import rfc3339

MEASURES = ("score", "loss", "jitter_ms", "rtt_ms", "kbit_in", "kbit_out", "audio_level")
"""What is averaged of a path, each a field of :class:`~server.realtime.frames.PathQuality`."""
FIRST_STEP_S = 10
"""As often as clients report."""
MAX_POINTS = 60
"""Ten minutes in the first step; a call of twelve hours ends with a point every 21 minutes."""
MAX_PATHS = 50
"""Of one leg: as many as a call may have people (``calls.max_participants``)."""
DECIMALS = 4


class Spread(msgspec.Struct, frozen=True):
    """One measure over the time of a path; ``count`` is how many reports had it."""

    mean: float
    low: float
    high: float
    count: int = 1


class Point(msgspec.Struct, frozen=True):
    """The worst of one step of the timeline: the lowest score, the highest loss."""

    step: int
    score: float | None
    loss: float | None


class Course(msgspec.Struct, frozen=True):
    """What one leg has measured of its path to the leg ``to``. ``step_s`` is how long a step of the timeline is."""

    to: str
    since: datetime
    until: datetime
    reports: int = 0
    measures: dict[str, Spread] = {}
    freezes: int = 0
    candidates: tuple[str, ...] = ()
    step_s: int = FIRST_STEP_S
    points: tuple[Point, ...] = ()


class QualityRecord(msgspec.Struct, frozen=True):
    """Everything that one leg has measured in one call."""

    call_id: str
    leg_id: str
    paths: tuple[Course, ...] = ()


def grown(record: QualityRecord, legs: Mapping[str, PathQuality], now: datetime) -> QualityRecord:
    """The record with one report more: ``legs`` maps the ids of other legs to what was measured of their paths."""
    courses = {course.to: course for course in record.paths}
    for to, report in legs.items():
        courses[to] = extended(courses.get(to) or Course(to=to, since=now, until=now), report, now)
    return replace(record, paths=tuple(courses.values())[-MAX_PATHS:])


def extended(course: Course, report: PathQuality, now: datetime) -> Course:
    """The course with one report more."""
    measures = dict(course.measures)
    for name in MEASURES:
        value: float | None = getattr(report, name)
        if value is not None:
            measures[name] = _with(measures.get(name), value)
    seen = course.candidates
    if report.candidate is not None and report.candidate not in seen:
        seen = (*seen, report.candidate)
    step_s, points = _timeline(course, report, now)
    return Course(
        to=course.to,
        since=course.since,
        until=max(course.until, now),
        reports=course.reports + 1,
        measures=measures,
        freezes=course.freezes + report.freezes,
        candidates=seen,
        step_s=step_s,
        points=points,
    )


def _with(spread: Spread | None, value: float) -> Spread:
    if spread is None:
        return Spread(value, value, value)
    count = spread.count + 1
    mean = spread.mean + (value - spread.mean) / count
    return Spread(mean, min(spread.low, value), max(spread.high, value), count)


def _timeline(course: Course, report: PathQuality, now: datetime) -> tuple[int, tuple[Point, ...]]:
    """The timeline with the report in its step; steps become longer until all of them fit."""
    step_s, points = course.step_s, course.points
    age_s = max(0.0, (now - course.since).total_seconds())
    while age_s >= step_s * MAX_POINTS:
        step_s *= 2
        points = _merged(replace(point, step=point.step // 2) for point in points)
    return step_s, _merged((*points, Point(int(age_s // step_s), report.score, report.loss)))


def _merged(points: Iterable[Point]) -> tuple[Point, ...]:
    """Those of the same step as one."""
    merged: dict[int, Point] = {}
    for point in points:
        before = merged.get(point.step)
        merged[point.step] = (
            point
            if before is None
            else Point(point.step, _worse(before.score, point.score, min), _worse(before.loss, point.loss, max))
        )
    return tuple(merged[step] for step in sorted(merged))


def _worse(one: float | None, other: float | None, worst: Any) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    value: float = worst(one, other)
    return value


# ── as it crosses the wire ──


def quality_view(call: Call, records: Iterable[QualityRecord]) -> dict[str, Any]:
    """``{"legs": […]}`` (``docs/protocol.md``, «The quality of a call»), in the order of the call's legs."""
    found = {record.leg_id: record for record in records}
    users = {leg.leg_id: leg.user for leg in call.legs}
    return {
        "legs": [
            {
                "leg_id": leg.leg_id,
                "user": leg.user,
                "paths": [
                    {"leg_id": course.to, "user": users[course.to]} | _course_view(course)
                    for course in found[leg.leg_id].paths
                    if course.to in users
                ],
            }
            for leg in call.legs
            if leg.leg_id in found
        ]
    }


def _course_view(course: Course) -> dict[str, Any]:
    return {
        "since": rfc3339(course.since),
        "until": rfc3339(course.until),
        "reports": course.reports,
        **{name: _spread_view(course.measures.get(name)) for name in MEASURES},
        "freezes": course.freezes,
        "candidates": list(course.candidates),
        "points": [
            {"at_s": point.step * course.step_s, "score": point.score, "loss": point.loss} for point in course.points
        ],
    }


def _spread_view(spread: Spread | None) -> dict[str, float] | None:
    if spread is None:
        return None
    return {name: round(getattr(spread, name), DECIMALS) for name in ("mean", "low", "high")}
