"""From what somebody wrote to its sentences."""

from __future__ import annotations

import pytest

from server.roadmaps.splitting import MAX_CHARACTERS, MAX_SENTENCES, is_chinese, sentences_of


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Yes. I'll do it!  Really?", ["Yes.", "I'll do it!", "Really?"]),
        ("好的。我来做！明天吗？行", ["好的。", "我来做！", "明天吗？", "行"]),
        ("Version 1.2 of server.py is out", ["Version 1.2 of server.py is out"]),
        ("Ask Dr. Miller, e.g. by mail. Thanks", ["Ask Dr. Miller, e.g. by mail.", "Thanks"]),
        ("- one thing\n* another\n1. a third\n- [ ] a fourth", ["one thing", "another", "a third", "a fourth"]),
        ("👍\n...\n123", []),
        ("", []),
    ],
)
def test_a_sentence_ends_where_its_sign_says_so(text: str, sentences: list[str]) -> None:
    assert sentences_of(text) == sentences


def test_what_was_pasted_is_not_read_to_its_end() -> None:
    assert len(sentences_of("Hi there. " * 1000)) == MAX_SENTENCES
    assert len(sentences_of("x" * 5000)[0]) == MAX_CHARACTERS


@pytest.mark.parametrize(("text", "chinese"), [("我们用 Postgres", True), ("I met 李雷 today", False), ("123", False)])
def test_chinese_is_what_is_rather_chinese(text: str, chinese: bool) -> None:
    assert is_chinese(text) is chinese
