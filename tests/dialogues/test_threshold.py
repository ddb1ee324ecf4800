"""Where the offline responder draws the line: questions that the handbook answers, and others that it does not."""

from __future__ import annotations

import pytest

from server.books import handbook
from server.books.handbook_keeper import passages_of
from server.books.index import Index, Text
from server.books.model import Found
from server.dialogues.replies import PASSAGES
from server.dialogues.responders.offline import answering
from server.paths import docs_dir

ANSWERED = {
    "English": """\
How do I ring two people at once?
How long does a call ring before it gives up?
Can I leave a voicemail message, and how long may it be?
What happens to my call when the server restarts?
How do I block somebody?
What are quiet hours and how do I set them?
How do I record a call?
How do I install a TURN server?
Which close code means that I was signed out?
How do I change the port that Ringback listens on?
Does Ringback work behind nginx?
How many people can be in one call?
How can I mute my microphone with the keyboard?
Why does my phone not ring when the page is closed?
How do I add a user?
How do captions work and which language do they know?
What does away mean?
How do I see missed calls?
Where is the data kept?
How do I test my camera and microphone?""",
    "Chinese": """\
怎么同时呼叫两个人？
如何录制通话？
怎么屏蔽一个人？
免打扰时段怎么设置？
怎么留言？
怎么查看未接来电？
如何测试麦克风和摄像头？
一个通话最多几个人？
怎么注册账号？
怎么修改密码？""",
}
NOT_ANSWERED = {
    "English": """\
What is the capital of France?
How do I bake sourdough bread?
Who won the football world cup in 1998?
What is the airspeed velocity of an unladen swallow?
How do I train a neural network in PyTorch?
What is the weather in Paris tomorrow?
How much does a Tesla cost?
Write me a poem about autumn.
Which vitamins are in an orange?
How do I fix a flat bicycle tyre?
Who wrote Pride and Prejudice?
When does the next train to Berlin leave?
How tall is Mount Everest?
What is quantum entanglement?
How do I file my taxes?
What is the best pizza in Rome?
Can dogs eat chocolate?
How many planets are there?
What does the stock market do today?
How do I learn to play the guitar?""",
    "Chinese": """\
法国的首都是哪里？
怎么做红烧肉？
明天北京天气怎么样？
世界杯谁赢了？
如何学习弹吉他？
珠穆朗玛峰有多高？
写一首关于秋天的诗。
狗可以吃巧克力吗？
火车几点开？
怎么修自行车轮胎？""",
}


@pytest.fixture(scope="module")
def answered() -> dict[str, bool]:
    """For each question whether the handbook, as it is now, is taken to answer it."""
    passages = passages_of(handbook.read(docs_dir()), "now")
    index = Index([Text(each.number, each.chapter_title, each.heading, each.text) for each in passages])
    by_number = {each.number: each for each in passages}
    return {
        question: bool(
            answering([Found(by_number[hit.number], hit.score, hit.coverage) for hit in index.best(question, PASSAGES)])
        )
        for questions in (*ANSWERED.values(), *NOT_ANSWERED.values())
        for question in questions.splitlines()
    }


@pytest.mark.parametrize("language", ["English", "Chinese"])
def test_what_the_handbook_tells_is_answered(answered: dict[str, bool], language: str) -> None:
    questions = ANSWERED[language].splitlines()
    missed = [question for question in questions if not answered[question]]
    assert len(missed) <= len(questions) / 10, missed


@pytest.mark.parametrize("language", ["English", "Chinese"])
def test_what_it_does_not_tell_is_not(answered: dict[str, bool], language: str) -> None:
    questions = NOT_ANSWERED[language].splitlines()
    pretended = [question for question in questions if answered[question]]
    assert len(pretended) <= len(questions) / 10, pretended
