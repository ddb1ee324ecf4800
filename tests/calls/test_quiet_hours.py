"""Quiet hours: when they are, and which are refused."""

from __future__ import annotations

from datetime import datetime

import pytest

from server.calls.quiet_hours import QuietHours, is_quiet, require_good
from server.errors import BadRequest

NIGHT = QuietHours("22:00", "07:00", "Europe/Berlin")
NOON = QuietHours("12:00", "13:30", "Europe/Berlin")


def at(text: str) -> datetime:
    """A moment, with its offset from UTC."""
    return datetime.fromisoformat(text)


def test_nobody_has_quiet_hours_unasked() -> None:
    assert not is_quiet(None, at("2026-11-20T03:00+01:00"))


@pytest.mark.parametrize(("wall", "quiet"), [("11:59", False), ("12:00", True), ("13:29", True), ("13:30", False)])
def test_hours_within_a_day_begin_with_their_start_and_end_before_their_end(wall: str, quiet: bool) -> None:
    assert is_quiet(NOON, at(f"2026-11-20T{wall}+01:00")) == quiet


@pytest.mark.parametrize(
    ("wall", "quiet"), [("21:59", False), ("22:00", True), ("00:00", True), ("06:59", True), ("07:00", False)]
)
def test_hours_may_pass_midnight(wall: str, quiet: bool) -> None:
    assert is_quiet(NIGHT, at(f"2026-11-20T{wall}+01:00")) == quiet


def test_the_wall_is_that_of_the_persons_time_zone() -> None:
    moment = at("2026-11-20T21:30Z")  # 22:30 in Berlin, 16:30 in New York
    assert is_quiet(NIGHT, moment)
    assert not is_quiet(QuietHours("22:00", "07:00", "America/New_York"), moment)


@pytest.mark.parametrize("moment", ["2026-07-20T20:00Z", "2026-11-20T21:00Z"], ids=["summer", "winter"])
def test_they_begin_at_the_same_hour_on_the_wall_all_year(moment: str) -> None:
    assert is_quiet(NIGHT, at(moment))
    assert not is_quiet(NIGHT, datetime.fromtimestamp(at(moment).timestamp() - 60, at(moment).tzinfo))


def test_in_a_time_zone_that_is_no_longer_known_nothing_is_held_back() -> None:
    assert not is_quiet(QuietHours("00:00", "23:59", "Europe/Atlantis"), at("2026-11-20T12:00Z"))


@pytest.mark.parametrize("hours", [NIGHT, NOON, QuietHours("00:00", "23:59", "UTC")])
def test_good_hours_are_taken(hours: QuietHours) -> None:
    require_good(hours)


@pytest.mark.parametrize(
    "text", ["", "7:00", "24:00", "12:60", "12:00:00", "12.00", "22:00\n", "\u0662\u0662:00", "noon"], ids=ascii
)
@pytest.mark.parametrize("name", ["start", "end"])
def test_what_is_no_time_of_day_is_refused_by_name(name: str, text: str) -> None:
    times = {"start": "12:00", "end": "13:00", name: text}
    with pytest.raises(BadRequest) as refused:
        require_good(QuietHours(**times, time_zone="UTC"))
    assert refused.value.fields == {f"quiet_hours.{name}": "a time of day from 00:00 to 23:59, as HH:MM"}


def test_hours_of_no_length_are_refused() -> None:
    with pytest.raises(BadRequest) as refused:
        require_good(QuietHours("12:00", "12:00", "UTC"))
    assert list(refused.value.fields) == ["quiet_hours.end"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Europe",
        "Europe/Atlantis",
        "CEST+1",
        "../../etc/passwd",
        "/etc/passwd",
        "a\x00b",
        "x" * 5000,
        "\ud800",
        " UTC",
    ],
    ids=lambda name: ascii(name[:20]),
)
def test_what_is_no_time_zone_is_refused_by_name(name: str) -> None:
    with pytest.raises(BadRequest) as refused:
        require_good(QuietHours("12:00", "13:00", name))
    assert refused.value.fields == {"quiet_hours.time_zone": "the name of a time zone (IANA), as Europe/Berlin"}
