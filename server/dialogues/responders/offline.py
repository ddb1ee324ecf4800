"""The responder that needs nobody else: it quotes what the book says, with where that stands, or says that it does not.

It does not make sentences of its own about the matter, so it tells nothing that does not stand in the book.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

from server.books.model import Found
from server.books.words import words
from server.dialogues.responders.responder import Asked, place_of
from server.languages.choice import Languages
from server.languages.sentences import HAN, N_, Translate, said

LEAST_COVERAGE = 0.5
"""How much of a question has to stand in a passage for the passage to count as an answer, rare words counting more;
measured, see docs/dialogues.md."""
LEAST_SHARE = 0.4
"""A further passage is a source if it scores at least so much of what the best one does."""
MAX_SOURCES = 5
QUOTED = 2
"""Passages that are quoted; the others are named."""
QUOTE_CHARACTERS = (700, 300)
"""Of the first one, and of the second: what fits on a telephone, the rest is a link away."""

_SENTENCE = re.compile(r"[^\n.!?。！？]*(?:[.!?。！？]+[\"'”’)」』]*(?=\s|$|[^\x00-\x7f])|\n+|$|[.!?])")
_MARKS = re.compile(r"([\\`*_\[\]<>])")


class OfflineResponder:
    """Quotes passages, in the language of the question."""

    name = "offline"

    def __init__(self, languages: Languages) -> None:
        self._languages = languages

    async def reply(self, asked: Asked) -> AsyncGenerator[str, None]:
        """The best passages, quoted, each with the number of its source."""
        translate = self._language_of(asked.question)
        title = translate(asked.book_title) if asked.is_built_in else asked.book_title
        chosen = answering(asked.found)
        if not chosen:
            nothing = N_("I found no answer to that in “%(book)s”. Other words may help.", book=title)
            yield said(nothing, translate)
            return
        yield said(N_("“%(book)s” says:", book=title), translate)
        for at, found in enumerate(chosen[:QUOTED]):
            yield f"\n\n{_where(found, at + 1)}\n\n{_quoted(excerpt(found, asked.question, QUOTE_CHARACTERS[at]))}"
        if chosen[QUOTED:]:
            yield "\n\n" + said(N_("More about it:"), translate) + "\n"
        for at, found in enumerate(chosen[QUOTED:], QUOTED + 1):
            yield f"\n- {_where(found, at)}"

    def sources(self, asked: Asked, text: str) -> list[tuple[int, Found]]:
        """The passages that were quoted or named."""
        return list(enumerate(answering(asked.found), 1))

    async def close(self) -> None:
        """There is nothing to close."""

    def _language_of(self, question: str) -> Translate:
        chinese = self._languages.of("zh-Hans") if re.search(HAN, question) else None
        return chinese.translate if chinese is not None else str


def answering(found: list[Found]) -> list[Found]:
    """Those of the passages that answer, best first; none if the book does not tell."""
    best = next((each for each in found if each.coverage >= LEAST_COVERAGE), None)
    if best is None:
        return []
    others = [
        each
        for each in found
        if each is not best and each.score >= LEAST_SHARE * best.score and each.coverage >= LEAST_COVERAGE / 2
    ]
    return [best, *others][:MAX_SOURCES]


def excerpt(found: Found, question: str, characters: int) -> str:
    """Of a passage the sentences in a row with most of the question in them, at most about so many characters."""
    text = found.passage.text
    if len(text) <= characters:
        return text
    sentences = [each for each in _SENTENCE.findall(text) if each]
    asked = set(words(question))
    matched = [asked.intersection(words(sentence)) for sentence in sentences]
    best, best_worth = (0, 1), -1
    for begin in range(len(sentences)):
        end, length = begin, 0
        while end < len(sentences) and (length + len(sentences[end]) <= characters or end == begin):
            length += len(sentences[end])
            end += 1
        worth = len(set().union(*matched[begin:end]))
        if worth > best_worth:
            best, best_worth = (begin, end), worth
    begin, end = best
    quote = "".join(sentences[begin:end]).strip()[:characters]
    return ("… " if begin else "") + quote + (" …" if end < len(sentences) else "")


def _where(found: Found, n: int) -> str:
    place = place_of(found)
    return f"**{_plain(place)}** [{n}]" if place else f"[{n}]"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in _plain(text).split("\n"))


def _plain(text: str) -> str:
    """``text`` as Markdown that shows just that."""
    return _MARKS.sub(r"\\\1", text)
