"""By when something is to be done, said on Wednesday, 18 November 2026."""

# ruff: noqa: RUF001 - letters that look alike are what some of this is about

from __future__ import annotations

from datetime import date

import pytest

from server.roadmaps.dates import find_due

SAID_ON = date(2026, 11, 18)


def due(text: str) -> str | None:
    found = find_due(text, SAID_ON)
    return found and found.day.isoformat()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("by Friday", "2026-11-20"),
        ("on Wednesday", "2026-11-25"),
        ("next Friday", "2026-11-27"),
        ("this Friday", "2026-11-20"),
        ("tomorrow", "2026-11-19"),
        ("the day after tomorrow", "2026-11-20"),
        ("by EOD", "2026-11-18"),
        ("by the end of the week", "2026-11-20"),
        ("by the end of next week", "2026-11-27"),
        ("until the end of the month", "2026-11-30"),
        ("next month", "2026-12-31"),
        ("in two weeks", "2026-12-02"),
        ("within 3 days", "2026-11-21"),
        ("in a month", "2026-12-18"),
        ("by December 1st", "2026-12-01"),
        ("before 3 May", "2027-05-03"),
        ("due 2026-12-24", "2026-12-24"),
        ("周五前", "2026-11-20"),
        ("周一", "2026-11-23"),
        ("下周五之前", "2026-11-27"),
        ("明天", "2026-11-19"),
        ("后天下午", "2026-11-20"),
        ("大后天", "2026-11-21"),
        ("本周内", "2026-11-20"),
        ("月底前", "2026-11-30"),
        ("下个月5号", "2026-12-05"),
        ("三天内", "2026-11-21"),
        ("两周后", "2026-12-02"),
        ("12月1日", "2026-12-01"),
        ("5号之前", "2026-12-05"),
        ("年底前", "2026-12-31"),
        ("明年年底", "2027-12-31"),
    ],
)
def test_a_day_is_reckoned_from_the_one_on_which_it_was_named(text: str, day: str) -> None:
    assert due(text) == day


@pytest.mark.parametrize(
    "text",
    ["I may do it", "we did that last Friday", "on 31 February", "坐5号线", "on 2020-01-01", "the second one", ""],
)
def test_what_names_no_day_to_come_is_none(text: str) -> None:
    assert due(text) is None


def test_the_first_day_that_is_named_counts() -> None:
    assert due("send it by Friday, and we meet on Monday") == "2026-11-20"


def test_it_is_shown_as_it_was_said() -> None:
    found = find_due("send it by Friday, please", SAID_ON)
    assert found is not None and found.text == "by Friday"


@pytest.mark.parametrize(("said_on", "day"), [(date(2026, 1, 31), "2026-02-28"), (date(2026, 12, 31), "2027-01-31")])
def test_a_month_later_is_a_day_that_there_is(said_on: date, day: str) -> None:
    found = find_due("in a month", said_on)
    assert found is not None and found.day.isoformat() == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("３天内", "2026-11-21"),
        ("１２月１日", "2026-12-01"),
        ("within ３ days", "2026-11-21"),
        ("Ｆｒｉｄａｙ", "2026-11-20"),
    ],
)
def test_what_is_written_in_full_width_means_the_same(text: str, day: str) -> None:
    assert due(text) == day


@pytest.mark.parametrize("text", ["frıday", "3 aprıl", "in fıve days"])
def test_what_only_looks_like_a_word_names_no_day(text: str) -> None:
    assert due(text) is None
