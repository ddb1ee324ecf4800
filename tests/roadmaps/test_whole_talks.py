"""Two whole talks, read from beginning to end: what is in them is found, and nothing else."""

from __future__ import annotations

from tests.roadmaps.talks import decisions, questions, steps

ENGLISH = (
    "Alice: Hi Bob, can you hear me?",
    "Bob: Yes, loud and clear. How are you?",
    "Alice: Good, thanks. Let's talk about the release. We have two blockers in the installer.",
    "Bob: Right. The installer fails on Windows when the path has spaces.",
    "Alice: Can you fix that by Thursday?",
    "Bob: Sure, I'll do it.",
    "Alice: Great. And the documentation?",
    "Bob: I'll send you the draft by Friday.",
    "Alice: Perfect. Should we use Postgres or MySQL for the first release?",
    "Bob: I'd go with Postgres. Everybody knows it.",
    "Alice: Okay, let's go with Postgres.",
    "Bob: Agreed.",
    "Alice: How about moving the launch to December 1st?",
    "Bob: Works for me.",
    "Alice: We decided to drop Windows 7 support, by the way.",
    "Bob: Good.",
    "Alice: Who pays for the hosting?",
    "Bob: I don't know, let me check with finance.",
    "Alice: We still need to test the upgrade path.",
    "Bob: I can do that next week.",
    "Alice: Carol will write the press release until the end of the month.",
    "Bob: Ok.",
    "Alice: What is the budget for the launch event?",
    "Alice: Bye!",
)
CHINESE = (
    "小王: 大家好，能听到吗？",
    "李雷: 能听到。",
    "李雷: 我们今天说一下新版本的发布。安装程序在 Windows 上有两个问题。",
    "小王: 对，路径里有空格的时候安装会失败。",
    "李雷: 小王，你周四前能修好吗？",
    "小王: 没问题，我来修。",
    "李雷: 文档呢？",
    "小王: 我周五前把草稿发给你。",
    "李雷: 数据库我们用 Postgres 怎么样？",
    "韩梅: 同意。",
    "李雷: 那就这么定了。",
    "韩梅: 我们决定不再支持 Windows 7。",
    "李雷: 发布推迟到12月1日，可以吗？",
    "小王: 可以。",
    "李雷: 服务器费用谁来付？",
    "韩梅: 我也不清楚，要问一下财务。",
    "李雷: 我们还需要测试升级流程。",
    "韩梅: 我来吧，下周做。",
    "李雷: 韩梅负责写新闻稿，月底前完成。",
    "韩梅: 好的。",
    "李雷: 发布会的预算是多少？",
    "小王: 谁来订会议室？",
    "韩梅: 我来订。",
    "李雷: 麻烦小王明天联系一下客户。",
)


def test_the_decisions_of_an_english_talk_are_found() -> None:
    assert decisions(*ENGLISH) == ["Go with Postgres", "Moving the launch to December 1st", "Drop Windows 7 support"]


def test_its_steps_are_found() -> None:
    assert steps(*ENGLISH) == [
        ("Bob", "Fix that by Thursday", "2026-11-19"),
        ("Bob", "Send Alice the draft by Friday", "2026-11-20"),
        ("Bob", "Test the upgrade path", "2026-11-27"),
        ("Carol", "Write the press release until the end of the month", "2026-11-30"),
    ]


def test_its_open_questions_are_found() -> None:
    assert questions(*ENGLISH) == ["Who pays for the hosting?", "What is the budget for the launch event?"]


def test_the_decisions_of_a_chinese_talk_are_found() -> None:
    assert decisions(*CHINESE) == ["数据库我们用 Postgres", "不再支持 Windows 7", "发布推迟到12月1日"]


def test_its_steps_are_found_in_chinese_too() -> None:
    assert steps(*CHINESE) == [
        ("小王", "周四前修好", "2026-11-19"),
        ("小王", "周五前把草稿发给李雷", "2026-11-20"),
        ("韩梅", "测试升级流程", "2026-11-27"),
        ("韩梅", "写新闻稿，月底前完成", "2026-11-30"),
        ("韩梅", "订会议室", None),
        ("小王", "明天联系一下客户", "2026-11-19"),
    ]


def test_its_open_questions_are_found_in_chinese_too() -> None:
    assert questions(*CHINESE) == ["服务器费用谁来付？", "发布会的预算是多少？"]
