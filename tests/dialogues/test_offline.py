"""The responder that quotes: what it says, in which language, and when it says that it does not know."""

from __future__ import annotations

import re

import pytest

from server.books.model import Found, Passage
from server.dialogues.responders.offline import LEAST_COVERAGE, OfflineResponder, answering, excerpt
from server.dialogues.responders.responder import Asked
from server.ids import new_id
from server.languages.choice import read_languages
from server.paths import locale_dir

WICK = "The keeper trims the wick every four hours."


@pytest.fixture(scope="module")
def responder() -> OfflineResponder:
    return OfflineResponder(read_languages(locale_dir()))


def found(text: str = WICK, *, score: float = 3.0, coverage: float = 1.0, heading: str = "The wick") -> Found:
    return Found(Passage(new_id(), "b", 1, 1, "Lamps", heading, text), score, coverage)


def asked(*passages: Found, question: str = "How often is the wick trimmed?") -> Asked:
    return Asked(question, "Lamps at sea", [], list(passages))


async def said(responder: OfflineResponder, asked: Asked) -> str:
    """The whole reply."""
    return "".join([piece async for piece in responder.reply(asked)])


@pytest.mark.gen_test
async def test_a_passage_that_answers_is_quoted_with_where_it_stands(responder: OfflineResponder) -> None:
    assert await said(responder, asked(found())) == (f"“Lamps at sea” says:\n\n**Lamps / The wick** [1]\n\n> {WICK}")


@pytest.mark.gen_test
async def test_a_question_in_chinese_is_answered_in_chinese(responder: OfflineResponder) -> None:
    text = await said(responder, asked(found("守灯人每四小时修剪一次灯芯。"), question="多久修剪一次灯芯？"))
    assert text.startswith("“Lamps at sea”中写道：") and "> 守灯人每四小时修剪一次灯芯。" in text


@pytest.mark.gen_test
async def test_ringbacks_own_book_has_its_chinese_name(responder: OfflineResponder) -> None:
    own = asked(question="如何做面包？")._replace(book_title="Ringback handbook", is_built_in=True)
    assert "Ringback handbook" not in await said(responder, own)


@pytest.mark.gen_test
async def test_what_the_book_does_not_tell_is_not_told(responder: OfflineResponder) -> None:
    nothing = asked(found(coverage=LEAST_COVERAGE - 0.01))
    assert await said(responder, nothing) == "I found no answer to that in “Lamps at sea”. Other words may help."
    assert responder.sources(nothing, "") == []


@pytest.mark.gen_test
async def test_it_says_so_in_chinese_to_whoever_asks_in_chinese(responder: OfflineResponder) -> None:
    assert (
        await said(responder, asked(question="如何做面包？"))
        == "我在“Lamps at sea”中没有找到答案。换个说法也许有帮助。"
    )


@pytest.mark.gen_test
async def test_every_number_in_the_text_has_its_source(responder: OfflineResponder) -> None:
    several = asked(*[found(heading=f"Wick {n}", score=3.0 - n / 10) for n in range(8)])
    text = await said(responder, several)
    numbers = [int(n) for n in re.findall(r"\[(\d)\]", text)]
    assert numbers == [n for n, _ in responder.sources(several, text)] == [1, 2, 3, 4, 5]
    assert text.count("> ") == 2


def test_a_passage_that_is_far_behind_the_best_is_no_source() -> None:
    best, near, far = found(score=10.0), found(score=5.0), found(score=1.0)
    assert answering([best, near, far]) == [best, near]


def test_of_a_long_passage_the_sentences_that_answer_are_quoted() -> None:
    long = found("The sea is wide. " * 60 + WICK + " The sea is deep." * 60)
    quote = excerpt(long, "How often is the wick trimmed?", 200)
    assert WICK in quote and len(quote) <= 206
    assert quote.startswith("… ") and quote.endswith(" …")


def test_a_sentence_in_chinese_ends_without_a_space() -> None:
    long = found("海很宽。" * 60 + "守灯人每四小时修剪一次灯芯。" + "海很深。" * 60)
    assert "修剪一次灯芯。" in excerpt(long, "多久修剪一次灯芯？", 60)


@pytest.mark.gen_test
async def test_what_a_book_says_is_no_markup(responder: OfflineResponder) -> None:
    text = await said(responder, asked(found("Set `a_b` to *1* [2] <b>\n\nand\n> more")))
    assert "> Set \\`a\\_b\\` to \\*1\\* \\[2\\] \\<b\\>\n>\n> and\n> \\> more" in text
