"""The responder that needs nobody else: it quotes what the book says, with where that stands, or says that it does not.

It does not make sentences of its own about the matter, so it tells nothing that does not stand in the book.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from itertools import chain, repeat

from server.books.model import Found
from server.dialogues.responders.quotes import QUOTE_CHARACTERS, excerpt, plain
from server.dialogues.responders.responder import Asked, Cited, place_of
from server.languages.choice import Languages
from server.languages.sentences import HAN, N_, Translate, said

LEAST_COVERAGE = 0.5
"""How much of a question has to stand in a passage for the passage to count as an answer, rare words counting more;
measured, see docs/dialogues.md."""
LEAST_SHARE = 0.4
"""A further passage is a source if it scores at least so much of what the best one does."""
MAX_SOURCES = 5
QUOTED_CHARACTERS = (700, 300)
"""Of the first passage, and of the second: what fits on a telephone, the rest is a link away. The others are named."""


class OfflineResponder:
    """Quotes passages, in the language of the question."""

    name = "offline"

    def __init__(self, languages: Languages) -> None:
        self._languages = languages

    async def reply(self, asked: Asked) -> AsyncGenerator[str, None]:
        """The best passages, quoted, each with the number of its source."""
        translate = self._language_of(asked.question)
        title = translate(asked.book_title) if asked.is_built_in else asked.book_title
        chosen = self.sources(asked, "")
        if not chosen:
            nothing = N_("I found no answer to that in “%(book)s”. Other words may help.", book=plain(title))
            yield said(nothing, translate)
            return
        yield said(N_("“%(book)s” says:", book=plain(title)), translate)
        quoted = len(QUOTED_CHARACTERS)
        for cited in chosen[:quoted]:
            yield f"\n\n{_where(cited)}\n\n{_quoted(cited.quote)}"
        if chosen[quoted:]:
            yield "\n\n" + said(N_("More about it:"), translate) + "\n"
        for cited in chosen[quoted:]:
            yield f"\n- {_where(cited)}"

    def sources(self, asked: Asked, text: str) -> list[Cited]:
        """The passages that were quoted or named."""
        lengths = chain(QUOTED_CHARACTERS, repeat(QUOTE_CHARACTERS))
        return [
            Cited(n, found, excerpt(found, asked.question, characters))
            for n, (found, characters) in enumerate(zip(answering(asked.found), lengths, strict=False), 1)
        ]

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


def _where(cited: Cited) -> str:
    place = place_of(cited.found)
    return f"**{plain(place)}** [{cited.n}]" if place else f"[{cited.n}]"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in plain(text).split("\n"))
