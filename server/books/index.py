"""The index of one book: which passages answer a question, by BM25.

Only imported where a book is searched: numpy is heavy, and a server that nobody asks has no need of it.
"""

from __future__ import annotations

import logging
import math
from typing import Any, NamedTuple

import bm25s
import numpy

from server.books.words import is_paired, units, words

logging.getLogger("bm25s").setLevel(logging.WARNING)  # it says much of itself

CHARACTER_SHARE = 0.5
"""A character is half a word."""
HEADING_WEIGHT = 2
"""A word of a heading counts as often: what stands under «Quiet hours» is about them, also where it does not say so."""


class Text(NamedTuple):
    """What is searched of a passage."""

    number: int
    chapter_title: str
    heading: str
    text: str


class Hit(NamedTuple):
    """The number of a passage, its score, and how much of the question stands in it (0 to 1)."""

    number: int
    score: float
    coverage: float


class Index:
    """A book as BM25 sees it: for each word, in which passages it counts for how much."""

    def __init__(self, texts: list[Text]) -> None:
        self._numbers = [text.number for text in texts]
        documents = [words_of(text) for text in texts]
        self._is_empty = not any(documents)
        self._ranking: Any = bm25s.BM25(method="lucene")
        if not self._is_empty:
            self._ranking.index(documents, show_progress=False, create_empty_token=False)
        self._rarity = _rarity(documents)

    def best(self, question: str, limit: int) -> list[Hit]:
        """The passages in which words of the question stand, best first, at most ``limit``."""
        known = [word for word in dict.fromkeys(words(question)) if word in self._rarity]
        if self._is_empty or not known:
            return []
        scores = self._ranking.get_scores(known)
        # Those that score the same stand as in the book.
        order = [int(at) for at in numpy.argsort(-scores, kind="stable")[:limit] if scores[at] > 0]
        stands = {word: self._ranking.get_scores([word]) > 0 for word in known}
        coverage = self._coverage(units(question), stands, order)
        return [Hit(self._numbers[at], float(scores[at]), share) for at, share in zip(order, coverage, strict=True)]

    def _coverage(self, asked: list[tuple[str, ...]], stands: dict[str, Any], order: list[int]) -> list[float]:
        """For each passage in ``order`` the share of what is asked that stands in it. What the book does not know
        weighs as much as the rarest that it knows."""
        unknown = max(self._rarity.values())
        weights = [
            max((self._rarity[word] for word in unit if word in stands), default=unknown)
            * (CHARACTER_SHARE if is_paired(unit[0]) else 1.0)
            for unit in asked
        ]
        found = [
            sum(
                weight
                for unit, weight in zip(asked, weights, strict=True)
                if any(word in stands and stands[word][at] for word in unit)
            )
            for at in order
        ]
        return [each / sum(weights) for each in found]


def build(texts: list[Text]) -> Index:
    """The index of a book; some seconds of work for the largest."""
    return Index(texts)


def words_of(text: Text) -> list[str]:
    """The words under which a passage is found."""
    return words(text.text) + words(f"{text.chapter_title}\n{text.heading}") * HEADING_WEIGHT


def _rarity(documents: list[list[str]]) -> dict[str, float]:
    """For each word how rare it is: the part of BM25 that weighs it (Robertson and Zaragoza 2009, 3.1, as Lucene has
    it)."""
    counts: dict[str, int] = {}
    for document in documents:
        for word in set(document):
            counts[word] = counts.get(word, 0) + 1
    total = len(documents)
    return {word: math.log(1 + (total - count + 0.5) / (count + 0.5)) for word, count in counts.items()}
