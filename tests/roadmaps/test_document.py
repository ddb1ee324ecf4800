"""The roadmap as a document, its parts, and what a reviewer wants otherwise."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest
from markdown_it import MarkdownIt

from server.languages.choice import read_languages
from server.languages.language import Language
from server.paths import locale_dir
from server.roadmaps import reading
from server.roadmaps.comments import MAX_ENTRIES, MAX_LINES, applied, joined, wanted_by
from server.roadmaps.document import MAX_CHARACTERS, Writer, escaped, title_of
from server.roadmaps.findings import Findings, Said
from server.roadmaps.material import Happening, Material, Utterance
from server.roadmaps.parts import LEAST, MAX_PARTS, MOST, PAUSE, Part, parts_of
from server.roadmaps.reading import MAX_NOTES, Round, next_round, read_or_left
from server.roadmaps.rules import read_part
from tests.roadmaps.talks import APART, BEGUN_AT, people, talk

TALK = (
    "Alice: The installer fails on Windows when the path has spaces.",
    "Bob: I'll send you a fix by Friday.",
    "Alice: Let's go with Postgres.",
    "Alice: What is the budget?",
)


@cache
def language(tag: str) -> Language:
    found = read_languages(locale_dir()).of(tag)
    assert found is not None
    return found


def written(*lines: str, tag: str = "en", zone: str = "Europe/Berlin", notes: tuple[str, ...] = ()) -> str:
    """The document of a call of Alice and Bob."""
    said = talk(*lines)
    ended_at = BEGUN_AT + timedelta(minutes=29)
    happenings = (
        Happening("called", BEGUN_AT, "alice"),
        Happening("joined", BEGUN_AT, "bob"),
        Happening("ended", ended_at, "alice"),
    )
    material = Material("k-1", people("Alice", "Bob"), BEGUN_AT, ended_at, tuple(said), happenings)
    found = read_part(material.people, said, len(said), "UTC")
    return Writer(material, language(tag), zone).document([found], joined([found]), notes)


def test_a_roadmap_has_a_heading_for_each_list() -> None:
    headings = [line for line in written(*TALK).splitlines() if line.startswith("#")]
    assert headings == [
        "# Roadmap: Alice and Bob, 18 November 2026",
        "## Summary",
        "## Decisions",
        "## Steps",
        "## Open questions",
        "## Timeline",
    ]


def test_a_step_is_a_box_with_owner_day_and_where_it_was_said() -> None:
    assert "- [ ] **Bob**: Send Alice a fix by Friday — due Fri, 20 November 2026 *(Bob, 0:20)*" in written(*TALK)


def test_the_summary_says_when_how_long_how_many_and_what_about() -> None:
    text = written(*TALK)
    assert "- Alice and Bob, 18 November 2026, 15:00–15:29 (Europe/Berlin), 29:00" in text
    assert "- Decisions: 1. Steps: 1 (nobody's yet: 0). Open questions: 1." in text
    assert "- Alice: “The installer fails on Windows when the path has spaces.”" in text


def test_where_nothing_was_found_it_says_so() -> None:
    text = written("Alice: It rains.")
    assert "No decision was found." in text and "No step was found." in text and "None is open." in text


def test_the_timeline_says_who_came_and_went() -> None:
    assert written(*TALK).endswith("- 15:00 Alice called\n- 15:00 Bob joined\n- 15:29 The call ended\n")


def test_in_chinese_as_well() -> None:
    text = written("Alice: 我周五前把草稿发给你。", "Bob: 好", tag="zh-Hans")
    assert text.startswith("# 路线图：Alice 和 Bob，2026年11月18日")
    assert "2026年11月20日周五" in text and "## 待解决的问题" in text


@pytest.mark.parametrize("text", ["# Not a heading", "**bold** [link](http://x) <b>", "a | b ~ `c` _d_ \\e", "![x](y)"])
def test_what_people_say_stays_as_they_said_it(text: str) -> None:
    tokens = MarkdownIt("commonmark").parseInline(f"x {escaped(text)}")
    assert {each.type for each in tokens[0].children or []} <= {"text", "text_special"}
    assert "".join(each.content for each in tokens[0].children or []) == f"x {text}"


def test_the_title_is_the_first_heading() -> None:
    assert title_of("Hello\n\n## The *plan* of \\#1\n# Other") == "The *plan* of #1"
    assert title_of("no heading") is None


def test_a_document_is_no_longer_than_may_be_kept() -> None:
    lines = [f"Alice: Decision: number {number} {'x' * 380}" for number in range(40)]
    many = tuple(Said(f"{number} " + "x" * 390, "alice", BEGUN_AT) for number in range(400))
    material = Material("k-1", people("Alice"), BEGUN_AT, BEGUN_AT, tuple(talk(*lines)), ())
    document = Writer(material, language("en"), "UTC").document([], Findings(decisions=many), ())
    assert len(document) <= MAX_CHARACTERS


# ── parts ──


def quiet(*pauses_after: int, count: int) -> list[Utterance]:
    """``count`` utterances, with a pause after those at these places."""
    at, said = BEGUN_AT, []
    for index in range(count):
        said.append(Utterance("alice", "something", at, True))
        at += PAUSE if index in pauses_after else APART
    return said


def test_a_pause_begins_a_new_part() -> None:
    assert [(part.begin, part.count) for part in parts_of(quiet(LEAST, count=12))] == [
        (0, LEAST + 1),
        (LEAST + 1, 11 - LEAST),
    ]


def test_a_named_topic_begins_one_with_its_name() -> None:
    said = talk("Alice: Hello", "Alice: Next topic: the budget.", "Bob: Ok", "Alice: 下一个议题：预算", "Bob: 好")
    assert [(part.begin, part.title) for part in parts_of(said)] == [(0, None), (1, "The budget"), (3, "预算")]


def test_a_long_talk_is_divided_into_so_many_at_most() -> None:
    assert [part.count for part in parts_of(quiet(count=MOST + 3))] == [MOST, 3]
    many = parts_of(quiet(count=12_000))
    assert len(many) <= MAX_PARTS and sum(part.count for part in many) == 12_000


def test_a_silent_call_has_none() -> None:
    assert parts_of([]) == []


# ── another round ──


def round_of(comment: str) -> tuple[Findings, tuple[str, ...]]:
    said = talk(*TALK)
    found = read_part(people("Alice", "Bob"), said, len(said), "UTC")
    wanted = wanted_by(comment, people("Alice", "Bob"), "alice", BEGUN_AT, "UTC")
    return applied(found, wanted), wanted.notes


@pytest.mark.parametrize("comment", ["Remove: Postgres", "- remove “Go with Postgres”", "删除：postgres"])
def test_a_comment_removes_what_contains_its_words(comment: str) -> None:
    assert round_of(comment)[0].decisions == ()


def test_a_comment_adds_what_it_says_by_the_same_rules() -> None:
    found, notes = round_of("Bob will call the printer tomorrow\nDecision: no video")
    assert [step.text for step in found.steps] == ["Send Alice a fix by Friday", "Call the printer tomorrow"]
    assert [each.text for each in found.decisions] == ["Go with Postgres", "No video"]
    assert notes == ()


def test_what_is_neither_is_a_note() -> None:
    assert round_of("The mood was good.")[1] == ("The mood was good.",)


def test_a_round_takes_up_so_much_of_a_comment_and_keeps_so_many_notes() -> None:
    comment = "\n".join(f"Bob will print page {number}" for number in range(MAX_LINES + 1)) + "\nA note." * MAX_NOTES
    made = next_round(Round(Findings()), comment, people("Alice", "Bob"), "alice", BEGUN_AT, "UTC")
    assert (len(made.found.steps), len(made.notes)) == (MAX_LINES, MAX_NOTES)
    assert made.notes[0] == f"Bob will print page {MAX_LINES}"


def test_a_list_has_an_end() -> None:
    said = tuple(Said(f"Number {number}", "alice", BEGUN_AT) for number in range(MAX_ENTRIES))
    more = Findings(decisions=(Said("One more", "alice", BEGUN_AT),))
    assert joined([Findings(decisions=said), more]).decisions == said


def test_a_part_that_cannot_be_read_costs_no_more_than_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> Findings:
        raise KeyError("what somebody has said")

    monkeypatch.setattr(reading, "read_part", fail)
    said = talk(*TALK)
    found = read_or_left(people("Alice", "Bob"), said, Part(0, len(said)), "UTC")
    assert found.unread is not None and "somebody" not in found.unread
    material = Material("k-1", people("Alice", "Bob"), BEGUN_AT, BEGUN_AT, tuple(said), ())
    document = Writer(material, language("en"), "UTC").document([found], joined([found]), ())
    assert "## Notes\n\n- Part 1 of the call could not be read" in document
