"""The rules read whatever people write, in whichever letters."""

# ruff: noqa: RUF001 - letters that look alike are what some of this is about

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.roadmaps.rules import read_part
from tests.helpers import property_of
from tests.roadmaps.talks import people, talk

BEGINNINGS = (
    "我会",
    "待办：",
    "我们需要",
    "TODO: ",
    "I'll test it ",
    "We need to test it ",
    "Bob, can you test it ",
    "",
)
NUMBERS = ("3", "３", "１２", "٣", "²", "十", "fıve", "ten", "")
DAYS = (
    *("天内", "个月后", "月１日", "日", " days", " aprıl", " auguſt"),
    *("frıday", "next weeK", "下周", "by May ３", ""),
)
"""Also with what Unicode takes for the same letter or digit."""

SENTENCES = st.tuples(
    st.sampled_from(BEGINNINGS),
    st.sampled_from(("", "in ", "by ")),
    st.sampled_from(NUMBERS),
    st.sampled_from(DAYS),
    st.text(max_size=6),
).map("".join)


@given(SENTENCES)
@property_of(150)
def test_no_text_is_too_strange_to_be_read(text: str) -> None:
    read_part(people("Alice", "Bob"), talk(f"Alice: {text}", "Bob: yes"), 2, "UTC")
