"""Which bytes a `Range` asks for."""

from __future__ import annotations

import pytest

from handlers.ranges import wanted_range
from server.errors import RangeNotSatisfiable


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-", (0, 100)),
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("Bytes=99-", (99, 100)),
        ("bytes=50-5000", (50, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-5000", (0, 100)),
    ],
)
def test_one_range_is_served(header: str, wanted: tuple[int, int]) -> None:
    assert wanted_range(header, 100) == wanted


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-4",
        "bytes=0-1,5-6",
        "lines=0-1",
        f"bytes={10**18}-",
    ],
)
def test_what_may_be_ignored_is_ignored(header: str | None) -> None:
    assert wanted_range(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        wanted_range(header, 100)
