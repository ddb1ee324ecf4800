"""By when something is to be done, as people say it in English and in Chinese.

General readers of dates find «may» and «we» where nobody has named a day, and no 周五 at all; here only what really
names a day counts, and the day is reckoned from the one on which it was said.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import NamedTuple


class Due(NamedTuple):
    """``text`` is how it was said; ``day`` the last day on which it is in time."""

    text: str
    day: date


WEEKDAYS = {name.casefold(): number for number, name in enumerate(calendar.day_name)}
MONTHS = {name.casefold(): number for number, name in enumerate(calendar.month_name) if name}
SHORT_MONTHS = {name[:3]: number for name, number in MONTHS.items()} | {"sept": 9}
NUMBERS = {
    "a couple of": 2,
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
HAN_WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
HAN_NUMBERS = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
HAN_DAYS = {"今": 0, "当": 0, "明": 1, "后": 2, "大后": 3}

_LEAD = r"(?:no later than|not later than|due(?: on| by)?|by|until|till|before|on|for|from)"
_DAY_NAME = "|".join(WEEKDAYS)
_MONTH_NAME = "|".join([*MONTHS, *SHORT_MONTHS])
_COUNT = "|".join(sorted(NUMBERS, key=len, reverse=True))


def find_due(text: str, said_on: date) -> Due | None:
    """The first day that ``text`` names; None if it names none, or one that is past."""
    text = unicodedata.normalize("NFKC", text)  # what is written in full width means the same: «３天内»
    found = [
        (match.start(), Due(match.group().strip(), day))
        for pattern, reckon in _READERS
        for match in pattern.finditer(text)
        if (day := reckon(match, said_on)) is not None and day >= said_on
    ]
    return min(found, key=lambda each: (each[0], -len(each[1].text)))[1] if found else None


def _count(said: str, words: Mapping[str, int]) -> int | None:
    """The number that was said, in digits or as one of ``words``. None for what only looks like one: without regard to
    case, an expression takes an i without its dot (U+0131) for any other."""
    return int(said) if said.isdecimal() else words.get(said)


def _in_days(match: re.Match[str], said_on: date) -> date | None:
    count = _count(match["count"].lower(), NUMBERS)
    if count is None:
        return None
    unit = match["unit"].lower()
    if unit == "month":
        return _months_later(said_on, count)
    return said_on + timedelta(days=count * (7 if unit == "week" else 1))


def _near(match: re.Match[str], said_on: date) -> date:
    return (
        said_on
        + timedelta(days=1 if "tomorrow" in match.group().lower() else 0)
        + timedelta(days=1 if "after" in match.group().lower() else 0)
    )


def _weekday(match: re.Match[str], said_on: date) -> date | None:
    wanted = WEEKDAYS.get(match["day"].lower())
    if wanted is None:
        return None
    which = (match["which"] or "").lower()
    if which == "next":
        return _in_week(said_on, 1, wanted)
    ahead = (wanted - said_on.weekday()) % 7
    return said_on + timedelta(days=ahead or (0 if which == "this" else 7))


def _span(match: re.Match[str], said_on: date) -> date:
    """The end of a week, month or year: a working week ends on Friday."""
    later = 1 if (match["which"] or "").lower() == "next" else 0
    span = match["span"].lower()
    if span == "week":
        friday = _in_week(said_on, later, 4)
        return friday if friday >= said_on else friday + timedelta(days=7)
    if span == "weekend":
        return _in_week(said_on, later, 6)
    if span == "year":
        return date(said_on.year + later, 12, 31)
    return _end_of_month(_months_later(said_on.replace(day=1), later))


def _day_of_month(match: re.Match[str], said_on: date) -> date | None:
    name = match["month"].lower()
    month = MONTHS.get(name) or SHORT_MONTHS.get(name)
    return None if month is None else _next_such_day(month, int(match["number"]), match["year"], said_on)


def _iso(match: re.Match[str], said_on: date) -> date | None:
    return _day(int(match["year"]), int(match["month"]), int(match["number"]))


def _han_near(match: re.Match[str], said_on: date) -> date:
    return said_on + timedelta(days=HAN_DAYS[match["which"]])


def _han_weekday(match: re.Match[str], said_on: date) -> date:
    later = match["which"].count("下") if match["which"] else 0
    day = _in_week(said_on, later, HAN_WEEKDAYS[match["day"]])
    return day if later or day >= said_on else day + timedelta(days=7)


def _han_span(match: re.Match[str], said_on: date) -> date:
    later = match["which"].count("下") if match["which"] else 0
    span = match["span"]
    if span in ("周末", "星期末"):
        return _in_week(said_on, later, 6)
    if span.startswith(("周", "星期")):
        friday = _in_week(said_on, later, 4)
        return friday if friday >= said_on else friday + timedelta(days=7)
    if span.startswith("月"):
        return _end_of_month(_months_later(said_on.replace(day=1), later))
    return date(said_on.year + (1 if match["which"] == "明" else 0), 12, 31)


def _han_in(match: re.Match[str], said_on: date) -> date | None:
    count = _count(match["count"], HAN_NUMBERS)
    if count is None:
        return None
    unit = match["unit"]
    if unit == "个月":
        return _months_later(said_on, count)
    return said_on + timedelta(days=count * (1 if unit == "天" else 7))


def _han_date(match: re.Match[str], said_on: date) -> date | None:
    return _next_such_day(int(match["month"]), int(match["number"]), match["year"], said_on)


def _han_day(match: re.Match[str], said_on: date) -> date | None:
    month = _months_later(said_on.replace(day=1), match["which"].count("下") if match["which"] else 0)
    day = _day(month.year, month.month, int(match["number"]))
    if day is not None and day < said_on:
        month = _months_later(month, 1)
        day = _day(month.year, month.month, int(match["number"]))
    return day


_AROUND = rf"(?:\b{_LEAD}\s+)?"
_HAN_AROUND = r"(?:之前|以前|前|之内|以内|内|结束前|下班前)?"
_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], date | None]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reckon)
    for pattern, reckon in (
        (rf"{_AROUND}\b(?:the day after tomorrow|tomorrow|today|tonight|end of (?:the )?day|eod|cob)\b", _near),
        (rf"{_AROUND}\b(?<!last )(?:(?P<which>this|next|coming)\s+)?(?P<day>{_DAY_NAME})\b", _weekday),
        (
            r"\b(?:by |before |until |till )?(?:the )?end of (?:the )?(?:(?P<which>this|next) )?"
            r"(?P<span>week|month|year)\b",
            _span,
        ),
        (rf"{_AROUND}\b(?P<which>this|next)\s+(?P<span>weekend|week|month|year)\b", _span),
        (rf"\b(?:with)?in (?:the next )?(?P<count>\d{{1,3}}|{_COUNT}) (?P<unit>day|week|month)s?\b", _in_days),
        (
            rf"{_AROUND}\b(?P<month>{_MONTH_NAME})\.? (?P<number>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year>20\d\d))?",
            _day_of_month,
        ),
        (
            rf"{_AROUND}(?:\bthe )?\b(?P<number>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month>{_MONTH_NAME})\b"
            r"(?:,? (?P<year>20\d\d))?",
            _day_of_month,
        ),
        (rf"{_AROUND}\b(?P<year>20\d\d)-(?P<month>\d\d)-(?P<number>\d\d)\b", _iso),
        (rf"(?P<which>大后|今|明|后)(?:天|晚|早)(?:上午|中午|下午|晚上|早上|晚)?{_HAN_AROUND}", _han_near),
        (rf"(?P<which>当)天{_HAN_AROUND}", _han_near),
        (
            rf"(?P<which>下下|下|本|这)?个?(?:周|星期|礼拜)(?P<day>[一二三四五六日天])(?:上午"
            rf"|中午|下午|晚上|早上)?{_HAN_AROUND}",
            _han_weekday,
        ),
        (
            rf"(?P<which>下下|下|本|这)?个?(?P<span>周末|星期末|周内|周(?=之?[前内])|月底|月末|月内){_HAN_AROUND}",
            _han_span,
        ),
        (rf"(?P<which>下下|下|本|这)个?(?P<span>周|星期|月)(?![一二三四五六日天末底内\d]){_HAN_AROUND}", _han_span),
        (rf"(?:(?P<which>今|明)年?)?(?P<span>年底|年末|年内){_HAN_AROUND}", _han_span),
        (
            r"(?P<count>\d{1,3}|[一两二三四五六七八九十])(?P<unit>天|周|个星期|个月)(?:之内|以内|内|后|之后|以后)",
            _han_in,
        ),
        (
            rf"(?:(?P<year>20\d\d)\s*年)?(?P<month>\d{{1,2}})\s*月\s*(?P<number>\d{{1,2}})\s*[日号]{_HAN_AROUND}",
            _han_date,
        ),
        (
            rf"(?<![月\d])(?:(?P<which>下|本|这)个?月)?(?P<number>\d{{1,2}})\s*[日号](?!线|楼|机|码|店){_HAN_AROUND}",
            _han_day,
        ),
    )
)


def _in_week(said_on: date, later: int, weekday: int) -> date:
    """That day of the week that is ``later`` weeks after this one; weeks begin on Monday."""
    return said_on - timedelta(days=said_on.weekday()) + timedelta(days=7 * later + weekday)


def _months_later(day: date, count: int) -> date:
    months = day.month - 1 + count
    year, month = day.year + months // 12, months % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _end_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _next_such_day(month: int, number: int, year: str | None, said_on: date) -> date | None:
    if year:
        return _day(int(year), month, number)
    this_year = _day(said_on.year, month, number)
    return this_year if this_year is None or this_year >= said_on else _day(said_on.year + 1, month, number)


def _day(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None
