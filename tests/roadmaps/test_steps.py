"""Who does what by when, as rules find it in what was said."""

from __future__ import annotations

import pytest

from tests.roadmaps.talks import decisions, questions, read, steps


def test_whoever_promises_something_has_it_to_do() -> None:
    assert steps("Bob: Ok, I'll send you the draft by Friday.", "Alice: Thanks") == [
        ("Bob", "Send Alice the draft by Friday", "2026-11-20")
    ]


def test_somebody_who_is_named_has_it_to_do() -> None:
    assert steps("Alice: Bob will send the draft by Friday", also=("Bob", "Carol")) == [
        ("Bob", "Send the draft by Friday", "2026-11-20")
    ]


def test_also_somebody_who_is_not_in_the_call() -> None:
    assert steps("Alice: Dave needs to approve the design first.") == [("Dave", "Approve the design first", None)]


def test_two_may_do_it_together() -> None:
    assert steps("Alice: Bob and Carol will test it tomorrow", also=("Bob", "Carol"))[0][0] == "Bob, Carol"


def test_whoever_is_asked_has_it_to_do() -> None:
    assert steps("Alice: Can you review my slides, please?", "Bob: Sure") == [("Bob", "Review Alice's slides", None)]


@pytest.mark.parametrize(
    "text", ["Carol, could you call them?", "Could you call them, Carol?", "@carol please call them"]
)
def test_among_many_it_is_whoever_is_spoken_to(text: str) -> None:
    assert steps(f"Alice: {text}", "Bob: Hm", also=("Carol",)) == [("Carol", "Call them", None)]


def test_among_many_it_is_whoever_says_yes() -> None:
    assert steps("Alice: Could you please call the printer?", "Carol: Sure", also=("Bob",))[0][0] == "Carol"


def test_whoever_refuses_has_it_not_to_do() -> None:
    assert steps("Alice: Can you call the printer?", "Bob: No, I can't.")[0][0] is None


def test_what_has_to_be_done_is_nobodys_until_somebody_takes_it() -> None:
    talk = ("Alice: We still need to test the upgrade.", "Bob: Right.")
    assert steps(*talk) == [(None, "Test the upgrade", None)]
    assert steps(*talk, "Bob: I can do that next week.") == [("Bob", "Test the upgrade", "2026-11-27")]


def test_who_asks_for_somebody_gets_them() -> None:
    talk = ("Alice: Who books the room?", "Bob: I'll take it")
    assert steps(*talk) == [("Bob", "Book the room", None)]
    assert questions(*talk) == []


def test_what_is_marked_as_a_task_is_one() -> None:
    assert steps("Alice: TODO: Bob sends the invoice by Monday\nAction item: order paper", also=("Bob",)) == [
        ("Bob", "Send the invoice by Monday", "2026-11-23"),
        (None, "Order paper", None),
    ]


def test_a_list_of_names_is_a_list_of_tasks() -> None:
    assert steps("Alice: - Bob: update the price list\n- Carol to call the printer", also=("Bob", "Carol")) == [
        ("Bob", "Update the price list", None),
        ("Carol", "Call the printer", None),
    ]


def test_that_is_explained_by_the_sentence_before() -> None:
    found = read("Alice: The installer fails on Windows.", "Alice: Can you fix that by Thursday?", "Bob: Yes")
    assert found.steps[0].about == "The installer fails on Windows."


@pytest.mark.parametrize(
    "text",
    [
        "Can you hear me?",
        "I'll be right back.",
        "I won't be there on Monday.",
        "That will be fun.",
        "It will take two days.",
        "If it rains, we will move inside.",
        "I can see your screen.",
        "Bob won't be able to come",
        "Will Bob come?",
        "You will like it",
        "能听到吗？",
        "我会的",
        "我觉得不错",
        "我不去",
    ],
)
def test_what_only_sounds_like_a_step_is_none(text: str) -> None:
    assert steps(f"Alice: {text}", "Bob: ok", also=("Bob",)) == []


def test_the_same_said_twice_is_one_step() -> None:
    assert len(steps("Bob: I'll send the draft", "Alice: ok", "Bob: So I'll send the draft!")) == 1


@pytest.mark.parametrize(
    ("talk", "step"),
    [
        (("小王: 我周五前把草稿发给你。", "李雷: 好"), ("小王", "周五前把草稿发给李雷", "2026-11-20")),
        (("李雷: 小王负责写新闻稿，月底前完成。", "小王: 好的"), ("小王", "写新闻稿，月底前完成", "2026-11-30")),
        (("李雷: 小王，你周四前能修好吗？", "小王: 没问题"), ("小王", "周四前修好", "2026-11-19")),
        (("李雷: 麻烦你明天联系一下客户", "小王: 好"), ("小王", "明天联系一下客户", "2026-11-19")),
        (("李雷: 待办：小王更新价格表", "小王: 好"), ("小王", "更新价格表", None)),
        (("李雷: 我们还需要测试升级流程。", "小王: 我来吧，下周做。"), ("小王", "测试升级流程", "2026-11-27")),
        (("李雷: 谁来订会议室？", "小王: 我来订。"), ("小王", "订会议室", None)),
        (("李雷: 你月底前订一下场地", "小王: 好"), ("小王", "月底前订一下场地", "2026-11-30")),
        (("李雷: 请张总批准预算", "小王: 嗯"), ("张总", "批准预算", None)),
    ],
)
def test_in_chinese_as_well(talk: tuple[str, ...], step: tuple[str, str, str | None]) -> None:
    assert steps(*talk) == [step]


def test_a_chinese_name_is_known_by_what_people_make_of_it() -> None:
    found = steps("李雷: 小明周五前提交报告", "王小明: 好", "李雷: 老韩负责测试", "韩梅: 行")
    assert [owner for owner, _, _ in found] == ["王小明", "韩梅"]


def test_a_step_is_neither_decision_nor_question() -> None:
    talk = ("Alice: Can you fix the installer by Thursday?", "Bob: Sure, will do.")
    assert (decisions(*talk), questions(*talk)) == ([], [])
