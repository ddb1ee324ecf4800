"""The handbook answers what people ask: docs/retrieval/questions.md, asked of the documents as they are now."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import pytest

from server.books import handbook
from server.books.handbook_keeper import passages_of
from server.books.index import Index, Text
from server.books.model import Found, Passage
from server.dialogues.responders.offline import answering
from server.paths import docs_dir
from tests.markdown import Document

TABLES = Document(docs_dir() / "retrieval" / "questions.md")
LIMIT = 6
"""As many passages as the assistant asks for."""
ASKED = 10
ANSWERED = 9


class Handbook(NamedTuple):
    """The handbook, and what is found in it."""

    passages: dict[int, Passage]
    index: Index

    def find(self, question: str) -> list[Found]:
        """As :meth:`server.books.books.Books.find`."""
        return [Found(self.passages[hit.number], hit.score, hit.coverage) for hit in self.index.best(question, LIMIT)]


@cache
def real_handbook() -> Handbook:
    """The documents that come with Ringback."""
    passages = passages_of(handbook.read(docs_dir()), "now")
    texts = [Text(each.number, each.chapter_title, each.heading, each.text) for each in passages]
    return Handbook({each.number: each for each in passages}, Index(texts))


def place(passage: Passage) -> tuple[str, str]:
    return (passage.chapter_title, passage.heading)


@pytest.mark.parametrize("language", ["English", "Chinese"])
def test_the_passages_that_answer_are_in_the_handbook(language: str) -> None:
    places = {place(passage) for passage in real_handbook().passages.values()}
    rows = TABLES.rows(language)
    assert len(rows) == ASKED
    assert [row["passage"] for row in rows if (row["chapter"], row["passage"]) not in places] == []


@pytest.mark.parametrize("language", ["English", "Chinese"])
def test_the_passage_that_answers_is_among_the_sources(language: str) -> None:
    missed = [
        row["question"]
        for row in TABLES.rows(language)
        if (row["chapter"], row["passage"])
        not in {place(found.passage) for found in answering(real_handbook().find(row["question"]))}
    ]
    assert len(missed) <= ASKED - ANSWERED, missed


@pytest.mark.parametrize("question", ["How do I bake bread?", "What is the capital of France?", "红烧肉怎么做？"])
def test_what_the_handbook_does_not_tell_it_does_not_pretend_to(question: str) -> None:
    assert answering(real_handbook().find(question)) == []


def test_the_table_of_questions_is_no_part_of_the_handbook() -> None:
    """A question would find itself."""
    assert "questions.md" not in {path.name for path in handbook.files(docs_dir())}
