"""The responder that quotes: what it says, in which language, and when it says that it does not know."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from server.books.model import Found, Passage
from server.dialogues.responders.offline import LEAST_COVERAGE, OfflineResponder, answering
from server.dialogues.responders.quotes import excerpt, plain
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
    assert numbers == [cited.n for cited in responder.sources(several, text)] == [1, 2, 3, 4, 5]
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


@pytest.mark.gen_test
async def test_beside_a_reply_stands_what_it_quotes(responder: OfflineResponder) -> None:
    several = asked(*[found("The sea is wide. " * 60 + WICK, score=3.0 - n) for n in range(2)])
    text = await said(responder, several)
    assert [line[2:] for line in text.split("\n") if line.startswith(">")] == [
        cited.quote for cited in responder.sources(several, text)
    ]


@pytest.mark.parametrize(
    ("filler", "answer", "question"),
    [
        ("and the sea goes on ", "the wick is trimmed", "How often is the wick trimmed?"),
        ("海很宽", "灯芯修剪一次", "多久修剪一次灯芯？"),
    ],
    ids=["English", "Chinese"],
)
def test_a_sentence_without_an_end_is_quoted_around_its_words(filler: str, answer: str, question: str) -> None:
    quote = excerpt(found(filler * 40 + answer + filler * 40), question, 120)
    assert answer in quote and len(quote) <= 124
    assert quote.startswith("… ") and quote.endswith(" …")
    assert min(quote.index(answer), len(quote) - quote.index(answer) - len(answer)) > 20


def test_a_last_sentence_that_is_cut_says_so() -> None:
    assert excerpt(found("The sea. The wick is trimmed " + "and trimmed " * 40), "wick", 100).endswith(" …")


LIKE_MARKUP = [
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "2) item",
    "---",
    "===",
    "~~~",
    "    code",
    "a &amp; b",
    "~~a~~",
]


@pytest.mark.parametrize("line", LIKE_MARKUP, ids=[f"line {n}" for n in range(len(LIKE_MARKUP))])
@pytest.mark.gen_test
async def test_what_a_book_begins_its_lines_with_is_no_markup(responder: OfflineResponder, line: str) -> None:
    text = await said(responder, asked(found(f"wick\n{line}\n\n{line}")))
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text[text.index(">") :])
    assert {token.tag for token in tokens} == {"blockquote", "p", ""}
    shown = "".join(child.content for token in tokens for child in token.children or [] if child.type != "softbreak")
    assert shown.replace("\u00a0", "").replace(" ", "") == f"wick{line}{line}".replace(" ", "")


@pytest.mark.gen_test
async def test_what_a_book_is_called_is_no_markup(responder: OfflineResponder) -> None:
    named = asked(found())._replace(book_title="*Lamps* [1]")
    assert (await said(responder, named)).startswith("“\\*Lamps\\* \\[1\\]” says:")


def test_blanks_at_the_beginning_of_a_line_are_seen() -> None:
    assert plain("a\n\tb") == "a\n\u00a0\u00a0\u00a0\u00a0b"
