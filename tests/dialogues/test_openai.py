"""The responder that asks a provider, against one that streams, stalls, breaks off and refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import stamina
from tornado.testing import bind_unused_port

from server.books.model import Found, Passage
from server.dialogues.model import Turn
from server.dialogues.responders.openai import OpenAIResponder
from server.dialogues.responders.responder import Asked, NoReply
from server.ids import new_id
from server.settings import DialogueSettings
from tests.dialogues.provider import KEY, Provider, Refuses, Says, until
from tests.dialogues.talking import QUESTION

SHORT_S = 0.1
ENDED = 'data: {"choices": [{"delta": {}, "finish_reason": "%s"}]}\n\n'


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """What is tried again is tried at once, three times in all."""
    with stamina.set_testing(True, attempts=3):
        yield


def passage(number: int, text: str = "The keeper trims the wick.", coverage: float = 1.0) -> Found:
    return Found(Passage(new_id(), "b", number, 1, "Lamps", "The wick", text), 1.0, coverage)


def earlier(number: int, question: str, text: str) -> Turn:
    return Turn(new_id(), "s", number, new_id(), question, datetime.now(UTC), "complete", text=text)


ASKED = Asked(QUESTION, "Lamps", [earlier(1, "Hello?", "Hello.")], [passage(1), passage(2, "In fog the horn sounds.")])


def responder(provider: Provider, **settings: object) -> OpenAIResponder:
    own = {key.removeprefix("dialogues."): value for key, value in provider.overrides().items()} | settings
    return OpenAIResponder(DialogueSettings(**own))  # type: ignore[arg-type]


async def said(responder: OpenAIResponder, asked: Asked = ASKED) -> tuple[list[str], str]:
    """The words of a reply, and the code with which it ended."""
    words = []
    try:
        async for word in responder.reply(asked):
            words.append(word)
    except NoReply as error:
        return words, error.error.code
    finally:
        await responder.close()
    return words, "complete"


@pytest.mark.gen_test
async def test_the_words_come_as_the_provider_says_them(provider: Provider) -> None:
    provider.will(Says("Every ", "four\n\n", "hours – 每四小时 [1]."))
    assert await said(responder(provider)) == (["Every ", "four\n\n", "hours – 每四小时 [1]."], "complete")


@pytest.mark.gen_test
async def test_the_passages_and_what_was_said_before_go_with_the_question(provider: Provider) -> None:
    await said(responder(provider))
    (body,) = provider.asked
    system, *others = body["messages"]
    assert (body["model"], body["stream"], provider.keys) == ("a-model", True, [f"Bearer {KEY}"])
    assert "[1] Lamps / The wick\nThe keeper trims the wick." in system["content"]
    assert "[2] Lamps / The wick\nIn fog the horn sounds." in system["content"]
    assert others == [
        {"role": "user", "content": "Hello?"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": QUESTION},
    ]


@pytest.mark.gen_test
async def test_the_newest_turns_have_what_the_passages_leave_of_the_context(provider: Provider) -> None:
    turns = [earlier(n, f"question {n} " * 20, "answer " * 60) for n in range(1, 9)]
    passages = [passage(n, "word " * 120) for n in range(1, 9)]
    await said(responder(provider, max_context_characters=4_000), Asked(QUESTION, "Lamps", turns, passages))
    system, *others = provider.asked[0]["messages"]
    assert sum(len(message["content"]) for message in (system, *others)) <= 4_000
    assert "[4]" in system["content"] and "[5]" not in system["content"]
    assert [message["content"][:10] for message in others[:-1:2]] == ["question 8"]


def test_the_sources_are_those_that_the_reply_names() -> None:
    named = OpenAIResponder(DialogueSettings()).sources(ASKED, "It is so [2]. Not [7], and [2] again.")
    assert named == [(2, ASKED.found[1], "In fog the horn sounds.")]


def test_a_number_in_code_names_no_source() -> None:
    text = "It is so [2].\n\n```\nwicks[1]\n```\nand `wicks[1]`"
    assert [cited.n for cited in OpenAIResponder(DialogueSettings()).sources(ASKED, text)] == [2]


def test_a_reply_that_names_none_has_the_passages_that_answer_by_their_words() -> None:
    asked = ASKED._replace(found=[passage(1, coverage=0.1), passage(2, coverage=0.9)])
    (cited,) = OpenAIResponder(DialogueSettings()).sources(asked, "It is so.")
    assert (cited.n, cited.found) == (2, asked.found[1])


# --- Before the first word it is tried again


@pytest.mark.parametrize(
    "trouble",
    [Refuses(429, Retry_After="0"), Refuses(500), Refuses(503), Says(breaks_off=True), Says("", line="data: {}\n\n")],
    ids=["429", "500", "503", "breaks off", "says nothing"],
)
@pytest.mark.gen_test
async def test_what_may_pass_is_tried_again(provider: Provider, trouble: Says | Refuses) -> None:
    provider.will(trouble, Says("Yes."))
    assert await said(responder(provider)) == (["Yes."], "complete")
    assert len(provider.asked) == 2


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (Refuses(429), "provider_busy"),
        (Refuses(500), "provider_failed"),
        (Says(breaks_off=True), "provider_lost"),
    ],
    ids=["429", "500", "breaks off"],
)
@pytest.mark.gen_test
async def test_what_does_not_pass_fails_with_its_reason(provider: Provider, trouble: Says | Refuses, code: str) -> None:
    provider.will(*[trouble] * 3)
    assert await said(responder(provider)) == ([], code)
    assert len(provider.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 404])
@pytest.mark.gen_test
async def test_a_refusal_for_good_is_not_tried_again(provider: Provider, status: int) -> None:
    provider.will(Refuses(status))
    assert await said(responder(provider)) == ([], "provider_refused")
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    ("says", "code"),
    [
        (Says(line='{"choices": []}', kind="application/json"), "provider_failed"),
        (Says(line="data: {\n\n"), "provider_failed"),
        (Says(line=f"{ENDED % 'content_filter'}data: [DONE]\n\n"), "provider_withheld"),
    ],
    ids=["no stream", "garbage", "withheld"],
)
@pytest.mark.gen_test
async def test_an_answer_that_would_come_alike_again_is_not_paid_for_again(
    provider: Provider, says: Says, code: str
) -> None:
    provider.will(says)
    assert await said(responder(provider)) == ([], code)
    assert len(provider.asked) == 1


@pytest.mark.gen_test
async def test_what_the_provider_wants_remembered_is_not(provider: Provider) -> None:
    provider.will(Refuses(500))
    await said(responder(provider))
    assert provider.cookies == ["", ""]


@pytest.mark.gen_test
async def test_a_provider_that_is_not_there_fails(provider: Provider) -> None:
    socket, port = bind_unused_port()
    socket.close()
    asking = responder(provider, openai_url=f"http://127.0.0.1:{port}")
    assert await said(asking) == ([], "provider_unreachable")


@pytest.mark.gen_test
async def test_a_provider_that_says_nothing_fails_in_time(provider: Provider) -> None:
    provider.will(Says(None))
    assert await said(responder(provider, openai_first_timeout_s=SHORT_S)) == ([], "provider_timeout")


# --- After the first word nothing is repeated


@pytest.mark.parametrize(
    ("says", "code"),
    [
        (Says("Yes, ", breaks_off=True), "provider_lost"),
        (Says("Yes, ", line=""), "provider_lost"),
        (Says("Yes, ", None), "provider_timeout"),
        (Says("Yes, ", line="data: {\n\n"), "provider_failed"),
        (Says("Yes, ", line='data: {"error": {"message": "no"}}\n\n'), "provider_failed"),
        (Says("Yes, ", line=f"{ENDED % 'length'}data: [DONE]\n\n"), "too_long"),
        (Says("Yes, ", line=f"{ENDED % 'content_filter'}data: [DONE]\n\n"), "provider_withheld"),
        (Says("Yes, ", line=ENDED % "length"), "too_long"),
    ],
    ids=[
        "breaks off",
        "ends without an end",
        "falls silent",
        "garbles",
        "fails",
        "comes to its bound",
        "is withheld",
        "comes to its bound without a last line",
    ],
)
@pytest.mark.gen_test
async def test_a_reply_that_has_begun_ends_with_its_reason(provider: Provider, says: Says, code: str) -> None:
    provider.will(says)
    assert await said(responder(provider, openai_idle_timeout_s=SHORT_S)) == (["Yes, "], code)
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    "line",
    [
        ENDED % "stop",
        f"{ENDED % 'stop'}data: [DONE]\n\n",
        'data: {"choices": null}\n\ndata: {"choices": [{"delta": null}]}\n\ndata: [DONE]\n\n',
    ],
    ids=["no last line", "a reason", "nothing in the last ones"],
)
@pytest.mark.gen_test
async def test_a_reply_that_the_provider_has_ended_is_whole(provider: Provider, line: str) -> None:
    provider.will(Says("Yes.", line=line))
    assert await said(responder(provider)) == (["Yes."], "complete")


@pytest.mark.gen_test
async def test_a_reply_that_nobody_reads_any_more_ends_at_the_provider(provider: Provider) -> None:
    says = provider.will(Says("Yes, ", None))
    asking = responder(provider)
    words = asking.reply(ASKED)
    assert await anext(words) == "Yes, "
    await words.aclose()
    await until(lambda: says.is_left)
    await asking.close()


@pytest.mark.gen_test
async def test_nothing_that_is_asked_is_logged(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    provider.will(Refuses(500), Refuses(401))
    await said(responder(provider))
    text = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert KEY not in text and QUESTION not in text and "wick" not in text
