"""What is kept of the quality of a call: it grows with the reports, and stays small."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.calls.quality import MAX_PATHS, MAX_POINTS, Course, Point, QualityRecord, extended, grown, quality_view
from server.realtime.frames import PathQuality
from tests.clock import START
from tests.helpers import ALICE, BOB, active, answered, leg_id, placed, property_of


def course(*reports: tuple[float, PathQuality]) -> Course:
    """What comes of reports, each with the second at which it was made."""
    grown_so_far = Course(to="bob", since=START, until=START)
    for at_s, report in reports:
        grown_so_far = extended(grown_so_far, report, START + timedelta(seconds=at_s))
    return grown_so_far


def scored(*scores: float) -> Course:
    """One report every ten seconds with these scores."""
    return course(*((10.0 * index, PathQuality(score=score)) for index, score in enumerate(scores)))


def test_of_each_measure_the_mean_and_the_extremes_are_kept() -> None:
    score = scored(4.0, 3.0, 2.0).measures["score"]
    assert (score.mean, score.low, score.high, score.count) == (pytest.approx(3.0), 2.0, 4.0, 3)


def test_what_a_report_does_not_know_changes_no_mean() -> None:
    found = course((0, PathQuality(rtt_ms=40)), (10, PathQuality()), (20, PathQuality(rtt_ms=60)))
    assert (found.measures["rtt_ms"].mean, found.reports) == (50, 3)
    assert "score" not in found.measures


def test_freezes_are_counted_together() -> None:
    assert course((0, PathQuality(freezes=2)), (10, PathQuality()), (20, PathQuality(freezes=1))).freezes == 3


def test_every_kind_of_address_that_was_used_is_named_once() -> None:
    kinds: list[Any] = ["host", "relay", None, "host"]
    assert course(*((0, PathQuality(candidate=kind)) for kind in kinds)).candidates == ("host", "relay")


def test_the_timeline_has_a_point_every_ten_seconds() -> None:
    assert scored(4.4, 4.2, 3.9).points == (Point(0, 4.4, None), Point(1, 4.2, None), Point(2, 3.9, None))


def test_of_one_step_of_the_timeline_the_worst_is_kept() -> None:
    found = course((0, PathQuality(score=4.0, loss=0.0)), (9.9, PathQuality(score=2.0, loss=0.2)))
    assert found.points == (Point(0, 2.0, 0.2),)


def test_a_full_timeline_goes_on_in_steps_of_twice_the_length() -> None:
    found = scored(*[4.0] * MAX_POINTS, 3.0)
    assert (found.step_s, len(found.points)) == (20, MAX_POINTS // 2 + 1)
    assert found.points[-1] == Point(30, 3.0, None)


@property_of(100)
@given(st.lists(st.floats(0, 43_200), min_size=1, max_size=200))
def test_however_long_a_call_is_its_timeline_stays_short(moments: list[float]) -> None:
    found = course(*((at_s, PathQuality(score=4.0)) for at_s in sorted(moments)))
    steps = [point.step for point in found.points]
    assert steps == sorted(set(steps)) and steps[-1] < MAX_POINTS
    assert steps[-1] * found.step_s <= max(moments)


def test_a_clock_that_was_put_back_does_no_harm() -> None:
    found = course((30, PathQuality(score=4.0)), (-5, PathQuality(score=3.0)))
    assert [point.step for point in found.points] == [0, 3]
    assert found.until == START + timedelta(seconds=30)


def test_no_more_paths_are_kept_of_one_leg_than_a_call_has_people() -> None:
    legs = {f"leg-{number}": PathQuality(score=4.0) for number in range(MAX_PATHS)}
    record = grown(grown(QualityRecord("call", "mine"), {"first": PathQuality()}, START), legs, START)
    assert [path.to for path in record.paths] == list(legs)


def test_what_is_stored_of_twelve_hours_is_small() -> None:
    report = PathQuality(4.4, 0.0123, 3.4567, 41.234, 1234.567, 1234.567, "relay", 1, 0.123)
    found = course(*((10.0 * index, report) for index in range(4_320)))
    assert len(msgspec.json.encode(found)) < 5_000


def test_the_view_names_who_measured_and_whom() -> None:
    call = active(answered(placed()))
    mine, theirs = leg_id(call, ALICE), leg_id(call, BOB)
    record = grown(QualityRecord(call.call_id, mine), {theirs: PathQuality(score=4.41239, loss=0.0)}, START)
    (leg,) = quality_view(call, [record])["legs"]
    assert (leg["leg_id"], leg["user"]) == (mine, ALICE)
    (path,) = leg["paths"]
    assert (path["leg_id"], path["user"]) == (theirs, BOB)
    assert path["score"] == {"mean": 4.4124, "low": 4.4124, "high": 4.4124}
    assert path["rtt_ms"] is None
    assert path["points"] == [{"at_s": 0, "score": 4.41239, "loss": 0.0}]


def test_what_is_told_of_a_leg_that_is_not_of_the_call_is_left_out() -> None:
    call = active(answered(placed()))
    record = grown(QualityRecord(call.call_id, leg_id(call, ALICE)), {"stranger": PathQuality()}, START)
    assert quality_view(call, [record])["legs"][0]["paths"] == []
